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

/// <summary>A tensor in parts of given sizes along one axis.</summary>
/// <param name="NumSplits">Number of parts.</param>
/// <remarks>
/// <para>
/// Shape: <c>x [.., d, ..], sizes [parts], axis [1 element] -> y* [.., size, ..]</c>; one size may be -1: what the others leave.
/// </para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 102, kernel <c>split_v.cc</c>, versions 1 and 2.</para>
/// </remarks>
public sealed record SplitV(int NumSplits) : IOp<SplitV>, IExecutable, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<SplitV>
{
    public static OpSchema Declaration { get; } = new("split_v", ["x", "sizes", "axis"], ["y*"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.SplitV;

    public static int MaximumVersion => 2;

    public static SplitV Parse(AttributeReader attributes) => new(attributes.Int("parts"));

    public static SplitV Read(TfLiteSource source) => new(source.Options<SplitVOptions>().NumSplits);

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType is DType.I8 ? 2 : 1, new SplitVOptions { NumSplits = NumSplits });

    public void Describe(AttributeWriter attributes) => attributes.Add("parts", NumSplits);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        Dimensions.RequireResults(NumSplits);
        int[]? sizes = operands.Sizes(1, NumSplits);
        int? given = operands.OneSize(2);
        if (!x.Shape.HasRank)
        {
            return Dimensions.Repeat(x.Unranked(), NumSplits);
        }

        if (given is null)
        {
            return Dimensions.Repeat(new(x.DType, Dimensions.Unknown(x.Shape.Rank)), NumSplits);
        }

        int axis = Dimensions.Axis(given.Value, x.Shape.Rank);
        if (sizes is null)
        {
            return Dimensions.Repeat(x.Shaped(x.Shape.With(axis, -1).Dims.AsSpan()), NumSplits);
        }

        return [.. Resolve(sizes, x.Shape[axis]).Select(size => x.Shaped(x.Shape.With(axis, size).Dims.AsSpan()))];
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count, NumSplits);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Add(new Concatenation(g.ConstantInts(2)[0]), g.Gradients()));

    public void TraceChannels(ChannelTracer t)
    {
        if (t.Input(0) is not { } x)
        {
            return;
        }

        if (t.Ints(1) is not { } sizes || t.Ints(2) is not [var given])
        {
            t.Fix(x, $"the parts of {t.Node} are computed");
            return;
        }

        bool isAlongChannels = Dimensions.Axis(given, t.Shape(0).Rank) == x.Axis;
        int begin = 0;
        for (int part = 0; part < NumSplits; part++)
        {
            int end = begin + (isAlongChannels ? t.Node.Outputs[part].Type.Shape[x.Axis] : 0);
            t.Give(isAlongChannels ? new(x.Axis, x.Channels[begin..end], x.IsZero[begin..end]) : x, part);
            if (isAlongChannels && sizes[part] >= 0)
            {
                t.Counted(1, part, x.Channels[begin..end]);
            }

            begin = end;
        }
    }

    public Kernel Prepare(KernelContext context) =>
        MovedTensors.CutAlong(context, 0, Dimensions.Axis(context.ConstantInts(2)[0], context.Input(0).Shape.Rank));

    private static int[] Resolve(int[] sizes, int whole)
    {
        int free = Array.IndexOf(sizes, -1);
        long sum = 0;
        for (int i = 0; i < sizes.Length; i++)
        {
            if (sizes[i] < -1 || (sizes[i] == -1 && i != free))
            {
                throw new OpRuleException("parts have at most one size of -1 and no other negative one") { Found = Shape.Create(sizes).ToString() };
            }

            sum += i == free ? 0 : sizes[i];
        }

        if (whole >= 0 && (free < 0 ? sum != whole : sum > whole))
        {
            throw new OpRuleException("the parts do not add up to the dimension") { Found = $"{sum}", Expected = $"{whole}" };
        }

        int[] resolved = [.. sizes];
        if (free >= 0 && whole >= 0)
        {
            resolved[free] = (int)(whole - sum);
        }

        return resolved;
    }
}
