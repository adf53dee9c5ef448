using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels;

/// <summary>Reduces the rows of a matrix <c>[R, C]</c> to one row; each column in the order of the rows.</summary>
internal static class FloatColumns
{
    private const int Lanes = 8;

    /// <param name="values">R rows of as many elements as <paramref name="sums"/>.</param>
    /// <param name="sums">C running results, C at least 8.</param>
    public static void Add<TReducer>(ReadOnlySpan<float> values, Span<float> sums, TReducer reducer)
        where TReducer : struct, IFloatReducer
    {
        int columns = sums.Length;
        int rows = values.Length / columns;
        ref float source = ref MemoryMarshal.GetReference(values);
        ref float target = ref MemoryMarshal.GetReference(sums);
        int c = 0;
        for (; c <= columns - (4 * Lanes); c += 4 * Lanes)
        {
            Vector256<float> a = Vector256.LoadUnsafe(ref target, (nuint)c);
            Vector256<float> b = Vector256.LoadUnsafe(ref target, (nuint)(c + Lanes));
            Vector256<float> d = Vector256.LoadUnsafe(ref target, (nuint)(c + (2 * Lanes)));
            Vector256<float> e = Vector256.LoadUnsafe(ref target, (nuint)(c + (3 * Lanes)));
            nuint at = (nuint)c;
            for (int row = 0; row < rows; row++, at += (nuint)columns)
            {
                a = reducer.Add(a, Vector256.LoadUnsafe(ref source, at));
                b = reducer.Add(b, Vector256.LoadUnsafe(ref source, at + Lanes));
                d = reducer.Add(d, Vector256.LoadUnsafe(ref source, at + (2 * Lanes)));
                e = reducer.Add(e, Vector256.LoadUnsafe(ref source, at + (3 * Lanes)));
            }

            a.StoreUnsafe(ref target, (nuint)c);
            b.StoreUnsafe(ref target, (nuint)(c + Lanes));
            d.StoreUnsafe(ref target, (nuint)(c + (2 * Lanes)));
            e.StoreUnsafe(ref target, (nuint)(c + (3 * Lanes)));
        }

        for (; c <= columns - Lanes; c += Lanes)
        {
            Vector256<float> a = Vector256.LoadUnsafe(ref target, (nuint)c);
            nuint at = (nuint)c;
            for (int row = 0; row < rows; row++, at += (nuint)columns)
            {
                a = reducer.Add(a, Vector256.LoadUnsafe(ref source, at));
            }

            a.StoreUnsafe(ref target, (nuint)c);
        }

        for (; c < columns; c++)
        {
            float sum = sums[c];
            for (int at = c; at < values.Length; at += columns)
            {
                sum = reducer.Add(sum, values[at]);
            }

            sums[c] = sum;
        }
    }
}
