using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Gradient of <see cref="NormalizeChannels"/> with regard to its operands.</summary>
/// <param name="Epsilon">As in the forward op.</param>
/// <param name="Activation">As in the forward op.</param>
/// <remarks>
/// <para>Shape: <c>dy [.., C], x [.., C], gamma [C], beta [C], mean [C], variance [C] ->
/// dx [.., C], dgamma [C], dbeta [C], dmean [C], dvariance [C]</c>.</para>
/// <para>Types: f32. dz is dy where the activation has slope 1, else 0; <c>i = 1 / sqrt(variance + epsilon)</c>, <c>scale = gamma i</c>:
/// <c>dx = scale dz</c>, <c>dbeta = sum dz</c>, <c>dgamma = i sum dz (x - mean)</c>, <c>dmean = -scale dbeta</c>,
/// <c>dvariance = -scale i dgamma / 2</c>. Sums as in <see cref="BatchNormalization"/>.</para>
/// </remarks>
public sealed record NormalizeChannelsGradient(float Epsilon, FusedActivation Activation) : IOp<NormalizeChannelsGradient>, IOverwriting
{
    public static OpSchema Declaration { get; } = new(
        "normalize_channels_gradient", ["dy", "x", "gamma", "beta", "mean", "variance"], ["dx", "dgamma", "dbeta", "dmean", "dvariance"])
    {
        Kernels = KernelTypes.F32,
    };

    public static NormalizeChannelsGradient Parse(AttributeReader attributes) =>
        new(attributes.Float("epsilon"), attributes.Enum<FusedActivation>("activation"));

    public void Describe(AttributeWriter attributes)
    {
        attributes.Add("epsilon", Epsilon);
        attributes.Add("activation", Activation);
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        BatchNormalization.RequireKnown(Activation);
        Shape x = Dimensions.Agree(operands.Require(0, DType.F32).Shape, operands.Require(1, DType.F32).Shape, "a gradient and its value");
        TensorType channels = new(DType.F32, Shape.Create([ChannelRows.Infer(operands, 1, 2, 3, 4, 5)]));
        return [new(DType.F32, x), channels, channels, channels, channels];
    }

    public Kernel Prepare(KernelContext context) => Activation switch
    {
        FusedActivation.Relu => Prepare<ReluMask>(context, Epsilon),
        FusedActivation.Relu6 => Prepare<Relu6Mask>(context, Epsilon),
        FusedActivation.ReluN1To1 => Prepare<ReluN1To1Mask>(context, Epsilon),
        _ => Prepare<NoMask>(context, Epsilon),
    };

    private static Kernel Prepare<TActivation>(KernelContext context, float epsilon)
        where TActivation : struct, IActivationMask
    {
        ChannelRows rows = ChannelRows.Of(context.Input(0).Shape);
        int channels = rows.Channels;
        int width = ChannelLanes.WidthOf(channels);
        Scratch sums = rows.ReserveSums(context, kinds: 2);
        Scratch lines = context.Reserve(3 * sizeof(float) * (long)width);
        Scratch wide = context.Reserve(2 * sizeof(double) * (long)width, perWorker: true);
        Action<int, int> body = (chunk, worker) =>
        {
            System.Range elements = rows.Elements(chunk);
            Span<double> totals = wide.Span<double>(worker);
            Span<double> chunkSums = sums.Span<double>().Slice(2 * chunk * channels, 2 * channels);
            ChannelLanes.Through<TActivation>(
                context.In<float>(0)[elements],
                context.In<float>(1)[elements],
                lines.Span<float>(),
                totals[..width],
                totals.Slice(width, width),
                context.Out<float>(0)[elements]);
            ChannelLanes.Fold(totals[..width], chunkSums[..channels]);
            ChannelLanes.Fold(totals.Slice(width, width), chunkSums[channels..]);
        };
        return () =>
        {
            Span<float> line = lines.Span<float>();
            Span<float> means = line.Slice(2 * width, width);
            for (int c = 0; c < channels; c++)
            {
                means[c] = context.In<float>(4)[c];
                (line[c], line[width + c]) = BatchNormalization.Line(
                    context.In<float>(2)[c], context.In<float>(3)[c], means[c], context.In<float>(5)[c], epsilon);
            }

            for (int at = 0; at < 3; at++)
            {
                ChannelLanes.Repeat(line.Slice(at * width, width), channels);
            }

            context.Workers.Run(rows.Chunks, body);
            Span<double> products = sums.Span<double>();
            rows.Collect(products, kinds: 2);
            for (int c = 0; c < channels; c++)
            {
                double inverse = 1 / Math.Sqrt((double)context.In<float>(5)[c] + epsilon);
                double scale = context.In<float>(2)[c] * inverse;
                double along = products[channels + c] * inverse;
                context.Out<float>(1)[c] = (float)along;
                context.Out<float>(2)[c] = (float)products[c];
                context.Out<float>(3)[c] = (float)(-scale * products[c]);
                context.Out<float>(4)[c] = (float)(-scale * inverse * along / 2);
            }
        };
    }
}
