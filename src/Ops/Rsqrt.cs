using System.Numerics;
using System.Numerics.Tensors;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Inverse square root, element by element: <c>y = 1 / sqrt(x)</c>.</summary>
/// <remarks>
/// <para>Types: f32; i8 and i16 with one scale and zero point per tensor; raw 0 gives the largest raw value.</para>
/// <para>Source: TFLite builtin 76, <c>elementwise.cc</c>, versions 1 to 3; i16 exists in LiteRT only.</para>
/// </remarks>
public sealed record Rsqrt : Elementwise<Rsqrt>, IOp<Rsqrt>, IQuantizable, IDifferentiable, ITfLiteOp<Rsqrt>
{
    private const int FractionBits = 20;

    public static OpSchema Declaration { get; } = new("rsqrt", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16,
    };

    public static BuiltinOperator Code => BuiltinOperator.Rsqrt;

    public static int MaximumVersion => 3;

    public static Rsqrt Parse(AttributeReader attributes) => new();

    public static Rsqrt Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(target.Operands[0].DType switch
    {
        DType.I16 => 3,
        DType.I8 => 2,
        _ => 1,
    });

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Unary;

    public void Differentiate(GradientBuilder g)
    {
        Value cube = g.Multiply(g.Multiply(g.Output(), g.Output()), g.Output());
        g.Give(0, g.Multiply(g.Multiply(g.Gradient(), cube), -0.5f));
    }

    public override Kernel Prepare(KernelContext context)
    {
        if (context.Input(0).DType is DType.F32)
        {
            return FloatMap.Prepare<RsqrtFunction>(context);
        }

        (Grid x, Grid y) = (Grid.Of(context.Input(0)), Grid.Of(context.Output(0)));
        FixedPoint factor = Grid.Factor(1 / (double)(MathF.Sqrt(x.Scale) * y.Scale));
        FixedPoint toOutput = factor with { Exponent = factor.Exponent - FractionBits };
        (_, int high) = Grid.RangeOf(context.Output(0).DType);
        Kernel compute = RawMap.Prepare(context, q =>
        {
            int centred = q - x.ZeroPoint;
            if (centred <= 0)
            {
                return high;
            }

            FixedPoint inverse = FixedPointMath.InverseSquareRoot(centred);
            int fine = (inverse with { Exponent = inverse.Exponent + FractionBits }).Scale(1);
            return toOutput.Scale(fine) + y.ZeroPoint;
        });
        bool wide = context.Input(0).DType is DType.I16;
        return () =>
        {
            int smallest = wide ? Smallest(context.In<short>(0)) : Smallest(context.In<sbyte>(0));
            if (smallest < x.ZeroPoint)
            {
                throw new OpRuleException("the inverse root of a negative number is not defined") { Found = $"{(smallest - x.ZeroPoint) * x.Scale:R}" };
            }

            compute();
        };
    }

    private static int Smallest<T>(ReadOnlySpan<T> values)
        where T : unmanaged, INumber<T> => values.IsEmpty ? int.MaxValue : int.CreateTruncating(TensorPrimitives.Min(values));

    private protected override bool KeepsZero => false;
}
