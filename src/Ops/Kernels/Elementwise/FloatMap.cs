using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Optc.Ops.Execution;

namespace Optc.Ops.Kernels;

/// <summary>Applies a function to every element of a float32 tensor.</summary>
/// <remarks>
/// The rest that fills no vector goes through the same vector code, so a result depends on its operand only, not on its
/// place in the tensor or on the number of threads.
/// </remarks>
internal static class FloatMap
{
    private const int Chunk = 16384;

    public static Kernel Prepare<TFunction>(KernelContext context)
        where TFunction : struct, IFloatFunction
    {
        int length = checked((int)context.Input(0).ElementCount);
        int chunks = (length + Chunk - 1) / Chunk;
        if (chunks <= 1)
        {
            return () => Apply<TFunction>(context.In<float>(0), context.Out<float>(0));
        }

        Action<int, int> body = (chunk, _) =>
        {
            int start = chunk * Chunk;
            int size = Math.Min(Chunk, length - start);
            Apply<TFunction>(context.In<float>(0).Slice(start, size), context.Out<float>(0).Slice(start, size));
        };
        return () => context.Workers.Run(chunks, body);
    }

    /// <exception cref="ArgumentException"><paramref name="y"/> is shorter than <paramref name="x"/>.</exception>
    public static void Apply<TFunction>(ReadOnlySpan<float> x, Span<float> y)
        where TFunction : struct, IFloatFunction
    {
        if (y.Length < x.Length)
        {
            throw new ArgumentException("The result is shorter than the input.", nameof(y));
        }

        ref float source = ref MemoryMarshal.GetReference(x);
        ref float target = ref MemoryMarshal.GetReference(y);
        int i = 0;
        for (; i <= x.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            TFunction.Invoke(Vector256.LoadUnsafe(ref source, (nuint)i)).StoreUnsafe(ref target, (nuint)i);
        }

        if (i < x.Length)
        {
            Span<float> rest = stackalloc float[Vector256<float>.Count];
            rest.Clear();
            x[i..].CopyTo(rest);
            TFunction.Invoke(Vector256.Create<float>(rest)).CopyTo(rest);
            rest[..(x.Length - i)].CopyTo(y[i..]);
        }
    }

    /// <summary>The function of a single number.</summary>
    public static float One<TFunction>(float x)
        where TFunction : struct, IFloatFunction => TFunction.Invoke(Vector256.Create(x)).ToScalar();
}
