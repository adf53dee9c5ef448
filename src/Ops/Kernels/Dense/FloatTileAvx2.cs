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

    /// <summary>One row of up to 4 panels: enough independent sums to hide the latency of a single row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunRow<TPanels>(FloatTileJob* job)
        where TPanels : struct, ITileSize
    {
        Vector256<float> c0 = default;
        Vector256<float> c1 = default;
        Vector256<float> c2 = default;
        Vector256<float> c3 = default;
        Vector256<float> c4 = default;
        Vector256<float> c5 = default;
        Vector256<float> c6 = default;
        Vector256<float> c7 = default;
        if (job->Accumulate)
        {
            c0 = Avx.LoadVector256(job->C);
            c1 = Avx.LoadVector256(job->C + 8);

            if (TPanels.Count > 1)
            {
                c2 = Avx.LoadVector256(job->C + 16);
                c3 = Avx.LoadVector256(job->C + 24);
            }

            if (TPanels.Count > 2)
            {
                c4 = Avx.LoadVector256(job->C + 32);
                c5 = Avx.LoadVector256(job->C + 40);
            }

            if (TPanels.Count > 3)
            {
                c6 = Avx.LoadVector256(job->C + 48);
                c7 = Avx.LoadVector256(job->C + 56);
            }
        }

        float* b = job->B;
        nint panel = job->PanelStride / sizeof(float);
        nint step = job->KStride;
        byte* a = (byte*)job->A + job->RowOffsets[0];
        nint* segment = job->SegmentOffsets;
        nint* end = segment + job->Segments;
        int length = job->SegmentLength;
        for (; segment < end; segment++)
        {
            byte* p = a + *segment;
            for (int k = length; k > 0; k--)
            {
                Vector256<float> x = Vector256.Create(*(float*)p);
                c0 = Fma.MultiplyAdd(x, Avx.LoadVector256(b), c0);
                c1 = Fma.MultiplyAdd(x, Avx.LoadVector256(b + 8), c1);

                if (TPanels.Count > 1)
                {
                    c2 = Fma.MultiplyAdd(x, Avx.LoadVector256(b + panel), c2);
                    c3 = Fma.MultiplyAdd(x, Avx.LoadVector256(b + panel + 8), c3);
                }

                if (TPanels.Count > 2)
                {
                    c4 = Fma.MultiplyAdd(x, Avx.LoadVector256(b + (2 * panel)), c4);
                    c5 = Fma.MultiplyAdd(x, Avx.LoadVector256(b + (2 * panel) + 8), c5);
                }

                if (TPanels.Count > 3)
                {
                    c6 = Fma.MultiplyAdd(x, Avx.LoadVector256(b + (3 * panel)), c6);
                    c7 = Fma.MultiplyAdd(x, Avx.LoadVector256(b + (3 * panel) + 8), c7);
                }

                p += step;
                b += FloatTiles.PanelWidth;
            }
        }

        Vector256<float> low = Vector256.Create(job->Low);
        Vector256<float> high = Vector256.Create(job->High);
        float* bias = job->Bias;
        float* y = job->C;
        Avx.Store(y, Finish(c0, Avx.LoadVector256(bias), low, high));
        Avx.Store(y + 8, Finish(c1, Avx.LoadVector256(bias + 8), low, high));

        if (TPanels.Count > 1)
        {
            Avx.Store(y + 16, Finish(c2, Avx.LoadVector256(bias + 16), low, high));
            Avx.Store(y + 24, Finish(c3, Avx.LoadVector256(bias + 24), low, high));
        }

        if (TPanels.Count > 2)
        {
            Avx.Store(y + 32, Finish(c4, Avx.LoadVector256(bias + 32), low, high));
            Avx.Store(y + 40, Finish(c5, Avx.LoadVector256(bias + 40), low, high));
        }

        if (TPanels.Count > 3)
        {
            Avx.Store(y + 48, Finish(c6, Avx.LoadVector256(bias + 48), low, high));
            Avx.Store(y + 56, Finish(c7, Avx.LoadVector256(bias + 56), low, high));
        }
    }

    // The operand order keeps a NaN and a negative zero, as the comparison "x < low ? low : x" does.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Finish(Vector256<float> sum, Vector256<float> bias, Vector256<float> low, Vector256<float> high) =>
        Avx.Min(high, Avx.Max(low, sum + bias));
}
