using System.Runtime.CompilerServices;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Power of two operands, element by element: <c>y = a^b</c>.</summary>
/// <inheritdoc cref="BinaryElementwise{TSelf}" path="/remarks"/>
/// <remarks>
/// <para>Types: f32; i32, wrapping, for which a negative exponent is an error at run time.</para>
/// <para>Source: TFLite builtin 78, <c>pow.cc</c> of LiteRT, version 1; results beyond 32 bits are undefined there.</para>
/// <para>Gradient: none with regard to the exponent where the base is not positive, none to the base where the exponent is 0.</para>
/// </remarks>
public sealed record Pow : BinaryElementwise<Pow>, IOp<Pow>, IDifferentiable, ITfLiteOp<Pow>
{
    public static OpSchema Declaration { get; } = new("pow", ["a", "b"], ["y"]) { Kernels = KernelTypes.F32 | KernelTypes.I32 };

    public static BuiltinOperator Code => BuiltinOperator.Pow;

    public static int MaximumVersion => 1;

    public static Pow Parse(AttributeReader attributes) => new();

    public static Pow Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new PowOptions());

    public void Differentiate(GradientBuilder g)
    {
        (Value a, Value b) = (g.Input(0), g.Input(1));
        if (g.Wants(0))
        {
            Value slope = g.Multiply(b, g.Add(new Pow(), a, g.Minus(b, g.Scalar(1))));
            Value isConstant = g.Add(new Equal(), b, g.Scalar(0));
            g.Give(0, g.SumTo(g.Multiply(g.Gradient(), g.Choose(isConstant, g.Scalar(0), slope)), a.Type.Shape));
        }

        if (g.Wants(1))
        {
            Value log = g.OnlyWhere(g.Add(new Greater(), a, g.Scalar(0)), g.Add(new Log(), a));
            g.Give(1, g.SumTo(g.Multiply(g.Gradient(), g.Multiply(g.Output(), log)), b.Type.Shape));
        }
    }

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType is DType.F32
        ? Broadcasting.Scalar<float, float, FloatPower>(context, default)
        : Broadcasting.Scalar<int, int, IntegerPower>(context, default);

    private readonly struct FloatPower : IBinaryElement<float, float, float>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float Invoke(float first, float second) => MathF.Pow(first, second);
    }

    private readonly struct IntegerPower : IBinaryElement<int, int, int>
    {
        public int Invoke(int first, int second)
        {
            if (second < 0)
            {
                throw new OpRuleException("an integer is raised to a negative power") { Found = $"{first}^{second}", Expected = "an exponent of 0 or more" };
            }

            int power = 1;
            for (int square = first, rest = second; rest > 0; rest >>= 1, square = unchecked(square * square))
            {
                power = (rest & 1) == 0 ? power : unchecked(power * square);
            }

            return power;
        }
    }
}
