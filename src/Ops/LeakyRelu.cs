using System.Collections.Immutable;
using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Leaky rectifier, element by element: <c>y = x</c> for <c>x &gt; 0</c>, else <c>y = alpha * x</c>.</summary>
/// <param name="Alpha">Slope for negative inputs; any finite value, also negative or above one.</param>
/// <remarks>
/// <para>Shape: <c>x [any] -> y [same]</c>.</para>
/// <para>Types: f32; i8 and i16 with one scale and zero point per tensor, chosen for x and y independently.</para>
/// <para>Source: TFLite builtin 98, reference kernel <c>reference/leaky_relu.h</c>, versions 1 and 2.</para>
/// </remarks>
public sealed record LeakyRelu(float Alpha) : IOp<LeakyRelu>, IExecutable, IShrinkable, IBoundsOutputs, IQuantizable, IDifferentiable, ITfLiteOp<LeakyRelu>
{
    public static OpSchema Declaration { get; } = new("leaky_relu", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16,
    };

    public static BuiltinOperator Code => BuiltinOperator.LeakyRelu;

    public static int MaximumVersion => 2;

    public static LeakyRelu Parse(AttributeReader attributes) => new(attributes.Float("alpha"));

    public static LeakyRelu Read(TfLiteSource source) => new(source.Options<LeakyReluOptions>().Alpha);

    public TfLiteEncoding Write(TfLiteTarget target) =>
        new(target.Operands[0].DType is DType.I16 ? 2 : 1, new LeakyReluOptions { Alpha = Alpha });

    public void Describe(AttributeWriter attributes) => attributes.Add("alpha", Alpha);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands) =>
        [operands.Require(0, DType.F32, DType.I8, DType.I16) with { Quant = null }];

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Unary;

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Choose(
        g.Add(new Greater(), g.Input(0), g.Scalar(0)), g.Gradient(), g.Multiply(g.Gradient(), Alpha)));

    public OutputBounds? Bounds(OpOperands operands) => new(BoundsRule.Codes, RoundingFreedom.NearReal);

    public void TraceChannels(ChannelTracer t) => t.PassOn();

    public Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => () => Compute(context.In<float>(0), context.Out<float>(0)),
        DType.I8 => PrepareInteger<sbyte>(context),
        _ => PrepareInteger<short>(context),
    };

    private void Compute(ReadOnlySpan<float> x, Span<float> y)
    {
        for (int i = 0; i < x.Length; i++)
        {
            y[i] = x[i] > 0 ? x[i] : x[i] * Alpha;
        }
    }

    private Kernel PrepareInteger<T>(KernelContext context)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        (TensorType x, TensorType y) = (context.Input(0), context.Output(0));

        // Computed in float32 and widened afterwards, as the reference does: the last bit of the
        // multiplier depends on it.
        FixedPoint positive = FixedPoint.FromReal(x.Scale / y.Scale);
        FixedPoint negative = FixedPoint.FromReal(x.Scale * MathF.Abs(Alpha) / y.Scale);
        if (context.Rounding is RoundingProfile.Xnnpack
            && typeof(T) == typeof(sbyte)
            && XnnpackRescale.TryCreate(x.Scale / y.Scale, out XnnpackRescale above)
            && XnnpackRescale.TryCreate(x.Scale / y.Scale * Alpha, out XnnpackRescale below))
        {
            return PrepareOnceRounded(context, above, below);
        }

        int sign = Alpha < 0 ? -1 : 1;
        int xZero = x.ZeroPoint;
        int yZero = y.ZeroPoint;

        return () =>
        {
            ReadOnlySpan<T> qx = context.In<T>(0);
            Span<T> qy = context.Out<T>(0);
            for (int i = 0; i < qx.Length; i++)
            {
                int centred = int.CreateTruncating(qx[i]) - xZero;
                int scaled = centred >= 0 ? positive.Scale(centred) : sign * negative.Scale(centred);
                qy[i] = T.CreateSaturating(scaled + yZero);
            }
        };
    }

    private static Kernel PrepareOnceRounded(KernelContext context, XnnpackRescale above, XnnpackRescale below)
    {
        (int xZero, int yZero) = (context.Input(0).ZeroPoint, context.Output(0).ZeroPoint);
        return () =>
        {
            ReadOnlySpan<sbyte> qx = context.In<sbyte>(0);
            Span<sbyte> qy = context.Out<sbyte>(0);
            for (int i = 0; i < qx.Length; i++)
            {
                int centred = qx[i] - xZero;
                qy[i] = sbyte.CreateSaturating((centred >= 0 ? above : below).Apply(centred) + yZero);
            }
        };
    }
}
