using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>A tensor in equal parts along one axis.</summary>
/// <param name="NumSplits">Number of parts; divides the size of the axis.</param>
/// <remarks>
/// <para>Shape: <c>axis [1 element], x [.., d, ..] -> y* [.., d / parts, ..]</c>; the axis comes first, as in the format.</para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 49, kernel <c>split.cc</c>, versions 1 to 4.</para>
/// </remarks>
public sealed record Split(int NumSplits) : IOp<Split>, IExecutable, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<Split>
{
    public static OpSchema Declaration { get; } = new("split", ["axis", "x"], ["y*"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Split;

    public static int MaximumVersion => 4;

    public static Split Parse(AttributeReader attributes) => new(attributes.Int("parts"));

    public static Split Read(TfLiteSource source) => new(source.Options<SplitOptions>().NumSplits);

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[1].DType switch { DType.I16 => 4, DType.I32 => 3, DType.I8 => 2, _ => 1 },
        new SplitOptions { NumSplits = NumSplits });

    public void Describe(AttributeWriter attributes) => attributes.Add("parts", NumSplits);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[1];
        Dimensions.RequireResults(NumSplits);
        int? given = operands.OneSize(0);
        if (!x.Shape.HasRank)
        {
            return Dimensions.Repeat(x.Unranked(), NumSplits);
        }

        if (given is null)
        {
            return Dimensions.Repeat(new(x.DType, Dimensions.Unknown(x.Shape.Rank)), NumSplits);
        }

        int axis = Dimensions.Axis(given.Value, x.Shape.Rank);
        int size = x.Shape[axis];
        if (size >= 0 && size % NumSplits != 0)
        {
            throw new OpRuleException("a dimension cannot be split evenly") { Found = $"{size} in {NumSplits} parts" };
        }

        return Dimensions.Repeat(x.Shaped(x.Shape.With(axis, size < 0 ? -1 : size / NumSplits).Dims.AsSpan()), NumSplits);
    }

    public QuantRule QuantRule(OpOperands operands) => new(
        [OperandRule.AsIs, OperandRule.Activation], [.. Enumerable.Repeat(OperandRule.SameAsInput(1), NumSplits)]);

    public void Differentiate(GradientBuilder g) => g.Give(1, g.Add(new Concatenation(g.ConstantInts(0)[0]), g.Gradients()));

    public void TraceChannels(ChannelTracer t)
    {
        if (t.Input(1) is not { } x)
        {
            return;
        }

        if (t.Ints(0) is not [var given])
        {
            t.Fix(x, $"the dimension of {t.Node} is computed");
            return;
        }

        // Parts stay equally large only if of each part the same channels go.
        bool isAlongChannels = Dimensions.Axis(given, t.Shape(1).Rank) == x.Axis;
        int size = isAlongChannels ? x.Count / NumSplits : 0;
        for (int part = 0; part < NumSplits; part++)
        {
            for (int i = 0; i < size; i++)
            {
                t.Tie(x.Channels[i], x.Channels[(part * size) + i]);
            }

            t.Give(isAlongChannels ? new(x.Axis, x.Channels[(part * size)..((part + 1) * size)], x.IsZero[(part * size)..((part + 1) * size)]) : x, part);
        }
    }

    public Kernel Prepare(KernelContext context) =>
        MovedTensors.CutAlong(context, 1, Dimensions.Axis(context.ConstantInts(0)[0], context.Input(1).Shape.Rank));
}
