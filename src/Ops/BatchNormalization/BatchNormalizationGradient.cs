using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Gradient of <see cref="BatchNormalization"/> with regard to its operands.</summary>
/// <param name="Epsilon">As in the forward op.</param>
/// <param name="Activation">As in the forward op; whether it lets a gradient through is computed anew from x.</param>
/// <remarks>
/// <para>Shape: <c>dy [.., C], x [.., C], gamma [C], beta [C], mean [C], variance [C] -> dx [.., C], dgamma [C], dbeta [C]</c>.</para>
/// <para>Types: f32. dz is dy where the activation has slope 1, else 0. With n elements in a channel, <c>i = 1 / sqrt(variance + epsilon)</c>, <c>s1 = sum dz</c> and
/// <c>s2 = sum dz (x - mean) i</c>: <c>dbeta = s1</c>, <c>dgamma = s2</c>, and dx is linear in dz and x,
/// <c>dx = A dz + B x + C</c> with <c>A = gamma i</c>, <c>B = -A i s2 / n</c>, <c>C = -A s1 / n - B mean</c>. Sums
/// as in the forward op.</para>
/// <para>Source: Ioffe and Szegedy, Batch Normalization, 2015, section 3, terms collected for each channel.</para>
/// </remarks>
public sealed record BatchNormalizationGradient(float Epsilon, FusedActivation Activation = FusedActivation.None) : IOp<BatchNormalizationGradient>, IOverwriting
{
    public static OpSchema Declaration { get; } = new(
        "batch_normalization_gradient", ["dy", "x", "gamma", "beta", "mean", "variance"], ["dx", "dgamma", "dbeta"])
    {
        Kernels = KernelTypes.F32,
    };

    public static BatchNormalizationGradient Parse(AttributeReader attributes) =>
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
        return [new(DType.F32, x), channels, channels];
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
        Scratch lines = context.Reserve(4 * sizeof(float) * (long)width);
        Scratch wide = context.Reserve(2 * sizeof(double) * (long)width, perWorker: true);

        Action<int, int> add = (chunk, worker) =>
        {
            System.Range elements = rows.Elements(chunk);
            Span<double> totals = wide.Span<double>(worker);
            Span<double> chunkSums = sums.Span<double>().Slice(2 * chunk * channels, 2 * channels);
            Span<double> first = totals[..width];
            Span<double> second = totals.Slice(width, width);
            ChannelLanes.Products<TActivation>(
                context.In<float>(0)[elements], context.In<float>(1)[elements], lines.Span<float>(), first, second);
            ChannelLanes.Fold(first, chunkSums[..channels]);
            ChannelLanes.Fold(second, chunkSums[channels..]);
        };
        Action<int, int> apply = (chunk, _) =>
        {
            System.Range elements = rows.Elements(chunk);
            ChannelLanes.Gradient<TActivation>(
                context.In<float>(0)[elements], context.In<float>(1)[elements], lines.Span<float>(), width, context.Out<float>(0)[elements]);
        };
        return () =>
        {
            ReadOnlySpan<float> mean = context.In<float>(4);
            ReadOnlySpan<float> variance = context.In<float>(5);
            Span<float> line = lines.Span<float>();
            Span<float> scales = line[..width];
            Span<float> shifts = line.Slice(width, width);
            Span<float> third = line.Slice(2 * width, width);
            Span<float> fourth = line.Slice(3 * width, width);
            for (int c = 0; c < channels; c++)
            {
                (scales[c], shifts[c]) = BatchNormalization.Line(context.In<float>(2)[c], context.In<float>(3)[c], mean[c], variance[c], epsilon);
            }

            mean.CopyTo(third);
            ChannelLanes.Repeat(scales, channels);
            ChannelLanes.Repeat(shifts, channels);
            ChannelLanes.Repeat(third, channels);
            context.Workers.Run(rows.Chunks, add);
            Span<double> products = sums.Span<double>();
            rows.Collect(products, kinds: 2);
            for (int c = 0; c < channels; c++)
            {
                double inverse = 1 / Math.Sqrt((double)variance[c] + epsilon);
                double sum = products[c];
                double along = products[channels + c] * inverse;
                double scale = context.In<float>(2)[c] * inverse;
                double slope = -scale * inverse * along / rows.Rows;
                third[c] = (float)slope;
                fourth[c] = (float)((-scale * sum / rows.Rows) - (slope * mean[c]));
                context.Out<float>(1)[c] = (float)along;
                context.Out<float>(2)[c] = (float)sum;
            }

            ChannelLanes.Repeat(third, channels);
            ChannelLanes.Repeat(fourth, channels);
            context.Workers.Run(rows.Chunks, apply);
        };
    }
}
