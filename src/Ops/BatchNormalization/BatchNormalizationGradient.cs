using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;

namespace Optc.Ops;

/// <summary>Gradient of <see cref="BatchNormalization"/> with regard to its operands.</summary>
/// <param name="Epsilon">As in the forward op.</param>
/// <remarks>
/// <para>Shape: <c>dy [.., C], x [.., C], gamma [C], mean [C], variance [C] -> dx [.., C], dgamma [C], dbeta [C]</c>.</para>
/// <para>Types: f32. With n elements in a channel, <c>i = 1 / sqrt(variance + epsilon)</c>, <c>s1 = sum dy</c> and
/// <c>s2 = sum dy (x - mean) i</c>: <c>dbeta = s1</c>, <c>dgamma = s2</c>, and dx is linear in dy and x,
/// <c>dx = A dy + B x + C</c> with <c>A = gamma i</c>, <c>B = -A i s2 / n</c>, <c>C = -A s1 / n - B mean</c>. Sums in
/// double precision, in the chunks of the forward op.</para>
/// <para>Source: Ioffe and Szegedy, Batch Normalization, 2015, section 3, terms collected for each channel.</para>
/// </remarks>
public sealed record BatchNormalizationGradient(float Epsilon) : IOp<BatchNormalizationGradient>, IExecutable
{
    public static OpSchema Declaration { get; } = new(
        "batch_normalization_gradient", ["dy", "x", "gamma", "mean", "variance"], ["dx", "dgamma", "dbeta"])
    {
        Kernels = KernelTypes.F32,
    };

    public static BatchNormalizationGradient Parse(AttributeReader attributes) => new(attributes.Float("epsilon"));

    public void Describe(AttributeWriter attributes) => attributes.Add("epsilon", Epsilon);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        Shape x = Dimensions.Agree(operands.Require(0, DType.F32).Shape, operands.Require(1, DType.F32).Shape, "a gradient and its value");
        TensorType channels = new(DType.F32, Shape.Create([ChannelRows.Infer(operands, 1, 2, 3, 4)]));
        return [new(DType.F32, x), channels, channels];
    }

    public Kernel Prepare(KernelContext context)
    {
        ChannelRows rows = ChannelRows.Of(context.Input(0).Shape);
        int channels = rows.Channels;
        Scratch sums = rows.ReserveSums(context, kinds: 2);
        Scratch lines = context.Reserve(3 * sizeof(float) * (long)channels);
        float epsilon = Epsilon;

        Action<int, int> add = (chunk, _) =>
        {
            System.Range elements = rows.Elements(chunk);
            AddProducts(
                context.In<float>(0)[elements],
                context.In<float>(1)[elements],
                context.In<float>(3),
                sums.Span<double>().Slice(2 * chunk * channels, 2 * channels));
        };
        Action<int, int> apply = (chunk, _) =>
        {
            System.Range elements = rows.Elements(chunk);
            Apply(context.In<float>(0)[elements], context.In<float>(1)[elements], lines.Span<float>(), channels, context.Out<float>(0)[elements]);
        };
        return () =>
        {
            context.Workers.Run(rows.Chunks, add);
            Span<double> products = sums.Span<double>();
            rows.Collect(products, kinds: 2);
            Span<float> line = lines.Span<float>();
            for (int c = 0; c < channels; c++)
            {
                double mean = context.In<float>(3)[c];
                double inverse = 1 / Math.Sqrt((double)context.In<float>(4)[c] + epsilon);
                double sum = products[c];
                double along = products[channels + c] * inverse;
                double slope = context.In<float>(2)[c] * inverse;
                double ofX = -slope * inverse * along / rows.Rows;
                line[c] = (float)slope;
                line[channels + c] = (float)ofX;
                line[(2 * channels) + c] = (float)((-slope * sum / rows.Rows) - (ofX * mean));
                context.Out<float>(1)[c] = (float)along;
                context.Out<float>(2)[c] = (float)sum;
            }

            context.Workers.Run(rows.Chunks, apply);
        };
    }

    /// <summary>Sums of dy and of dy (x - mean) for each channel.</summary>
    private static void AddProducts(ReadOnlySpan<float> dy, ReadOnlySpan<float> x, ReadOnlySpan<float> mean, Span<double> products)
    {
        int channels = products.Length / 2;
        ref double sums = ref MemoryMarshal.GetReference(products);
        ref double alongs = ref MemoryMarshal.GetReference(products[channels..]);
        ref float gradient = ref MemoryMarshal.GetReference(dy);
        ref float source = ref MemoryMarshal.GetReference(x);
        ref float centre = ref MemoryMarshal.GetReference(mean);
        int c = 0;
        for (; c <= channels - Vector256<float>.Count; c += Vector256<float>.Count)
        {
            Vector256<double> lowSum = Vector256<double>.Zero;
            Vector256<double> highSum = Vector256<double>.Zero;
            Vector256<double> lowAlong = Vector256<double>.Zero;
            Vector256<double> highAlong = Vector256<double>.Zero;
            (Vector256<double> lowMean, Vector256<double> highMean) = Vector256.Widen(Load(ref centre, c));
            for (int at = c; at < x.Length; at += channels)
            {
                (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Load(ref gradient, at));
                (Vector256<double> lowX, Vector256<double> highX) = Vector256.Widen(Load(ref source, at));
                lowSum += low;
                highSum += high;
                lowAlong += low * (lowX - lowMean);
                highAlong += high * (highX - highMean);
            }

            lowSum.StoreUnsafe(ref sums, (nuint)c);
            highSum.StoreUnsafe(ref sums, (nuint)(c + Vector256<double>.Count));
            lowAlong.StoreUnsafe(ref alongs, (nuint)c);
            highAlong.StoreUnsafe(ref alongs, (nuint)(c + Vector256<double>.Count));
        }

        for (; c < channels; c++)
        {
            (double sum, double along) = (0, 0);
            for (int at = c; at < x.Length; at += channels)
            {
                double value = dy[at];
                sum += value;
                along += value * ((double)x[at] - mean[c]);
            }

            (products[c], products[channels + c]) = (sum, along);
        }
    }

    private static void Apply(ReadOnlySpan<float> dy, ReadOnlySpan<float> x, ReadOnlySpan<float> lines, int channels, Span<float> dx)
    {
        ref float ofGradient = ref MemoryMarshal.GetReference(lines);
        ref float ofX = ref MemoryMarshal.GetReference(lines[channels..]);
        ref float constant = ref MemoryMarshal.GetReference(lines[(2 * channels)..]);
        ref float gradient = ref MemoryMarshal.GetReference(dy);
        ref float source = ref MemoryMarshal.GetReference(x);
        ref float target = ref MemoryMarshal.GetReference(dx);
        for (int row = 0; row < x.Length; row += channels)
        {
            int c = 0;
            for (; c <= channels - Vector256<float>.Count; c += Vector256<float>.Count)
            {
                Vector256<float> ofRow = (Load(ref ofX, c) * Load(ref source, row + c)) + Load(ref constant, c);
                ((Load(ref ofGradient, c) * Load(ref gradient, row + c)) + ofRow).StoreUnsafe(ref target, (nuint)(row + c));
            }

            for (; c < channels; c++)
            {
                dx[row + c] = (lines[c] * dy[row + c]) + ((lines[channels + c] * x[row + c]) + lines[(2 * channels) + c]);
            }
        }
    }

    private static Vector256<float> Load(ref float source, int index) => Vector256.LoadUnsafe(ref source, (nuint)index);
}
