using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>Sums of products of 8- and 16-bit integers; exact, hence the same on every path.</summary>
internal static class IntegerDot
{
    /// <summary>Products of 16 by 8 bits are below 2^22; so many pairs of them fit a 32-bit lane.</summary>
    private const int WideBlock = 256 * 16;

    /// <summary><c>sum a[i] * b[i]</c> over the shorter length, lower 32 bits.</summary>
    public static int Sum(ReadOnlySpan<sbyte> a, ReadOnlySpan<sbyte> b)
    {
        int length = Math.Min(a.Length, b.Length);
        int i = 0;
        int sum = 0;
        if (Avx2.IsSupported)
        {
            Vector256<int> lanes = Vector256<int>.Zero;
            ref sbyte pa = ref MemoryMarshal.GetReference(a);
            ref sbyte pb = ref MemoryMarshal.GetReference(b);
            for (; i <= length - 16; i += 16)
            {
                Vector256<short> wa = Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref pa, (nuint)i));
                Vector256<short> wb = Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref pb, (nuint)i));
                lanes += Avx2.MultiplyAddAdjacent(wa, wb);
            }

            sum = Vector256.Sum(lanes);
        }

        for (; i < length; i++)
        {
            sum = unchecked(sum + (a[i] * b[i]));
        }

        return sum;
    }

    /// <summary><c>sum a[i] * b[i]</c> over the shorter length.</summary>
    public static long Sum(ReadOnlySpan<sbyte> a, ReadOnlySpan<short> b)
    {
        int length = Math.Min(a.Length, b.Length);
        int i = 0;
        long sum = 0;
        if (Avx2.IsSupported)
        {
            ref sbyte pa = ref MemoryMarshal.GetReference(a);
            ref short pb = ref MemoryMarshal.GetReference(b);
            while (i <= length - 16)
            {
                Vector256<int> lanes = Vector256<int>.Zero;
                int end = Math.Min(length - 16, i + WideBlock - 16);
                for (; i <= end; i += 16)
                {
                    Vector256<short> wa = Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref pa, (nuint)i));
                    lanes += Avx2.MultiplyAddAdjacent(wa, Vector256.LoadUnsafe(ref pb, (nuint)i));
                }

                (Vector256<long> low, Vector256<long> high) = Vector256.Widen(lanes);
                sum += Vector256.Sum(low + high);
            }
        }

        for (; i < length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
