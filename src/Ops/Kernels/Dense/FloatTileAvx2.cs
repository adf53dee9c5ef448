using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>Up to 6 x 16 outputs: 12 accumulators, two registers of B and one broadcast fill the 16 registers.</summary>
internal static unsafe class FloatTileAvx2
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows>(FloatTileJob* job)
        where TRows : struct, ITileSize
    {
        Vector256<float> c00 = default;
        Vector256<float> c01 = default;
        Vector256<float> c10 = default;
        Vector256<float> c11 = default;
        Vector256<float> c20 = default;
        Vector256<float> c21 = default;
        Vector256<float> c30 = default;
        Vector256<float> c31 = default;
        Vector256<float> c40 = default;
        Vector256<float> c41 = default;
        Vector256<float> c50 = default;
        Vector256<float> c51 = default;
        if (job->Accumulate)
        {
            float* start = job->C;
            c00 = Avx.LoadVector256(start);
            c01 = Avx.LoadVector256(start + 8);

            if (TRows.Count > 1)
            {
                start += job->CStride;
                c10 = Avx.LoadVector256(start);
                c11 = Avx.LoadVector256(start + 8);
            }

            if (TRows.Count > 2)
            {
                start += job->CStride;
                c20 = Avx.LoadVector256(start);
                c21 = Avx.LoadVector256(start + 8);
            }

            if (TRows.Count > 3)
            {
                start += job->CStride;
                c30 = Avx.LoadVector256(start);
                c31 = Avx.LoadVector256(start + 8);
            }

            if (TRows.Count > 4)
            {
                start += job->CStride;
                c40 = Avx.LoadVector256(start);
                c41 = Avx.LoadVector256(start + 8);
            }

            if (TRows.Count > 5)
            {
                start += job->CStride;
                c50 = Avx.LoadVector256(start);
                c51 = Avx.LoadVector256(start + 8);
            }
        }

        float* b = job->B;
        nint step = job->KStride;
        nint* rows = job->RowOffsets;
        float* a = (float*)((byte*)job->A + rows[0]);
        nint r1 = TRows.Count > 1 ? rows[1] - rows[0] : 0;
        nint r2 = TRows.Count > 2 ? rows[2] - rows[0] : 0;
        nint r3 = TRows.Count > 3 ? rows[3] - rows[0] : 0;
        nint r4 = TRows.Count > 4 ? rows[4] - rows[0] : 0;
        nint r5 = TRows.Count > 5 ? rows[5] - rows[0] : 0;
        nint* segment = job->SegmentOffsets;
        nint* end = segment + job->Segments;
        int length = job->SegmentLength;
        for (; segment < end; segment++)
        {
            byte* p = (byte*)a + *segment;
            for (int k = length; k > 0; k--)
            {
                Vector256<float> b0 = Avx.LoadVector256(b);
                Vector256<float> b1 = Avx.LoadVector256(b + 8);
                Vector256<float> x = Vector256.Create(*(float*)p);
                c00 = Fma.MultiplyAdd(x, b0, c00);
                c01 = Fma.MultiplyAdd(x, b1, c01);

                if (TRows.Count > 1)
                {
                    x = Vector256.Create(*(float*)(p + r1));
                    c10 = Fma.MultiplyAdd(x, b0, c10);
                    c11 = Fma.MultiplyAdd(x, b1, c11);
                }

                if (TRows.Count > 2)
                {
                    x = Vector256.Create(*(float*)(p + r2));
                    c20 = Fma.MultiplyAdd(x, b0, c20);
                    c21 = Fma.MultiplyAdd(x, b1, c21);
                }

                if (TRows.Count > 3)
                {
                    x = Vector256.Create(*(float*)(p + r3));
                    c30 = Fma.MultiplyAdd(x, b0, c30);
                    c31 = Fma.MultiplyAdd(x, b1, c31);
                }

                if (TRows.Count > 4)
                {
                    x = Vector256.Create(*(float*)(p + r4));
                    c40 = Fma.MultiplyAdd(x, b0, c40);
                    c41 = Fma.MultiplyAdd(x, b1, c41);
                }

                if (TRows.Count > 5)
                {
                    x = Vector256.Create(*(float*)(p + r5));
                    c50 = Fma.MultiplyAdd(x, b0, c50);
                    c51 = Fma.MultiplyAdd(x, b1, c51);
                }

                p += step;
                b += FloatTiles.PanelWidth;
            }
        }

        Vector256<float> bias0 = Avx.LoadVector256(job->Bias);
        Vector256<float> bias1 = Avx.LoadVector256(job->Bias + 8);
        Vector256<float> low = Vector256.Create(job->Low);
        Vector256<float> high = Vector256.Create(job->High);
        float* y = job->C;
        nint stride = job->CStride;
        Avx.Store(y, Finish(c00, bias0, low, high));
        Avx.Store(y + 8, Finish(c01, bias1, low, high));

        if (TRows.Count > 1)
        {
            y += stride;
            Avx.Store(y, Finish(c10, bias0, low, high));
            Avx.Store(y + 8, Finish(c11, bias1, low, high));
        }

        if (TRows.Count > 2)
        {
            y += stride;
            Avx.Store(y, Finish(c20, bias0, low, high));
            Avx.Store(y + 8, Finish(c21, bias1, low, high));
        }

        if (TRows.Count > 3)
        {
            y += stride;
            Avx.Store(y, Finish(c30, bias0, low, high));
            Avx.Store(y + 8, Finish(c31, bias1, low, high));
        }

        if (TRows.Count > 4)
        {
            y += stride;
            Avx.Store(y, Finish(c40, bias0, low, high));
            Avx.Store(y + 8, Finish(c41, bias1, low, high));
        }

        if (TRows.Count > 5)
        {
            y += stride;
            Avx.Store(y, Finish(c50, bias0, low, high));
            Avx.Store(y + 8, Finish(c51, bias1, low, high));
        }
    }

    // The operand order keeps a NaN and a negative zero, as the comparison "x < low ? low : x" does.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Finish(Vector256<float> sum, Vector256<float> bias, Vector256<float> low, Vector256<float> high) =>
        Avx.Min(high, Avx.Max(low, sum + bias));
}
