using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>Copies matrices with rows and columns exchanged.</summary>
internal static unsafe class Transposition
{
    private const int Side = 8;

    /// <summary><c>to[c, r] = from[r, c]</c>.</summary>
    /// <param name="fromStride">Elements from a row of the source to the next.</param>
    /// <param name="toStride">Elements from a row of the result, a column of the source, to the next.</param>
    public static void Copy(float* from, nint fromStride, float* to, nint toStride, int rows, int columns)
    {
        int wholeRows = Avx.IsSupported ? rows / Side * Side : 0;
        int wholeColumns = columns / Side * Side;
        for (int row = 0; row < wholeRows; row += Side)
        {
            float* source = from + (row * fromStride);
            for (int column = 0; column < wholeColumns; column += Side)
            {
                Square(source + column, fromStride, to + (column * toStride) + row, toStride);
            }

            Single(source + wholeColumns, fromStride, to + (wholeColumns * toStride) + row, toStride, Side, columns - wholeColumns);
        }

        Single(from + (wholeRows * fromStride), fromStride, to + wholeRows, toStride, rows - wholeRows, columns);
    }

    private static void Single(float* from, nint fromStride, float* to, nint toStride, int rows, int columns)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                to[column * toStride] = from[column];
            }

            from += fromStride;
            to++;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Square(float* from, nint fromStride, float* to, nint toStride)
    {
        Vector256<float> r0 = Vector256.Load(from);
        Vector256<float> r1 = Vector256.Load(from + fromStride);
        Vector256<float> r2 = Vector256.Load(from + (2 * fromStride));
        Vector256<float> r3 = Vector256.Load(from + (3 * fromStride));
        from += 4 * fromStride;
        Vector256<float> r4 = Vector256.Load(from);
        Vector256<float> r5 = Vector256.Load(from + fromStride);
        Vector256<float> r6 = Vector256.Load(from + (2 * fromStride));
        Vector256<float> r7 = Vector256.Load(from + (3 * fromStride));

        // Pairs of rows, then quadruples, then halves.
        (r0, r1) = (Avx.UnpackLow(r0, r1), Avx.UnpackHigh(r0, r1));
        (r2, r3) = (Avx.UnpackLow(r2, r3), Avx.UnpackHigh(r2, r3));
        (r4, r5) = (Avx.UnpackLow(r4, r5), Avx.UnpackHigh(r4, r5));
        (r6, r7) = (Avx.UnpackLow(r6, r7), Avx.UnpackHigh(r6, r7));
        (r0, r2) = (Avx.Shuffle(r0, r2, 0x44), Avx.Shuffle(r0, r2, 0xEE));
        (r1, r3) = (Avx.Shuffle(r1, r3, 0x44), Avx.Shuffle(r1, r3, 0xEE));
        (r4, r6) = (Avx.Shuffle(r4, r6, 0x44), Avx.Shuffle(r4, r6, 0xEE));
        (r5, r7) = (Avx.Shuffle(r5, r7, 0x44), Avx.Shuffle(r5, r7, 0xEE));

        Avx.Permute2x128(r0, r4, 0x20).Store(to);
        Avx.Permute2x128(r2, r6, 0x20).Store(to + toStride);
        Avx.Permute2x128(r1, r5, 0x20).Store(to + (2 * toStride));
        Avx.Permute2x128(r3, r7, 0x20).Store(to + (3 * toStride));
        to += 4 * toStride;
        Avx.Permute2x128(r0, r4, 0x31).Store(to);
        Avx.Permute2x128(r2, r6, 0x31).Store(to + toStride);
        Avx.Permute2x128(r1, r5, 0x31).Store(to + (2 * toStride));
        Avx.Permute2x128(r3, r7, 0x31).Store(to + (3 * toStride));
    }
}
