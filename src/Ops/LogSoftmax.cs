using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Logarithm of the softmax along the last axis: <c>y = x - log(sum of exp(x))</c>.</summary>
/// <remarks>
/// <para>Shape: <c>x [.., D] -> y [.., D]</c>.</para>
/// <para>Types: f32; i8 to scale 1/16, zero point 127.</para>
/// <para>Source: TFLite builtin 50, <c>reference/log_softmax.h</c>, versions 1 and 2.</para>
/// </remarks>
public sealed record LogSoftmax : IOp<LogSoftmax>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<LogSoftmax>
{
    public static OpSchema Declaration { get; } = new("log_softmax", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8,
    };

    public static BuiltinOperator Code => BuiltinOperator.LogSoftmax;

    public static int MaximumVersion => 2;

    public static LogSoftmax Parse(AttributeReader attributes) => new();

    public static LogSoftmax Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) =>
        new(target.Operands[0].DType is DType.I8 ? 2 : 1, new LogSoftmaxOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.RequireOneOf(0, Declaration.Kernels);
        return x.Shape is { HasRank: true, Rank: 0 }
            ? throw new OpRuleException("a softmax needs an axis") { Found = x.Shape.ToString(), Expected = "1 dimension or more" }
            : [x with { Quant = null }];
    }

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.Activation], [OperandRule.FixedTo(1f / 16, 127, 1f / 4096)]) { Activations = KernelTypes.I8 };

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Minus(
        g.Gradient(), g.Multiply(g.Add(new Exp(), g.Output()), g.SumLast(g.Gradient()))));

    public Kernel Prepare(KernelContext context)
    {
        int depth = context.Input(0).Shape[-1];
        return context.Input(0).DType is DType.F32
            ? () => FloatSoftmax.LogRows(context.In<float>(0), context.Out<float>(0), depth)
            : PrepareInt8(context, depth);
    }

    private static Kernel PrepareInt8(KernelContext context, int depth)
    {
        Grid.RequireFixed(context.Output(0), 1f / 16, sbyte.MaxValue);
        ByteExponentials exponentials = new(Grid.Of(context.Input(0)).Scale);
        FixedPoint factor = exponentials.Factor;
        FixedPoint inverse = Grid.FactorBelowOne(Math.ScaleB(1, 31 - factor.Exponent) / factor.Mantissa);
        return () =>
        {
            ReadOnlySpan<byte> x = context.InputBytes(0);
            Span<sbyte> y = context.Out<sbyte>(0);
            for (int start = 0; start < x.Length; start += depth)
            {
                ReadOnlySpan<byte> row = x.Slice(start, depth);
                int max = ByteExponentials.Max(row, flip: 0x80);
                int log = FixedPointMath.LogOfSum(exponentials.Sum(row, flip: 0x80, max));
                int limit = Math.Max(exponentials.SmallestDifference - 1, inverse.Scale(unchecked(log + int.MinValue)));
                for (int i = 0; i < depth; i++)
                {
                    int difference = (row[i] ^ 0x80) - max;
                    int result = unchecked(factor.Scale(difference) - log);
                    y[start + i] = difference > limit
                        ? FixedPoint.SaturateToInt8(FixedPoint.RoundingShiftRight(result, 22) + sbyte.MaxValue)
                        : sbyte.MinValue;
                }
            }
        };
    }
}
