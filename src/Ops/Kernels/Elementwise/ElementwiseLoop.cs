using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary>Loops of binary operators over broadcast operands: eight or more results at a time where the inner run allows.</summary>
/// <remarks>
/// The end of a run is computed once more from where it still fills a vector, so results must not overlap operands.
/// </remarks>
internal static class ElementwiseLoop
{
    /// <summary>Computes <c>y = op(a, b)</c> on numbers that mean themselves.</summary>
    /// <param name="a">First operand in its own shape, as the plan has it.</param>
    /// <param name="b">Second operand in its own shape.</param>
    /// <param name="y">Result, at least as long as the plan's.</param>
    public static void Run<T, TElement>(BroadcastPlan plan, ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y, TElement op)
        where T : unmanaged
        where TElement : struct, IPlainElement<T>
    {
        foreach (BroadcastRun run in plan)
        {
            PlainRow(
                a.Slice(run.First, run.FirstStep == 0 ? 1 : run.Length),
                b.Slice(run.Second, run.SecondStep == 0 ? 1 : run.Length),
                y.Slice(run.Output, run.Length),
                op);
        }
    }

    /// <summary>Computes <c>y = op(a, b)</c> on raw integers of 8 or 16 bits.</summary>
    /// <inheritdoc cref="Run{T, TElement}" path="/param"/>
    public static void RunQuantized<T, TElement>(BroadcastPlan plan, ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y, TElement op)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>
        where TElement : struct, IQuantizedElement
    {
        foreach (BroadcastRun run in plan)
        {
            QuantizedRow(
                a.Slice(run.First, run.FirstStep == 0 ? 1 : run.Length),
                b.Slice(run.Second, run.SecondStep == 0 ? 1 : run.Length),
                y.Slice(run.Output, run.Length),
                op);
        }
    }

    // An operand of one element repeats.
    private static void PlainRow<T, TElement>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y, TElement op)
        where T : unmanaged
        where TElement : struct, IPlainElement<T>
    {
        bool repeatsFirst = a.Length == 1;
        bool repeatsSecond = b.Length == 1;
        if (!Vector256.IsHardwareAccelerated || y.Length < Vector256<T>.Count)
        {
            for (int i = 0; i < y.Length; i++)
            {
                y[i] = op.Invoke(a[repeatsFirst ? 0 : i], b[repeatsSecond ? 0 : i]);
            }

            return;
        }

        ref T left = ref MemoryMarshal.GetReference(a);
        ref T right = ref MemoryMarshal.GetReference(b);
        ref T target = ref MemoryMarshal.GetReference(y);
        Vector256<T> first = Vector256.Create(left);
        Vector256<T> second = Vector256.Create(right);
        nuint last = (nuint)(y.Length - Vector256<T>.Count);
        for (nuint i = 0; ; i = nuint.Min(i + (nuint)Vector256<T>.Count, last))
        {
            first = repeatsFirst ? first : Vector256.LoadUnsafe(ref left, i);
            second = repeatsSecond ? second : Vector256.LoadUnsafe(ref right, i);
            op.Invoke(first, second).StoreUnsafe(ref target, i);
            if (i == last)
            {
                return;
            }
        }
    }

    private static void QuantizedRow<T, TElement>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> y, TElement op)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>
        where TElement : struct, IQuantizedElement
    {
        bool repeatsFirst = a.Length == 1;
        bool repeatsSecond = b.Length == 1;
        if (!Avx2.IsSupported || y.Length < IntegerLanes.Count)
        {
            for (int i = 0; i < y.Length; i++)
            {
                int raw = op.Invoke(
                    int.CreateTruncating(a[repeatsFirst ? 0 : i]), int.CreateTruncating(b[repeatsSecond ? 0 : i]));
                y[i] = T.CreateTruncating(raw);
            }

            return;
        }

        ref T left = ref MemoryMarshal.GetReference(a);
        ref T right = ref MemoryMarshal.GetReference(b);
        ref T target = ref MemoryMarshal.GetReference(y);
        Vector256<int> first = Vector256.Create(int.CreateTruncating(left));
        Vector256<int> second = Vector256.Create(int.CreateTruncating(right));
        nuint last = (nuint)(y.Length - IntegerLanes.Count);
        for (nuint i = 0; ; i = nuint.Min(i + IntegerLanes.Count, last))
        {
            first = repeatsFirst ? first : IntegerLanes.Load(ref left, i);
            second = repeatsSecond ? second : IntegerLanes.Load(ref right, i);
            IntegerLanes.Store(op.Invoke(first, second), ref target, i);
            if (i == last)
            {
                return;
            }
        }
    }
}
