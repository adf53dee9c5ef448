using System.Collections.Immutable;
using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Divides by the Euclidean norm along the last axis: <c>y = x / max(sqrt(sum of x^2), 1e-6)</c>.</summary>
/// <remarks>
/// <para>Shape: <c>x [.., D] -> y [.., D]</c>.</para>
/// <para>Types: f32; i8 to scale 1/128, zero point 0; u8 to scale 1/128, zero point 128.</para>
/// <para>Source: TFLite builtin 11, <c>reference/l2normalization.h</c> and <c>reference/integer_ops/l2normalization.h</c>,
/// versions 1 and 2; u8 exists in LiteRT only. A fused activation, which no kernel has, is refused.</para>
/// </remarks>
public sealed record L2Normalization : IOp<L2Normalization>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<L2Normalization>
{
    // Beyond this depth a sum of squares of 8-bit differences need not fit the 32 bits of the reference.
    private const int MaximumIntegerDepth = int.MaxValue / (255 * 255);

    private const float SmallestNorm = 1e-6f;

    public static OpSchema Declaration { get; } = new("l2_normalization", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8,
    };

    public static BuiltinOperator Code => BuiltinOperator.L2Normalization;

    public static int MaximumVersion => 2;

    public static L2Normalization Parse(AttributeReader attributes) => new();

    public static L2Normalization Read(TfLiteSource source) =>
        source.Options<L2NormOptions>().FusedActivationFunction is var activation and not ActivationFunctionType.None
            ? throw new OpRuleException("a normalization has no fused activation") { Found = $"{activation}" }
            : new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(target.Output().DType is DType.I8 ? 2 : 1, new L2NormOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.RequireOneOf(0, Declaration.Kernels);
        return x.Shape is { HasRank: true, Rank: 0 }
            ? throw new OpRuleException("a normalization needs an axis") { Found = x.Shape.ToString(), Expected = "1 dimension or more" }
            : [x with { Quant = null }];
    }

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.Activation], [OperandRule.FixedTo(1f / 128, 0, 1f / 32768)]) { Activations = KernelTypes.I8 };

    public void Differentiate(GradientBuilder g)
    {
        (Value x, Value y) = (g.Input(0), g.Output());
        Value norm = g.Add(new Sqrt(), g.SumLast(g.Add(new Square(), x)));
        Value along = g.Multiply(y, g.SumLast(g.Multiply(g.Gradient(), y)));
        Value isFree = g.Add(new Greater(), norm, g.Scalar(SmallestNorm));
        g.Give(0, g.Divide(g.Minus(g.Gradient(), g.OnlyWhere(isFree, along)), g.Add(new Maximum(), norm, g.Scalar(SmallestNorm))));
    }

    public Kernel Prepare(KernelContext context)
    {
        int depth = context.Input(0).Shape[-1];
        return context.Input(0).DType switch
        {
            DType.F32 => () => Rows(context.In<float>(0), context.Out<float>(0), depth),
            DType.I8 => PrepareBytes<sbyte>(context, depth, outputZero: 0),
            _ => PrepareBytes<byte>(context, depth, outputZero: 128),
        };
    }

    private static void Rows(ReadOnlySpan<float> x, Span<float> y, int depth)
    {
        for (int start = 0; start < x.Length; start += depth)
        {
            ReadOnlySpan<float> row = x.Slice(start, depth);
            Span<float> result = y.Slice(start, depth);
            float sum = 0;
            foreach (float value in row)
            {
                sum += value * value;
            }

            float norm = MathF.Max(MathF.Sqrt(sum), SmallestNorm);
            for (int i = 0; i < row.Length; i++)
            {
                result[i] = row[i] / norm;
            }
        }
    }

    private static Kernel PrepareBytes<T>(KernelContext context, int depth, int outputZero)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        if (depth > MaximumIntegerDepth)
        {
            throw new OpRuleException("the axis is too long for the accumulator of the integer kernel") { Found = $"{depth}", Expected = $"at most {MaximumIntegerDepth}" };
        }

        Grid.RequireFixed(context.Output(0), 1f / 128, outputZero);
        int zero = Grid.Of(context.Input(0)).ZeroPoint;

        // Both kernels multiply by 128: the one for i8 in the exponent, the one for u8 before the product.
        bool unsigned = typeof(T) == typeof(byte);
        return () =>
        {
            ReadOnlySpan<T> x = context.In<T>(0);
            Span<T> y = context.Out<T>(0);
            for (int start = 0; start < x.Length; start += depth)
            {
                int sum = 0;
                for (int i = start; i < start + depth; i++)
                {
                    int centred = int.CreateTruncating(x[i]) - zero;
                    sum += centred * centred;
                }

                FixedPoint inverse = FixedPointMath.InverseSquareRoot(sum);
                FixedPoint factor = unsigned ? inverse : inverse with { Exponent = inverse.Exponent + 7 };
                for (int i = start; i < start + depth; i++)
                {
                    int centred = int.CreateTruncating(x[i]) - zero;
                    y[i] = T.CreateSaturating(factor.Scale(unsigned ? centred * 128 : centred) + outputZero);
                }
            }
        };
    }
}
