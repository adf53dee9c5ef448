using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>
/// The second half of <see cref="BatchNormalization"/>, with statistics that another operator took:
/// <c>y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta)</c>.
/// </summary>
/// <param name="Epsilon">Added to the variance; positive.</param>
/// <param name="Activation">Limits of y; none, or one of the rectifiers.</param>
/// <remarks>
/// <para>Shape: <c>x [.., C], gamma [C], beta [C], mean [C], variance [C] -> y [.., C]</c>.</para>
/// <para>Types: f32. Statistics are operands like others: their gradients are those of the batch normalization.</para>
/// </remarks>
public sealed record NormalizeChannels(float Epsilon = 1e-3f, FusedActivation Activation = FusedActivation.None) : IOp<NormalizeChannels>, IExecutable, IDifferentiable
{
    public static OpSchema Declaration { get; } = new("normalize_channels", ["x", "gamma", "beta", "mean", "variance"], ["y"])
    {
        Kernels = KernelTypes.F32,
    };

    public static NormalizeChannels Parse(AttributeReader attributes) => new(attributes.Float("epsilon"), attributes.Enum<FusedActivation>("activation"));

    public void Describe(AttributeWriter attributes)
    {
        attributes.Add("epsilon", Epsilon);
        attributes.Add("activation", Activation);
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        BatchNormalization.RequireKnown(Activation);
        ChannelRows.Infer(operands, 0, 1, 2, 3, 4);
        return [operands[0] with { Quant = null }];
    }

    public void Differentiate(GradientBuilder g)
    {
        Node adjoint = g.AddNode(
            new NormalizeChannelsGradient(Epsilon, Activation), g.Gradient(), g.Input(0), g.Input(1), g.Input(2), g.Input(3), g.Input(4));
        for (int i = 0; i < 5; i++)
        {
            if (g.Wants(i))
            {
                g.Give(i, adjoint.Outputs[i]);
            }
        }
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
        Scratch lines = context.Reserve(2 * sizeof(float) * (long)width);
        Action<int, int> apply = (chunk, _) =>
        {
            Span<float> line = lines.Span<float>();
            System.Range elements = rows.Elements(chunk);
            ChannelLanes.Apply<TActivation>(context.In<float>(0)[elements], line[..width], line.Slice(width, width), context.Out<float>(0)[elements]);
        };
        return () =>
        {
            Span<float> scales = lines.Span<float>()[..width];
            Span<float> shifts = lines.Span<float>().Slice(width, width);
            BatchNormalization.Lines(
                context.In<float>(1)[..channels], context.In<float>(2), context.In<float>(3), context.In<float>(4), epsilon, scales, shifts);
            ChannelLanes.Repeat(scales, channels);
            ChannelLanes.Repeat(shifts, channels);
            context.Workers.Run(rows.Chunks, apply);
        };
    }
}
