using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>Up to 8 x 32 outputs from words of two 16-bit elements; a panel is one register wide.</summary>
internal static unsafe class IntTileAvx512
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows, TPanels>(IntTileJob* job)
        where TRows : struct, ITileSize
        where TPanels : struct, ITileSize
    {
        int* bias = job->Bias;
        Vector512<int> c00 = Avx512F.LoadVector512(bias);
        Vector512<int> c01 = TPanels.Count > 1 ? Avx512F.LoadVector512(bias + 16) : default;
        Vector512<int> c10 = c00;
        Vector512<int> c11 = c01;
        Vector512<int> c20 = c00;
        Vector512<int> c21 = c01;
        Vector512<int> c30 = c00;
        Vector512<int> c31 = c01;
        Vector512<int> c40 = c00;
        Vector512<int> c41 = c01;
        Vector512<int> c50 = c00;
        Vector512<int> c51 = c01;
        Vector512<int> c60 = c00;
        Vector512<int> c61 = c01;
        Vector512<int> c70 = c00;
        Vector512<int> c71 = c01;
        int* b = job->B;
        nint second = TPanels.Count > 1 ? job->PanelStride : 0;
        nint* rows = job->RowOffsets;
        byte* a = job->A + rows[0];
        nint r1 = TRows.Count > 1 ? rows[1] - rows[0] : 0;
        nint r2 = TRows.Count > 2 ? rows[2] - rows[0] : 0;
        nint r3 = TRows.Count > 3 ? rows[3] - rows[0] : 0;
        nint r4 = TRows.Count > 4 ? rows[4] - rows[0] : 0;
        nint r5 = TRows.Count > 5 ? rows[5] - rows[0] : 0;
        nint r6 = TRows.Count > 6 ? rows[6] - rows[0] : 0;
        nint r7 = TRows.Count > 7 ? rows[7] - rows[0] : 0;
        nint* segment = job->SegmentOffsets;
        nint* end = segment + job->Segments;
        int words = job->SegmentWords;
        for (; segment < end; segment++)
        {
            byte* p = a + *segment;
            for (int k = words; k > 0; k--)
            {
                Vector512<int> b0 = Avx512F.LoadVector512(b);
                Vector512<int> b1 = TPanels.Count > 1 ? Avx512F.LoadVector512((int*)((byte*)b + second)) : default;
                Vector512<short> x = Vector512.Create(*(int*)p).AsInt16();
                c00 += Avx512BW.MultiplyAddAdjacent(x, b0.AsInt16());
                if (TPanels.Count > 1)
                {
                    c01 += Avx512BW.MultiplyAddAdjacent(x, b1.AsInt16());
                }

                if (TRows.Count > 1)
                {
                    x = Vector512.Create(*(int*)(p + r1)).AsInt16();
                    c10 += Avx512BW.MultiplyAddAdjacent(x, b0.AsInt16());
                    if (TPanels.Count > 1)
                    {
                        c11 += Avx512BW.MultiplyAddAdjacent(x, b1.AsInt16());
                    }
                }

                if (TRows.Count > 2)
                {
                    x = Vector512.Create(*(int*)(p + r2)).AsInt16();
                    c20 += Avx512BW.MultiplyAddAdjacent(x, b0.AsInt16());
                    if (TPanels.Count > 1)
                    {
                        c21 += Avx512BW.MultiplyAddAdjacent(x, b1.AsInt16());
                    }
                }

                if (TRows.Count > 3)
                {
                    x = Vector512.Create(*(int*)(p + r3)).AsInt16();
                    c30 += Avx512BW.MultiplyAddAdjacent(x, b0.AsInt16());
                    if (TPanels.Count > 1)
                    {
                        c31 += Avx512BW.MultiplyAddAdjacent(x, b1.AsInt16());
                    }
                }

                if (TRows.Count > 4)
                {
                    x = Vector512.Create(*(int*)(p + r4)).AsInt16();
                    c40 += Avx512BW.MultiplyAddAdjacent(x, b0.AsInt16());
                    if (TPanels.Count > 1)
                    {
                        c41 += Avx512BW.MultiplyAddAdjacent(x, b1.AsInt16());
                    }
                }

                if (TRows.Count > 5)
                {
                    x = Vector512.Create(*(int*)(p + r5)).AsInt16();
                    c50 += Avx512BW.MultiplyAddAdjacent(x, b0.AsInt16());
                    if (TPanels.Count > 1)
                    {
                        c51 += Avx512BW.MultiplyAddAdjacent(x, b1.AsInt16());
                    }
                }

                if (TRows.Count > 6)
                {
                    x = Vector512.Create(*(int*)(p + r6)).AsInt16();
                    c60 += Avx512BW.MultiplyAddAdjacent(x, b0.AsInt16());
                    if (TPanels.Count > 1)
                    {
                        c61 += Avx512BW.MultiplyAddAdjacent(x, b1.AsInt16());
                    }
                }

                if (TRows.Count > 7)
                {
                    x = Vector512.Create(*(int*)(p + r7)).AsInt16();
                    c70 += Avx512BW.MultiplyAddAdjacent(x, b0.AsInt16());
                    if (TPanels.Count > 1)
                    {
                        c71 += Avx512BW.MultiplyAddAdjacent(x, b1.AsInt16());
                    }
                }

                p += sizeof(int);
                b += IntTiles.PanelWidth;
            }
        }

        int* y = job->C;
        nint stride = job->CStride;
        Avx512F.Store(y, c00);
        if (TPanels.Count > 1)
        {
            Avx512F.Store(y + 16, c01);
        }

        if (TRows.Count > 1)
        {
            y += stride;
            Avx512F.Store(y, c10);
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, c11);
            }
        }

        if (TRows.Count > 2)
        {
            y += stride;
            Avx512F.Store(y, c20);
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, c21);
            }
        }

        if (TRows.Count > 3)
        {
            y += stride;
            Avx512F.Store(y, c30);
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, c31);
            }
        }

        if (TRows.Count > 4)
        {
            y += stride;
            Avx512F.Store(y, c40);
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, c41);
            }
        }

        if (TRows.Count > 5)
        {
            y += stride;
            Avx512F.Store(y, c50);
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, c51);
            }
        }

        if (TRows.Count > 6)
        {
            y += stride;
            Avx512F.Store(y, c60);
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, c61);
            }
        }

        if (TRows.Count > 7)
        {
            y += stride;
            Avx512F.Store(y, c70);
            if (TPanels.Count > 1)
            {
                Avx512F.Store(y + 16, c71);
            }
        }
    }

    /// <summary>One row of up to 4 panels: enough independent sums to hide the latency of a single row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunRow<TPanels>(IntTileJob* job)
        where TPanels : struct, ITileSize
    {
        int* bias = job->Bias;
        Vector512<int> c0 = Avx512F.LoadVector512(bias);
        Vector512<int> c1 = TPanels.Count > 1 ? Avx512F.LoadVector512(bias + 16) : default;
        Vector512<int> c2 = TPanels.Count > 2 ? Avx512F.LoadVector512(bias + 32) : default;
        Vector512<int> c3 = TPanels.Count > 3 ? Avx512F.LoadVector512(bias + 48) : default;
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
                Vector512<short> x = Vector512.Create(*(int*)p).AsInt16();
                c0 += Avx512BW.MultiplyAddAdjacent(x, Avx512F.LoadVector512(b).AsInt16());

                if (TPanels.Count > 1)
                {
                    c1 += Avx512BW.MultiplyAddAdjacent(x, Avx512F.LoadVector512(b + panel).AsInt16());
                }

                if (TPanels.Count > 2)
                {
                    c2 += Avx512BW.MultiplyAddAdjacent(x, Avx512F.LoadVector512(b + (2 * panel)).AsInt16());
                }

                if (TPanels.Count > 3)
                {
                    c3 += Avx512BW.MultiplyAddAdjacent(x, Avx512F.LoadVector512(b + (3 * panel)).AsInt16());
                }

                p += sizeof(int);
                b += IntTiles.PanelWidth;
            }
        }

        int* y = job->C;
        Avx512F.Store(y, c0);

        if (TPanels.Count > 1)
        {
            Avx512F.Store(y + 16, c1);
        }

        if (TPanels.Count > 2)
        {
            Avx512F.Store(y + 32, c2);
        }

        if (TPanels.Count > 3)
        {
            Avx512F.Store(y + 48, c3);
        }
    }
}
