using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Sets elements to 0 at random and scales the others so that the expected sum stays.</summary>
/// <param name="Rate">Probability of 0; from 0 to below 1.</param>
/// <param name="Stream">Tells layers apart that share a seed; not negative.</param>
/// <remarks>
/// <para>Shape: <c>x [any], seed [1 element] -> y [as x]</c>.</para>
/// <para>Types: x and y f32, seed i32 or i64. Whether element i is kept follows from seed, stream and i alone: word
/// <c>i mod 4</c> of Philox4x32-10 with key seed and counter <c>(i / 4, stream)</c>, kept where it is not below
/// <c>Rate * 2^32</c>. So the choice does not depend on threads, and the op is its own adjoint: the same choice is made
/// again for the gradient, and no mask is stored.</para>
/// <para>Source: Srivastava et al., Dropout, JMLR 15 (2014), in the form that scales while training.</para>
/// </remarks>
public sealed record Dropout(float Rate, int Stream = 0) : IOp<Dropout>, IExecutable, IDifferentiable
{
    private const int ElementsPerChunk = 16384;

    public static OpSchema Declaration { get; } = new("dropout", ["x", "seed"], ["y"]) { Kernels = KernelTypes.F32 };

    public static Dropout Parse(AttributeReader attributes) => new(attributes.Float("rate"), attributes.Int("stream"));

    public void Describe(AttributeWriter attributes) => attributes.Add("rate", Rate).Add("stream", Stream);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.Require(0, DType.F32);
        Shape seed = operands.Require(1, DType.I32, DType.I64).Shape;
        if (!(Rate is >= 0 and < 1) || Stream < 0)
        {
            throw new OpRuleException("rate or stream of a dropout is out of range")
            {
                Found = $"rate {Rate:R}, stream {Stream}",
                Expected = "a rate from 0 to below 1, a stream from 0",
            };
        }

        return seed.Dims.Any(d => d is not (1 or -1))
            ? throw new OpRuleException("a seed is one number") { Found = seed.ToString() }
            : [x with { Quant = null }];
    }

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Add(this, g.Gradient(), g.Input(1)));

    public Kernel Prepare(KernelContext context)
    {
        int length = checked((int)context.Input(0).ElementCount);
        IndexReader read = IndexReader.For(context.Input(1).DType);
        ulong limit = (ulong)Math.Round(Rate * 4294967296.0);
        float scale = 1 / (1 - Rate);
        ulong stream = (ulong)Stream;
        Action<int, int> body = (chunk, _) =>
        {
            int start = chunk * ElementsPerChunk;
            int size = Math.Min(ElementsPerChunk, length - start);
            ulong key = unchecked((ulong)read.At(context.InputBytes(1), 0));
            Choose(context.In<float>(0).Slice(start, size), context.Out<float>(0).Slice(start, size), (ulong)start / Philox.Words, stream, key, limit, scale);
        };
        int chunks = (length + ElementsPerChunk - 1) / ElementsPerChunk;
        return () => context.Workers.Run(chunks, body);
    }

    private static void Choose(ReadOnlySpan<float> x, Span<float> y, ulong counter, ulong stream, ulong key, ulong limit, float scale)
    {
        // At most 2^32 - 1, as the rate is a float below 1.
        uint smallest = (uint)limit;
        int whole = x.Length - (x.Length % Philox.Words);
        for (int i = 0; i < whole; i += Philox.Words, counter++)
        {
            (uint w0, uint w1, uint w2, uint w3) = Philox.Next(counter, stream, key);
            ReadOnlySpan<float> values = x.Slice(i, Philox.Words);
            Vector128<uint> words = Vector128.Create(w0, w1, w2, w3);
            Vector128<float> kept = Vector128.GreaterThanOrEqual(words, Vector128.Create(smallest)).AsSingle();
            ((Vector128.Create(values) * Vector128.Create(scale)) & kept).CopyTo(y[i..]);
        }

        if (whole < x.Length)
        {
            (uint w0, uint w1, uint w2, uint w3) = Philox.Next(counter, stream, key);
            ReadOnlySpan<uint> words = [w0, w1, w2, w3];
            for (int i = whole; i < x.Length; i++)
            {
                y[i] = words[i - whole] >= smallest ? x[i] * scale : 0;
            }
        }
    }
}
