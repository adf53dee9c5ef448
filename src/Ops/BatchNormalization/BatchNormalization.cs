using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;

namespace Optc.Ops;

/// <summary>
/// Batch normalization in training: every channel is brought to mean 0 and variance 1 over the batch, then scaled and
/// shifted: <c>y = gamma (x - mean) / sqrt(variance + epsilon) + beta</c>.
/// </summary>
/// <param name="Epsilon">Added to the variance; positive.</param>
/// <remarks>
/// <para>Shape: <c>x [.., C], gamma [C], beta [C] -> y [.., C], mean [C], variance [C]</c>.</para>
/// <para>Types: f32. Mean and variance are over all axes but the last; the variance is the biased one. Sums are made in
/// double precision in chunks that depend on the shape only, so that results do not depend on the number of threads; y is
/// computed as <c>x * scale + shift</c>.</para>
/// <para>Source: Ioffe and Szegedy, Batch Normalization, 2015, algorithm 1. <see cref="Inference"/> is algorithm 2.</para>
/// </remarks>
public sealed partial record BatchNormalization(float Epsilon = 1e-3f) : IOp<BatchNormalization>, IExecutable, IDifferentiable
{
    public static OpSchema Declaration { get; } = new("batch_normalization", ["x", "gamma", "beta"], ["y", "mean", "variance"])
    {
        Kernels = KernelTypes.F32,
    };

    public static BatchNormalization Parse(AttributeReader attributes) => new(attributes.Float("epsilon"));

    public void Describe(AttributeWriter attributes) => attributes.Add("epsilon", Epsilon);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        if (!(Epsilon > 0) || !float.IsFinite(Epsilon))
        {
            throw new OpRuleException("a variance needs something positive beside it") { Found = $"{Epsilon:R}" };
        }

        TensorType channels = new(DType.F32, Shape.Create([ChannelRows.Infer(operands, 0, 1, 2)]));
        return [operands[0] with { Quant = null }, channels, channels];
    }

    public void Differentiate(GradientBuilder g)
    {
        (Value x, Value mean) = (g.Input(0), g.Output(1));
        Node adjoint = g.AddNode(new BatchNormalizationGradient(Epsilon), g.Gradient(), x, g.Input(1), mean, g.Output(2));
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

    public Kernel Prepare(KernelContext context)
    {
        ChannelRows rows = ChannelRows.Of(context.Input(0).Shape);
        int channels = rows.Channels;
        Scratch sums = rows.ReserveSums(context, kinds: 2);
        Scratch lines = context.Reserve(2 * sizeof(float) * (long)channels);
        float epsilon = Epsilon;

        Action<int, int> add = (chunk, _) => AddMoments(
            context.In<float>(0)[rows.Elements(chunk)], sums.Span<double>().Slice(2 * chunk * channels, 2 * channels));
        Action<int, int> apply = (chunk, _) =>
        {
            Span<float> line = lines.Span<float>();
            System.Range elements = rows.Elements(chunk);
            Apply(context.In<float>(0)[elements], line[..channels], line.Slice(channels, channels), context.Out<float>(0)[elements]);
        };
        return () =>
        {
            context.Workers.Run(rows.Chunks, add);
            Span<double> moments = sums.Span<double>();
            rows.Collect(moments, kinds: 2);
            ReadOnlySpan<float> gamma = context.In<float>(1);
            ReadOnlySpan<float> beta = context.In<float>(2);
            Span<float> line = lines.Span<float>();
            for (int c = 0; c < channels; c++)
            {
                double mean = moments[c] / rows.Rows;
                double variance = Math.Max(0, (moments[channels + c] / rows.Rows) - (mean * mean));
                double scale = gamma[c] / Math.Sqrt(variance + epsilon);
                context.Out<float>(1)[c] = (float)mean;
                context.Out<float>(2)[c] = (float)variance;
                line[c] = (float)scale;
                line[channels + c] = (float)(beta[c] - (mean * scale));
            }

            context.Workers.Run(rows.Chunks, apply);
        };
    }

    /// <summary>Sums of x and of its square for each channel.</summary>
    private static void AddMoments(ReadOnlySpan<float> x, Span<double> moments)
    {
        int channels = moments.Length / 2;
        ref double sums = ref MemoryMarshal.GetReference(moments);
        ref double squares = ref MemoryMarshal.GetReference(moments[channels..]);
        ref float source = ref MemoryMarshal.GetReference(x);
        int c = 0;
        for (; c <= channels - Vector256<float>.Count; c += Vector256<float>.Count)
        {
            Vector256<double> lowSum = Vector256<double>.Zero;
            Vector256<double> highSum = Vector256<double>.Zero;
            Vector256<double> lowSquare = Vector256<double>.Zero;
            Vector256<double> highSquare = Vector256<double>.Zero;
            for (int at = c; at < x.Length; at += channels)
            {
                (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.LoadUnsafe(ref source, (nuint)at));
                lowSum += low;
                highSum += high;
                lowSquare += low * low;
                highSquare += high * high;
            }

            lowSum.StoreUnsafe(ref sums, (nuint)c);
            highSum.StoreUnsafe(ref sums, (nuint)(c + Vector256<double>.Count));
            lowSquare.StoreUnsafe(ref squares, (nuint)c);
            highSquare.StoreUnsafe(ref squares, (nuint)(c + Vector256<double>.Count));
        }

        for (; c < channels; c++)
        {
            (double sum, double square) = (0, 0);
            for (int at = c; at < x.Length; at += channels)
            {
                double value = x[at];
                sum += value;
                square += value * value;
            }

            (moments[c], moments[channels + c]) = (sum, square);
        }
    }

    private static void Apply(ReadOnlySpan<float> x, ReadOnlySpan<float> scale, ReadOnlySpan<float> shift, Span<float> y)
    {
        for (int row = 0; row < x.Length; row += scale.Length)
        {
            System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(x.Slice(row, scale.Length), scale, shift, y.Slice(row, scale.Length));
        }
    }
}
