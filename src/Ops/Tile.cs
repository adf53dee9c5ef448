using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Movement;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>A tensor repeated along its dimensions.</summary>
/// <remarks>
/// <para>Shape: <c>x [d0, ...], multiples [rank] -> y [d0 * m0, ...]</c>; multiples i32 or i64, not negative.</para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 69, kernel <c>tile.cc</c>, versions 1 to 3.</para>
/// </remarks>
public sealed record Tile : IOp<Tile>, IExecutable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<Tile>
{
    public static OpSchema Declaration { get; } = new("tile", ["x", "multiples"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Tile;

    public static int MaximumVersion => 3;

    public static Tile Parse(AttributeReader attributes) => new();

    public static Tile Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch { DType.I8 => 3, DType.String => 2, _ => 1 }, new TileOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        operands.Length(1);
        if (!x.Shape.HasRank)
        {
            operands.Sizes(1);
            return [x.Unranked()];
        }

        if (operands.Sizes(1, x.Shape.Rank) is not { } multiples)
        {
            return [new(x.DType, Dimensions.Unknown(x.Shape.Rank))];
        }

        int[] dims = [.. x.Shape];
        for (int i = 0; i < dims.Length; i++)
        {
            if (multiples[i] < 0)
            {
                throw new OpRuleException("a tensor is repeated a negative number of times") { Found = $"{multiples[i]}" };
            }

            dims[i] = dims[i] < 0 ? -1 : Dimensions.Size((long)dims[i] * multiples[i]);
        }

        return [x.Shaped(dims)];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g)
    {
        Shape x = g.Input(0).Type.Shape;
        int[] multiples = g.ConstantInts(1);
        List<int> dims = [];
        List<int> repeated = [];
        for (int i = 0; i < x.Rank; i++)
        {
            if (multiples[i] != 1)
            {
                repeated.Add(dims.Count);
                dims.Add(multiples[i]);
            }

            dims.Add(x[i]);
        }

        Value copies = g.Reshape(g.Gradient(), Shape.Of([.. dims]));
        g.Give(0, repeated.Count == 0 ? copies : g.Add(new Sum(KeepDims: false), copies, g.Ints([.. repeated])));
    }

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        int elementSize = context.ElementSize();
        Shape x = context.Input(0).Shape;
        long[] source = StridedCopy.Strides(x.Dims.AsSpan());
        long[] target = StridedCopy.Strides(context.Output(0).Shape.Dims.AsSpan());
        int[] sizes = new int[2 * x.Rank];
        long[] from = new long[sizes.Length];
        long[] to = new long[sizes.Length];
        for (int i = 0; i < x.Rank; i++)
        {
            int repeats = x[i] == 0 ? 0 : context.Output(0).Shape[i] / x[i];
            (sizes[2 * i], from[2 * i], to[2 * i]) = (repeats, 0, target[i] * x[i]);
            (sizes[(2 * i) + 1], from[(2 * i) + 1], to[(2 * i) + 1]) = (x[i], source[i], target[i]);
        }

        StridedCopy copy = new(elementSize, sizes, from, to);
        return () => copy.Run(context.InputBytes(0), context.OutputBytes(0));
    }
}
