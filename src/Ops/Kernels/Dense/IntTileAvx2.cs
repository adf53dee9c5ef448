using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>Up to 6 x 16 outputs from words of two 16-bit elements (<c>vpmaddwd</c>).</summary>
internal static unsafe class IntTileAvx2
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows>(IntTileJob* job)
        where TRows : struct, ITileSize
    {
        int* bias = job->Bias;
        Vector256<int> c00 = Avx.LoadVector256(bias);
        Vector256<int> c01 = Avx.LoadVector256(bias + 8);
        Vector256<int> c10 = c00;
        Vector256<int> c11 = c01;
        Vector256<int> c20 = c00;
        Vector256<int> c21 = c01;
        Vector256<int> c30 = c00;
        Vector256<int> c31 = c01;
        Vector256<int> c40 = c00;
        Vector256<int> c41 = c01;
        Vector256<int> c50 = c00;
        Vector256<int> c51 = c01;
        int* b = job->B;
        nint* rows = job->RowOffsets;
        byte* a = job->A + rows[0];
        nint r1 = TRows.Count > 1 ? rows[1] - rows[0] : 0;
        nint r2 = TRows.Count > 2 ? rows[2] - rows[0] : 0;
        nint r3 = TRows.Count > 3 ? rows[3] - rows[0] : 0;
        nint r4 = TRows.Count > 4 ? rows[4] - rows[0] : 0;
        nint r5 = TRows.Count > 5 ? rows[5] - rows[0] : 0;
        nint* segment = job->SegmentOffsets;
        nint* end = segment + job->Segments;
        int words = job->SegmentWords;
        for (; segment < end; segment++)
        {
            byte* p = a + *segment;
            for (int k = words; k > 0; k--)
            {
                Vector256<int> b0 = Avx.LoadVector256(b);
                Vector256<int> b1 = Avx.LoadVector256(b + 8);
                Vector256<short> x = Vector256.Create(*(int*)p).AsInt16();
                c00 += Avx2.MultiplyAddAdjacent(x, b0.AsInt16());
                c01 += Avx2.MultiplyAddAdjacent(x, b1.AsInt16());

                if (TRows.Count > 1)
                {
                    x = Vector256.Create(*(int*)(p + r1)).AsInt16();
                    c10 += Avx2.MultiplyAddAdjacent(x, b0.AsInt16());
                    c11 += Avx2.MultiplyAddAdjacent(x, b1.AsInt16());
                }

                if (TRows.Count > 2)
                {
                    x = Vector256.Create(*(int*)(p + r2)).AsInt16();
                    c20 += Avx2.MultiplyAddAdjacent(x, b0.AsInt16());
                    c21 += Avx2.MultiplyAddAdjacent(x, b1.AsInt16());
                }

                if (TRows.Count > 3)
                {
                    x = Vector256.Create(*(int*)(p + r3)).AsInt16();
                    c30 += Avx2.MultiplyAddAdjacent(x, b0.AsInt16());
                    c31 += Avx2.MultiplyAddAdjacent(x, b1.AsInt16());
                }

                if (TRows.Count > 4)
                {
                    x = Vector256.Create(*(int*)(p + r4)).AsInt16();
                    c40 += Avx2.MultiplyAddAdjacent(x, b0.AsInt16());
                    c41 += Avx2.MultiplyAddAdjacent(x, b1.AsInt16());
                }

                if (TRows.Count > 5)
                {
                    x = Vector256.Create(*(int*)(p + r5)).AsInt16();
                    c50 += Avx2.MultiplyAddAdjacent(x, b0.AsInt16());
                    c51 += Avx2.MultiplyAddAdjacent(x, b1.AsInt16());
                }

                p += sizeof(int);
                b += IntTiles.PanelWidth;
            }
        }

        int* y = job->C;
        nint stride = job->CStride;
        Avx.Store(y, c00);
        Avx.Store(y + 8, c01);

        if (TRows.Count > 1)
        {
            y += stride;
            Avx.Store(y, c10);
            Avx.Store(y + 8, c11);
        }

        if (TRows.Count > 2)
        {
            y += stride;
            Avx.Store(y, c20);
            Avx.Store(y + 8, c21);
        }

        if (TRows.Count > 3)
        {
            y += stride;
            Avx.Store(y, c30);
            Avx.Store(y + 8, c31);
        }

        if (TRows.Count > 4)
        {
            y += stride;
            Avx.Store(y, c40);
            Avx.Store(y + 8, c41);
        }

        if (TRows.Count > 5)
        {
            y += stride;
            Avx.Store(y, c50);
            Avx.Store(y + 8, c51);
        }
    }

    /// <summary>One row of up to 4 panels: enough independent sums to hide the latency of a single row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunRow<TPanels>(IntTileJob* job)
        where TPanels : struct, ITileSize
    {
        int* bias = job->Bias;
        Vector256<int> c0 = Avx.LoadVector256(bias);
        Vector256<int> c1 = Avx.LoadVector256(bias + 8);
        Vector256<int> c2 = TPanels.Count > 1 ? Avx.LoadVector256(bias + 16) : default;
        Vector256<int> c3 = TPanels.Count > 1 ? Avx.LoadVector256(bias + 24) : default;
        Vector256<int> c4 = TPanels.Count > 2 ? Avx.LoadVector256(bias + 32) : default;
        Vector256<int> c5 = TPanels.Count > 2 ? Avx.LoadVector256(bias + 40) : default;
        Vector256<int> c6 = TPanels.Count > 3 ? Avx.LoadVector256(bias + 48) : default;
        Vector256<int> c7 = TPanels.Count > 3 ? Avx.LoadVector256(bias + 56) : default;
        int* b = job->B;
        nint panel = job->PanelStride / sizeof(int);
        byte* a = job->A + job->RowOffsets[0];
        nint* segment = job->SegmentOffsets;
        nint* end = segment + job->Segments;
        int words = job->SegmentWords;
        for (; segment < end; segment++)
        {
            byte* p = a + *segment;
            for (int k = words; k > 0; k--)
            {
                Vector256<short> x = Vector256.Create(*(int*)p).AsInt16();
                c0 += Avx2.MultiplyAddAdjacent(x, Avx.LoadVector256(b).AsInt16());
                c1 += Avx2.MultiplyAddAdjacent(x, Avx.LoadVector256(b + 8).AsInt16());

                if (TPanels.Count > 1)
                {
                    c2 += Avx2.MultiplyAddAdjacent(x, Avx.LoadVector256(b + panel).AsInt16());
                    c3 += Avx2.MultiplyAddAdjacent(x, Avx.LoadVector256(b + panel + 8).AsInt16());
                }

                if (TPanels.Count > 2)
                {
                    c4 += Avx2.MultiplyAddAdjacent(x, Avx.LoadVector256(b + (2 * panel)).AsInt16());
                    c5 += Avx2.MultiplyAddAdjacent(x, Avx.LoadVector256(b + (2 * panel) + 8).AsInt16());
                }

                if (TPanels.Count > 3)
                {
                    c6 += Avx2.MultiplyAddAdjacent(x, Avx.LoadVector256(b + (3 * panel)).AsInt16());
                    c7 += Avx2.MultiplyAddAdjacent(x, Avx.LoadVector256(b + (3 * panel) + 8).AsInt16());
                }

                p += sizeof(int);
                b += IntTiles.PanelWidth;
            }
        }

        int* y = job->C;
        Avx.Store(y, c0);
        Avx.Store(y + 8, c1);

        if (TPanels.Count > 1)
        {
            Avx.Store(y + 16, c2);
            Avx.Store(y + 24, c3);
        }

        if (TPanels.Count > 2)
        {
            Avx.Store(y + 32, c4);
            Avx.Store(y + 40, c5);
        }

        if (TPanels.Count > 3)
        {
            Avx.Store(y + 48, c6);
            Avx.Store(y + 56, c7);
        }
    }
}
