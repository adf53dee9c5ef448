using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>Up to 8 x 32 outputs in 16 registers; a panel is one register wide.</summary>
internal static unsafe partial class FloatTileAvx512
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows, TPanels>(FloatTileJob* job)
        where TRows : struct, ITileSize
        where TPanels : struct, ITileSize
    {
        Vector512<float> c00 = default;
        Vector512<float> c01 = default;
        Vector512<float> c10 = default;
        Vector512<float> c11 = default;
        Vector512<float> c20 = default;
        Vector512<float> c21 = default;
        Vector512<float> c30 = default;
        Vector512<float> c31 = default;
        Vector512<float> c40 = default;
        Vector512<float> c41 = default;
        Vector512<float> c50 = default;
        Vector512<float> c51 = default;
        Vector512<float> c60 = default;
        Vector512<float> c61 = default;
        Vector512<float> c70 = default;
        Vector512<float> c71 = default;
        if (job->Accumulate)
        {
            float* start = job->C;
            c00 = Avx512F.LoadVector512(start);
            if (TPanels.Count > 1)
            {
                c01 = Avx512F.LoadVector512(start + 16);
            }


            if (TRows.Count > 1)
            {
                start += job->CStride;
                c10 = Avx512F.LoadVector512(start);
                if (TPanels.Count > 1)
                {
                    c11 = Avx512F.LoadVector512(start + 16);
                }
            }

            if (TRows.Count > 2)
            {
                start += job->CStride;
                c20 = Avx512F.LoadVector512(start);
                if (TPanels.Count > 1)
                {
                    c21 = Avx512F.LoadVector512(start + 16);
                }
            }

            if (TRows.Count > 3)
            {
                start += job->CStride;
                c30 = Avx512F.LoadVector512(start);
                if (TPanels.Count > 1)
                {
                    c31 = Avx512F.LoadVector512(start + 16);
                }
            }

            if (TRows.Count > 4)
            {
                start += job->CStride;
                c40 = Avx512F.LoadVector512(start);
                if (TPanels.Count > 1)
                {
                    c41 = Avx512F.LoadVector512(start + 16);
                }
            }

            if (TRows.Count > 5)
            {
                start += job->CStride;
                c50 = Avx512F.LoadVector512(start);
                if (TPanels.Count > 1)
                {
                    c51 = Avx512F.LoadVector512(start + 16);
                }
            }

            if (TRows.Count > 6)
            {
                start += job->CStride;
                c60 = Avx512F.LoadVector512(start);
                if (TPanels.Count > 1)
                {
                    c61 = Avx512F.LoadVector512(start + 16);
                }
            }

            if (TRows.Count > 7)
            {
                start += job->CStride;
                c70 = Avx512F.LoadVector512(start);
                if (TPanels.Count > 1)
                {
                    c71 = Avx512F.LoadVector512(start + 16);
                }
            }
        }
        else
        {
            float* target = job->C;
            for (int row = 0; row < TRows.Count; row++)
            {
                Sse.Prefetch0(target);
                if (TPanels.Count > 1)
                {
                    Sse.Prefetch0(target + 16);
                }

                target += job->CStride;
            }
        }

        float* b = job->B;
        nint second = TPanels.Count > 1 ? job->PanelStride : 0;
        nint step = job->KStride;
        nint* rows = job->RowOffsets;
        float* a = (float*)((byte*)job->A + rows[0]);
        nint r1 = TRows.Count > 1 ? rows[1] - rows[0] : 0;
        nint r2 = TRows.Count > 2 ? rows[2] - rows[0] : 0;
        nint r3 = TRows.Count > 3 ? rows[3] - rows[0] : 0;
        nint r4 = TRows.Count > 4 ? rows[4] - rows[0] : 0;
        nint r5 = TRows.Count > 5 ? rows[5] - rows[0] : 0;
        nint r6 = TRows.Count > 6 ? rows[6] - rows[0] : 0;
        nint r7 = TRows.Count > 7 ? rows[7] - rows[0] : 0;
        nint* segment = job->SegmentOffsets;
        nint* end = segment + job->Segments;
        int length = job->SegmentLength;
        for (; segment < end; segment++)
        {
            byte* p = (byte*)a + *segment;
            for (int k = length; k > 0; k--)
            {
                Vector512<float> b0 = Avx512F.LoadVector512(b);
                Vector512<float> b1 = TPanels.Count > 1 ? Avx512F.LoadVector512((float*)((byte*)b + second)) : default;
                Vector512<float> x = Vector512.Create(*(float*)p);
                c00 = Avx512F.FusedMultiplyAdd(x, b0, c00);
                if (TPanels.Count > 1)
                {
                    c01 = Avx512F.FusedMultiplyAdd(x, b1, c01);
                }

                if (TRows.Count > 1)
                {
                    x = Vector512.Create(*(float*)(p + r1));
                    c10 = Avx512F.FusedMultiplyAdd(x, b0, c10);
                    if (TPanels.Count > 1)
                    {
                        c11 = Avx512F.FusedMultiplyAdd(x, b1, c11);
                    }
                }

                if (TRows.Count > 2)
                {
                    x = Vector512.Create(*(float*)(p + r2));
                    c20 = Avx512F.FusedMultiplyAdd(x, b0, c20);
                    if (TPanels.Count > 1)
                    {
                        c21 = Avx512F.FusedMultiplyAdd(x, b1, c21);
                    }
                }

                if (TRows.Count > 3)
                {
                    x = Vector512.Create(*(float*)(p + r3));
                    c30 = Avx512F.FusedMultiplyAdd(x, b0, c30);
                    if (TPanels.Count > 1)
                    {
                        c31 = Avx512F.FusedMultiplyAdd(x, b1, c31);
                    }
                }

                if (TRows.Count > 4)
                {
                    x = Vector512.Create(*(float*)(p + r4));
                    c40 = Avx512F.FusedMultiplyAdd(x, b0, c40);
                    if (TPanels.Count > 1)
                    {
                        c41 = Avx512F.FusedMultiplyAdd(x, b1, c41);
                    }
                }

                if (TRows.Count > 5)
                {
                    x = Vector512.Create(*(float*)(p + r5));
                    c50 = Avx512F.FusedMultiplyAdd(x, b0, c50);
                    if (TPanels.Count > 1)
                    {
                        c51 = Avx512F.FusedMultiplyAdd(x, b1, c51);
                    }
                }

                if (TRows.Count > 6)
                {
                    x = Vector512.Create(*(float*)(p + r6));
                    c60 = Avx512F.FusedMultiplyAdd(x, b0, c60);
                    if (TPanels.Count > 1)
                    {
                        c61 = Avx512F.FusedMultiplyAdd(x, b1, c61);
                    }
                }

                if (TRows.Count > 7)
                {
                    x = Vector512.Create(*(float*)(p + r7));
                    c70 = Avx512F.FusedMultiplyAdd(x, b0, c70);
                    if (TPanels.Count > 1)
                    {
                        c71 = Avx512F.FusedMultiplyAdd(x, b1, c71);
                    }
                }

                p += step;
                b += FloatTiles.PanelWidth;
            }
        }

        Vector512<float> bias0 = Avx512F.LoadVector512(job->Bias);
        Vector512<float> bias1 = TPanels.Count > 1 ? Avx512F.LoadVector512(job->Bias + 16) : default;
        Vector512<float> low = Vector512.Create(job->Low);
        Vector512<float> high = Vector512.Create(job->High);
        float* y = job->C;
        nint stride = job->CStride;
        Avx512F.Store(y, Finish(c00, bias0, low, high));
        if (TPanels.Count > 1)
        {
            Avx512F.Store(y + 16, Finish(c01, bias1, low, high));
        }

        if (TRows.Count > 1)
        {
            y += stride;
            Avx512F.Store(y, Finish(c10, bias0, low, high));
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, Finish(c11, bias1, low, high));
            }
        }

        if (TRows.Count > 2)
        {
            y += stride;
            Avx512F.Store(y, Finish(c20, bias0, low, high));
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, Finish(c21, bias1, low, high));
            }
        }

        if (TRows.Count > 3)
        {
            y += stride;
            Avx512F.Store(y, Finish(c30, bias0, low, high));
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, Finish(c31, bias1, low, high));
            }
        }

        if (TRows.Count > 4)
        {
            y += stride;
            Avx512F.Store(y, Finish(c40, bias0, low, high));
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, Finish(c41, bias1, low, high));
            }
        }

        if (TRows.Count > 5)
        {
            y += stride;
            Avx512F.Store(y, Finish(c50, bias0, low, high));
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, Finish(c51, bias1, low, high));
            }
        }

        if (TRows.Count > 6)
        {
            y += stride;
            Avx512F.Store(y, Finish(c60, bias0, low, high));
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, Finish(c61, bias1, low, high));
            }
        }

        if (TRows.Count > 7)
        {
            y += stride;
            Avx512F.Store(y, Finish(c70, bias0, low, high));
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, Finish(c71, bias1, low, high));
            }
        }
    }

    // The operand order keeps a NaN and a negative zero, as the comparison "x < low ? low : x" does.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Finish(Vector512<float> sum, Vector512<float> bias, Vector512<float> low, Vector512<float> high) =>
        Avx512F.Min(high, Avx512F.Max(low, sum + bias));
}
