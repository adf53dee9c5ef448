using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Movement;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>A border that mirrors the content.</summary>
/// <param name="Mode">Reflect: the outermost elements are not repeated (<c>cb|abc|ba</c>). Symmetric: they are (<c>ba|abc|cb</c>).</param>
/// <remarks>
/// <para>
/// Shape: <c>x [d0, ...], paddings [rank, 2] -> y [before0 + d0 + after0, ...]</c>; a border is at most as wide as the
/// dimension (symmetric), or narrower by one (reflect).
/// </para>
/// <para>Types: any of whole bytes. Source: TFLite builtin 100, kernel <c>mirror_pad.cc</c>, versions 1 to 3.</para>
/// </remarks>
public sealed record MirrorPad(MirrorPadMode Mode) : IOp<MirrorPad>, IExecutable, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<MirrorPad>
{
    public static OpSchema Declaration { get; } = new("mirror_pad", ["x", "paddings"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.MirrorPad;

    public static int MaximumVersion => 3;

    public static MirrorPad Parse(AttributeReader attributes) => new(attributes.Enum<MirrorPadMode>("mode"));

    public static MirrorPad Read(TfLiteSource source) => source.Options<MirrorPadOptions>().Mode switch
    {
        MirrorPadMode.Reflect => new(MirrorPadMode.Reflect),
        MirrorPadMode.Symmetric => new(MirrorPadMode.Symmetric),
        var other => throw new OpRuleException("a mirror mode is not known") { Found = $"{(int)other}", Expected = "0 or 1" },
    };

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch { DType.I16 => 3, DType.I8 => 2, _ => 1 }, new MirrorPadOptions { Mode = Mode });

    public void Describe(AttributeWriter attributes) => attributes.Add("mode", Mode);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands) => [Paddings.Infer(operands, limit: Skip)];

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    /// <summary>Folds the borders back, one axis after the other.</summary>
    public void Differentiate(GradientBuilder g)
    {
        Shape x = g.Input(0).Type.Shape;
        int[] widths = g.ConstantInts(1);
        Value folded = g.Gradient();
        for (int axis = 0; axis < x.Rank; axis++)
        {
            (int before, int after, int size) = (widths[2 * axis], widths[(2 * axis) + 1], x[axis]);
            Value whole = folded;
            if (before + after > 0)
            {
                folded = g.SliceAlong(whole, axis, before, size);
            }

            if (before > 0)
            {
                Value border = g.Add(new ReverseV2(), g.SliceAlong(whole, axis, 0, before), g.Ints(axis));
                folded = g.Plus(folded, g.PadAlong(border, axis, Skip, size - Skip - before));
            }

            if (after > 0)
            {
                Value border = g.Add(new ReverseV2(), g.SliceAlong(whole, axis, before + size, after), g.Ints(axis));
                folded = g.Plus(folded, g.PadAlong(border, axis, size - Skip - after, Skip));
            }
        }

        g.Give(0, folded);
    }

    public void TraceChannels(ChannelTracer t)
    {
        if (t.Input(0) is { } x && t.Ints(1) is { } widths && widths[2 * x.Axis] == 0 && widths[(2 * x.Axis) + 1] == 0)
        {
            t.PassOn();
        }
        else
        {
            t.FixInputs($"{t.Node} repeats channels");
        }
    }

    public Kernel Prepare(KernelContext context)
    {
        PaddedCopy copy = Paddings.Plan(context);
        int skip = Skip;
        return () => copy.Mirror(context.InputBytes(0), context.OutputBytes(0), skip);
    }

    private int Skip => Mode is MirrorPadMode.Reflect ? 1 : 0;
}
