using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Movement;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>A tensor with a box of it replaced.</summary>
/// <remarks>
/// <para>
/// Shape: <c>x [d0, ...], update [u0, ...], start [rank] -> y [d0, ...]</c> with u at most d. Start i32 or i64; it is moved so that
/// the box lies inside x.
/// </para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 151, kernel <c>dynamic_update_slice.cc</c>, versions 1 to 4.</para>
/// </remarks>
public sealed record DynamicUpdateSlice : IOp<DynamicUpdateSlice>, IExecutable, IQuantizable, IDifferentiable, ITfLiteOp<DynamicUpdateSlice>
{
    public static OpSchema Declaration { get; } = new("dynamic_update_slice", ["x", "update", "start"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.DynamicUpdateSlice;

    public static int MaximumVersion => 4;

    public static DynamicUpdateSlice Parse(AttributeReader attributes) => new();

    public static DynamicUpdateSlice Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I16 => 4,
            DType.F16 => 3,
            _ when target.Operands[2].DType is DType.I64 => 2,
            _ => 1,
        },
        new DynamicUpdateSliceOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        operands.RequireSameType(0, 2);
        operands.Length(2);
        Shape update = operands[1].Shape;
        operands.Sizes(2, x.Shape.HasRank ? x.Shape.Rank : -1);
        if (x.Shape.HasRank && update.HasRank)
        {
            bool fits = x.Shape.Rank == update.Rank;
            for (int i = 0; fits && i < update.Rank; i++)
            {
                fits = x.Shape[i] < 0 || update[i] <= x.Shape[i];
            }

            if (!fits)
            {
                throw new OpRuleException("an update is larger than the tensor") { Found = $"{update} into {x.Shape}" };
            }
        }

        return [x with { Quant = null }];
    }

    public QuantRule QuantRule(OpOperands operands) => new(
        [OperandRule.Activation, OperandRule.SameAsInput(0), OperandRule.AsIs], [OperandRule.SameAsInput(0)]);

    public void Differentiate(GradientBuilder g)
    {
        (Shape x, Shape update) = (g.Input(0).Type.Shape, g.Input(1).Type.Shape);
        if (g.Wants(0))
        {
            g.Give(0, g.Add(new DynamicUpdateSlice(), g.Gradient(), g.Zeros(update), g.Input(2)));
        }

        if (g.Wants(1))
        {
            int[] start = [.. g.ConstantInts(2).Select((first, axis) => Math.Clamp(first, 0, x[axis] - update[axis]))];
            g.Give(1, g.Add(new Slice(), g.Gradient(), g.Ints(start), g.Ints(update.Dims.AsSpan())));
        }
    }

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        context.RequireSameQuantization(1);
        int elementSize = context.ElementSize();
        (Shape x, Shape update) = (context.Input(0).Shape, context.Input(1).Shape);
        long[] strides = StridedCopy.Strides(x.Dims.AsSpan());
        ReadOnlySpan<int> sizes = update.Dims.AsSpan();
        StridedCopy copy = new(elementSize, sizes, StridedCopy.Strides(sizes), strides);
        IndexReader read = IndexReader.For(context.Input(2).DType);
        return () =>
        {
            ReadOnlySpan<byte> starts = context.InputBytes(2);
            long start = 0;
            for (int i = 0; i < strides.Length; i++)
            {
                start += Math.Clamp(read.At(starts, i), 0, x.Dims[i] - update.Dims[i]) * strides[i];
            }

            Span<byte> y = context.OutputBytes(0);
            context.InputBytes(0).CopyTo(y);
            copy.Run(context.InputBytes(1), y[(int)Math.Min(y.Length, start * elementSize)..]);
        };
    }
}
