using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;

namespace Optc.Ops;

/// <summary>Gradient of <see cref="LearnedFakeQuant"/> with regard to its input and the logarithm of its step.</summary>
/// <param name="Low">As there.</param>
/// <param name="High">As there.</param>
/// <remarks>
/// <para>Shape: <c>dy [any], x [as dy], log_scale [], zero [] -> dx [as dy], dlog_scale [as log_scale]</c>.</para>
/// <para>Types: f32. <c>dx = dy</c> where x lies inside of the grid, else 0;
/// <c>dlog_scale = sum dy (y - x [x inside]) / sqrt(count high - count low)</c>, summed in chunks of a fixed size, in double precision
/// between them.</para>
/// <para>Source: Esser et al., "Learned step size quantization", 2020, equations 3 and section 2.2; times the step, since its logarithm is trained.</para>
/// </remarks>
public sealed record LearnedFakeQuantGradient(int Low, int High) : IOp<LearnedFakeQuantGradient>, IExecutable
{
    public static OpSchema Declaration { get; } = new("learned_fake_quant_gradient", ["dy", "x", "log_scale", "zero"], ["dx", "dlog_scale"])
    {
        Kernels = KernelTypes.F32,
    };

    public static LearnedFakeQuantGradient Parse(AttributeReader attributes) => new(attributes.Int("low"), attributes.Int("high"));

    public void Describe(AttributeWriter attributes) => attributes.Add("low", Low).Add("high", High);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        LearnedFakeQuant.RequireRange(Low, High);
        Shape dy = operands.Require(0, DType.F32).Shape;
        Shape x = operands.Require(1, DType.F32).Shape;
        LearnedFakeQuant.RequireScalar(operands, 2);
        LearnedFakeQuant.RequireScalar(operands, 3);
        return [new(DType.F32, Dimensions.Agree(dy, x, "a gradient and its value")), operands[2] with { Quant = null }];
    }

    public Kernel Prepare(KernelContext context)
    {
        int length = checked((int)context.Input(0).ElementCount);
        int chunks = (length + LearnedFakeQuant.Chunk - 1) / LearnedFakeQuant.Chunk;
        Scratch sums = context.Reserve(sizeof(double) * (long)Math.Max(1, chunks));
        LearnedFakeQuant forward = new(Low, High);
        Action<int, int> body = (chunk, _) =>
        {
            (float scale, float low, float high) = forward.Grid(context.In<float>(2)[0], context.In<float>(3)[0]);
            int start = chunk * LearnedFakeQuant.Chunk;
            int count = Math.Min(LearnedFakeQuant.Chunk, length - start);
            sums.Span<double>()[chunk] = Apply(
                context.In<float>(0).Slice(start, count), context.In<float>(1).Slice(start, count), context.Out<float>(0).Slice(start, count), scale, low, high);
        };
        float share = Share(length, Low, High);
        return () =>
        {
            context.Workers.Run(chunks, body);
            double sum = 0;
            foreach (double part in sums.Span<double>()[..chunks])
            {
                sum += part;
            }

            context.Out<float>(1)[0] = (float)(sum * share);
        };
    }

    /// <summary>The factor of the step's gradient for a tensor of some length.</summary>
    internal static float Share(long length, int low, int high) => (float)(1 / Math.Sqrt((double)Math.Max(1, length) * (high - low)));

    /// <summary><c>y - x [x inside]</c>, the slope of y along the logarithm of the step.</summary>
    internal static void Slopes(ReadOnlySpan<float> x, Span<float> slopes, float scale, float low, float high)
    {
        float inverse = 1 / scale;
        slopes = slopes[..x.Length];
        (Vector256<float> s, Vector256<float> inv, Vector256<float> l, Vector256<float> h) =
            (Vector256.Create(scale), Vector256.Create(inverse), Vector256.Create(low), Vector256.Create(high));
        ref float source = ref MemoryMarshal.GetReference(x);
        ref float target = ref MemoryMarshal.GetReference(slopes);
        int at = 0;
        for (; at <= x.Length - 8; at += 8)
        {
            Vector256<float> value = Vector256.LoadUnsafe(ref source, (nuint)at);
            Vector256<float> steps = Vector256.Round(value * inv);
            Vector256<float> kept = Vector256.Min(Vector256.Max(steps, l), h);
            ((kept * s) - (value & Vector256.Equals(steps, kept))).StoreUnsafe(ref target, (nuint)at);
        }

        for (; at < x.Length; at++)
        {
            float steps = MathF.Round(x[at] * inverse);
            float kept = MathF.Min(MathF.Max(steps, low), high);
            slopes[at] = (kept * scale) - (steps == kept ? x[at] : 0);
        }
    }

    /// <summary>Gradient of the input, into other memory or that of <paramref name="dy"/>.</summary>
    /// <returns>Sum of dy times the slopes.</returns>
    internal static double Apply(ReadOnlySpan<float> dy, ReadOnlySpan<float> x, Span<float> dx, float scale, float low, float high)
    {
        double sum = 0;
        for (int start = 0; start < x.Length; start += LearnedFakeQuant.Chunk)
        {
            int count = Math.Min(LearnedFakeQuant.Chunk, x.Length - start);
            sum += ApplyChunk(dy.Slice(start, count), x.Slice(start, count), dx.Slice(start, count), scale, low, high);
        }

        return sum;
    }

    private static double ApplyChunk(ReadOnlySpan<float> dy, ReadOnlySpan<float> x, Span<float> dx, float scale, float low, float high)
    {
        float inverse = 1 / scale;
        (Vector256<float> s, Vector256<float> inv, Vector256<float> l, Vector256<float> h) =
            (Vector256.Create(scale), Vector256.Create(inverse), Vector256.Create(low), Vector256.Create(high));
        ref float gradient = ref MemoryMarshal.GetReference(dy);
        ref float source = ref MemoryMarshal.GetReference(x);
        ref float target = ref MemoryMarshal.GetReference(dx);
        Vector256<float> total = Vector256<float>.Zero;
        int at = 0;
        for (; at <= x.Length - 8; at += 8)
        {
            Vector256<float> value = Vector256.LoadUnsafe(ref source, (nuint)at);
            Vector256<float> g = Vector256.LoadUnsafe(ref gradient, (nuint)at);
            Vector256<float> steps = Vector256.Round(value * inv);
            Vector256<float> kept = Vector256.Min(Vector256.Max(steps, l), h);
            Vector256<float> inside = Vector256.Equals(steps, kept);
            (g & inside).StoreUnsafe(ref target, (nuint)at);
            total += g * ((kept * s) - (value & inside));
        }

        double sum = Vector256.Sum(total);
        for (; at < x.Length; at++)
        {
            float steps = MathF.Round(x[at] * inverse);
            float kept = MathF.Min(MathF.Max(steps, low), high);
            sum += dy[at] * ((kept * scale) - (steps == kept ? x[at] : 0));
            dx[at] = steps == kept ? dy[at] : 0;
        }

        return sum;
    }
}
