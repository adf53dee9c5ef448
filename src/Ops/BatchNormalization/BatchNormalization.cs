using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>
/// Batch normalization in training: every channel is brought to mean 0 and variance 1 over the batch, then scaled and
/// shifted: <c>y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta)</c>.
/// </summary>
/// <param name="Epsilon">Added to the variance; positive.</param>
/// <param name="Activation">Limits of y; none, or one of the rectifiers.</param>
/// <remarks>
/// <para>Shape: <c>x [.., C], gamma [C], beta [C] -> y [.., C], mean [C], variance [C]</c>.</para>
/// <para>Types: f32. Mean and variance are over all axes but the last; the variance is the biased one. Sums are made in
/// chunks that depend on the shape only, so that results do not depend on the number of threads, of differences to the first
/// row, in float32 over some rows and in double precision beyond; y is computed as <c>x * scale + shift</c>. With an
/// activation, all results and gradients have the bits of the op without it and the activation behind it.</para>
/// <para>Source: Ioffe and Szegedy, Batch Normalization, 2015, algorithm 1. <see cref="Inference"/> is algorithm 2.</para>
/// </remarks>
public sealed partial record BatchNormalization(float Epsilon = 1e-3f, FusedActivation Activation = FusedActivation.None) : IOp<BatchNormalization>, IExecutable, IDifferentiable
{
    public static OpSchema Declaration { get; } = new("batch_normalization", ["x", "gamma", "beta"], ["y", "mean", "variance"])
    {
        Kernels = KernelTypes.F32,
    };

    public static BatchNormalization Parse(AttributeReader attributes) => new(attributes.Float("epsilon"), attributes.Enum<FusedActivation>("activation"));

    public void Describe(AttributeWriter attributes)
    {
        attributes.Add("epsilon", Epsilon);
        attributes.Add("activation", Activation);
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        if (!(Epsilon > 0) || !float.IsFinite(Epsilon))
        {
            throw new OpRuleException("a variance needs something positive beside it") { Found = $"{Epsilon:R}" };
        }

        RequireKnown(Activation);
        TensorType channels = new(DType.F32, Shape.Create([ChannelRows.Infer(operands, 0, 1, 2)]));
        return [operands[0] with { Quant = null }, channels, channels];
    }

    public void Differentiate(GradientBuilder g)
    {
        (Value x, Value mean) = (g.Input(0), g.Output(1));
        Node adjoint = g.AddNode(
            new BatchNormalizationGradient(Epsilon, Activation), g.Gradient(), x, g.Input(1), g.Input(2), mean, g.Output(2));
        if (g.Wants(0))
        {
            float count = x.Type.ElementCount / Math.Max(1, x.Type.Shape[-1]);
            Value gradient = adjoint.Outputs[0];
            if (g.HasGradient(1))
            {
                gradient = g.Plus(gradient, g.Multiply(g.Gradient(1), 1 / count));
            }

            if (g.HasGradient(2))
            {
                gradient = g.Plus(gradient, g.Multiply(g.Minus(x, mean), g.Multiply(g.Gradient(2), 2 / count)));
            }

            g.Give(0, gradient);
        }

        for (int i = 1; i <= 2; i++)
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

    /// <summary>Scale and shift by which x becomes the normalized value, the same forward and backward.</summary>
    internal static (float Scale, float Shift) Line(float gamma, float beta, float mean, float variance, float epsilon)
    {
        double scale = gamma / Math.Sqrt((double)variance + epsilon);
        return ((float)scale, (float)(beta - (mean * scale)));
    }

    /// <summary><see cref="Line"/> of every channel of <paramref name="gamma"/>.</summary>
    internal static void Lines(
        ReadOnlySpan<float> gamma,
        ReadOnlySpan<float> beta,
        ReadOnlySpan<float> mean,
        ReadOnlySpan<float> variance,
        float epsilon,
        Span<float> scales,
        Span<float> shifts)
    {
        for (int c = 0; c < gamma.Length; c++)
        {
            (scales[c], shifts[c]) = Line(gamma[c], beta[c], mean[c], variance[c], epsilon);
        }
    }

    /// <exception cref="OpRuleException">Neither an activation that is its own limit, nor none.</exception>
    internal static void RequireKnown(FusedActivation activation)
    {
        if (activation is not (FusedActivation.None or FusedActivation.Relu or FusedActivation.Relu6 or FusedActivation.ReluN1To1))
        {
            throw new OpRuleException("the activation cannot be a part of a batch normalization")
            {
                Found = $"{activation}",
                Expected = "none, relu, relu6 or relu_n1_to_1",
            };
        }
    }

    private static Kernel Prepare<TActivation>(KernelContext context, float epsilon)
        where TActivation : struct, IActivationMask
    {
        ChannelRows rows = ChannelRows.Of(context.Input(0).Shape);
        int channels = rows.Channels;
        int width = ChannelLanes.WidthOf(channels);
        Scratch sums = rows.ReserveSums(context, kinds: 2);
        Scratch lines = context.Reserve(2 * sizeof(float) * (long)width);
        Scratch wide = context.Reserve(2 * sizeof(double) * (long)width, perWorker: true);

        Action<int, int> add = (chunk, worker) =>
        {
            Span<double> totals = wide.Span<double>(worker);
            Span<double> chunkSums = sums.Span<double>().Slice(2 * chunk * channels, 2 * channels);
            Span<double> first = totals[..width];
            Span<double> second = totals.Slice(width, width);
            ChannelLanes.Moments(context.In<float>(0)[rows.Elements(chunk)], lines.Span<float>()[..width], first, second);
            ChannelLanes.Fold(first, chunkSums[..channels]);
            ChannelLanes.Fold(second, chunkSums[channels..]);
        };
        Action<int, int> apply = (chunk, _) =>
        {
            Span<float> line = lines.Span<float>();
            System.Range elements = rows.Elements(chunk);
            ChannelLanes.Apply<TActivation>(context.In<float>(0)[elements], line[..width], line.Slice(width, width), context.Out<float>(0)[elements]);
        };
        return () =>
        {
            // Differences to the first row: squares of values far from zero would cancel each other.
            Span<float> line = lines.Span<float>();
            Span<float> pivot = line[..width];
            context.In<float>(0)[..channels].CopyTo(pivot);
            ChannelLanes.Repeat(pivot, channels);
            context.Workers.Run(rows.Chunks, add);
            Span<double> moments = sums.Span<double>();
            rows.Collect(moments, kinds: 2);
            Span<float> shifts = line.Slice(width, width);
            for (int c = 0; c < channels; c++)
            {
                double offset = moments[c] / rows.Rows;
                float mean = (float)(pivot[c] + offset);
                float variance = (float)Math.Max(0, (moments[channels + c] / rows.Rows) - (offset * offset));
                context.Out<float>(1)[c] = mean;
                context.Out<float>(2)[c] = variance;
                (pivot[c], shifts[c]) = Line(context.In<float>(1)[c], context.In<float>(2)[c], mean, variance, epsilon);
            }

            ChannelLanes.Repeat(pivot, channels);
            ChannelLanes.Repeat(shifts, channels);
            context.Workers.Run(rows.Chunks, apply);
        };
    }
}
