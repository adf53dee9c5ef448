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

/// <summary>A border of zeros around a tensor.</summary>
/// <remarks>
/// <para>Shape: <c>x [d0, ...], paddings [rank, 2] -> y [before0 + d0 + after0, ...]</c>; paddings i32 or i64, not negative.</para>
/// <para>Types: any of whole bytes. Quantized tensors are filled with the zero point of y, others with 0.</para>
/// <para>Source: TFLite builtin 34, reference kernel <c>reference/pad.h</c>, versions 1 to 5.</para>
/// </remarks>
public sealed record Pad : IOp<Pad>, IExecutable, IShrinkable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<Pad>
{
    public static OpSchema Declaration { get; } = new("pad", ["x", "paddings"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Pad;

    public static int MaximumVersion => 5;

    public static Pad Parse(AttributeReader attributes) => new();

    public static Pad Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(Paddings.Version(target.Operands[0]), new PadOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands) => [Paddings.Infer(operands, limit: null)];

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count);

    public void Differentiate(GradientBuilder g) => g.Give(0, Paddings.Inside(g));

    public void TraceChannels(ChannelTracer t) => Paddings.Trace(t, isZero: true);

    public Kernel Prepare(KernelContext context)
    {
        PaddedCopy copy = Paddings.Plan(context);
        byte[] zero = context.ZeroElement();
        return () => copy.Fill(context.InputBytes(0), context.OutputBytes(0), zero);
    }
}
