using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

internal static unsafe partial class FloatTileAvx512
{
    /// <summary>One row of up to 8 panels: enough independent sums to hide the latency of a single row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunRow<TPanels>(FloatTileJob* job)
        where TPanels : struct, ITileSize
    {
        Vector512<float> c0 = default;
        Vector512<float> c1 = default;
        Vector512<float> c2 = default;
        Vector512<float> c3 = default;
        Vector512<float> c4 = default;
        Vector512<float> c5 = default;
        Vector512<float> c6 = default;
        Vector512<float> c7 = default;
        if (job->Accumulate)
        {
            c0 = Avx512F.LoadVector512(job->C);

            if (TPanels.Count > 1)
            {
                c1 = Avx512F.LoadVector512(job->C + 16);
            }

            if (TPanels.Count > 2)
            {
                c2 = Avx512F.LoadVector512(job->C + 32);
            }

            if (TPanels.Count > 3)
            {
                c3 = Avx512F.LoadVector512(job->C + 48);
            }

            if (TPanels.Count > 4)
            {
                c4 = Avx512F.LoadVector512(job->C + 64);
            }

            if (TPanels.Count > 5)
            {
                c5 = Avx512F.LoadVector512(job->C + 80);
            }

            if (TPanels.Count > 6)
            {
                c6 = Avx512F.LoadVector512(job->C + 96);
            }

            if (TPanels.Count > 7)
            {
                c7 = Avx512F.LoadVector512(job->C + 112);
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
                Vector512<float> x = Vector512.Create(*(float*)p);
                c0 = Avx512F.FusedMultiplyAdd(x, Avx512F.LoadVector512(b), c0);

                if (TPanels.Count > 1)
                {
                    c1 = Avx512F.FusedMultiplyAdd(x, Avx512F.LoadVector512(b + panel), c1);
                }

                if (TPanels.Count > 2)
                {
                    c2 = Avx512F.FusedMultiplyAdd(x, Avx512F.LoadVector512(b + (2 * panel)), c2);
                }

                if (TPanels.Count > 3)
                {
                    c3 = Avx512F.FusedMultiplyAdd(x, Avx512F.LoadVector512(b + (3 * panel)), c3);
                }

                if (TPanels.Count > 4)
                {
                    c4 = Avx512F.FusedMultiplyAdd(x, Avx512F.LoadVector512(b + (4 * panel)), c4);
                }

                if (TPanels.Count > 5)
                {
                    c5 = Avx512F.FusedMultiplyAdd(x, Avx512F.LoadVector512(b + (5 * panel)), c5);
                }

                if (TPanels.Count > 6)
                {
                    c6 = Avx512F.FusedMultiplyAdd(x, Avx512F.LoadVector512(b + (6 * panel)), c6);
                }

                if (TPanels.Count > 7)
                {
                    c7 = Avx512F.FusedMultiplyAdd(x, Avx512F.LoadVector512(b + (7 * panel)), c7);
                }

                p += step;
                b += FloatTiles.PanelWidth;
            }
        }

        Vector512<float> low = Vector512.Create(job->Low);
        Vector512<float> high = Vector512.Create(job->High);
        float* bias = job->Bias;
        float* y = job->C;
        Avx512F.Store(y, Finish(c0, Avx512F.LoadVector512(bias), low, high));

        if (TPanels.Count > 1)
        {
            Avx512F.Store(y + 16, Finish(c1, Avx512F.LoadVector512(bias + 16), low, high));
        }

        if (TPanels.Count > 2)
        {
            Avx512F.Store(y + 32, Finish(c2, Avx512F.LoadVector512(bias + 32), low, high));
        }

        if (TPanels.Count > 3)
        {
            Avx512F.Store(y + 48, Finish(c3, Avx512F.LoadVector512(bias + 48), low, high));
        }

        if (TPanels.Count > 4)
        {
            Avx512F.Store(y + 64, Finish(c4, Avx512F.LoadVector512(bias + 64), low, high));
        }

        if (TPanels.Count > 5)
        {
            Avx512F.Store(y + 80, Finish(c5, Avx512F.LoadVector512(bias + 80), low, high));
        }

        if (TPanels.Count > 6)
        {
            Avx512F.Store(y + 96, Finish(c6, Avx512F.LoadVector512(bias + 96), low, high));
        }

        if (TPanels.Count > 7)
        {
            Avx512F.Store(y + 112, Finish(c7, Avx512F.LoadVector512(bias + 112), low, high));
        }
    }
}
