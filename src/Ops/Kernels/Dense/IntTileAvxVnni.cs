using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>Up to 6 x 16 outputs from words of four bytes (<c>vpdpbusd</c>, the form that does not saturate).</summary>
internal static unsafe class IntTileAvxVnni
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows, TBytes>(IntTileJob* job)
        where TRows : struct, ITileSize
        where TBytes : struct, IByteSign
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
        Vector256<int> flip = Vector256.Create(unchecked((int)0x8080_8080));
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
                Vector256<int> x = Words<TBytes>(*(int*)p, flip);
                c00 = AvxVnni.MultiplyWideningAndAdd(c00, x.AsByte(), b0.AsSByte());
                c01 = AvxVnni.MultiplyWideningAndAdd(c01, x.AsByte(), b1.AsSByte());

                if (TRows.Count > 1)
                {
                    x = Words<TBytes>(*(int*)(p + r1), flip);
                    c10 = AvxVnni.MultiplyWideningAndAdd(c10, x.AsByte(), b0.AsSByte());
                    c11 = AvxVnni.MultiplyWideningAndAdd(c11, x.AsByte(), b1.AsSByte());
                }

                if (TRows.Count > 2)
                {
                    x = Words<TBytes>(*(int*)(p + r2), flip);
                    c20 = AvxVnni.MultiplyWideningAndAdd(c20, x.AsByte(), b0.AsSByte());
                    c21 = AvxVnni.MultiplyWideningAndAdd(c21, x.AsByte(), b1.AsSByte());
                }

                if (TRows.Count > 3)
                {
                    x = Words<TBytes>(*(int*)(p + r3), flip);
                    c30 = AvxVnni.MultiplyWideningAndAdd(c30, x.AsByte(), b0.AsSByte());
                    c31 = AvxVnni.MultiplyWideningAndAdd(c31, x.AsByte(), b1.AsSByte());
                }

                if (TRows.Count > 4)
                {
                    x = Words<TBytes>(*(int*)(p + r4), flip);
                    c40 = AvxVnni.MultiplyWideningAndAdd(c40, x.AsByte(), b0.AsSByte());
                    c41 = AvxVnni.MultiplyWideningAndAdd(c41, x.AsByte(), b1.AsSByte());
                }

                if (TRows.Count > 5)
                {
                    x = Words<TBytes>(*(int*)(p + r5), flip);
                    c50 = AvxVnni.MultiplyWideningAndAdd(c50, x.AsByte(), b0.AsSByte());
                    c51 = AvxVnni.MultiplyWideningAndAdd(c51, x.AsByte(), b1.AsSByte());
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
    public static void RunRow<TPanels, TBytes>(IntTileJob* job)
        where TPanels : struct, ITileSize
        where TBytes : struct, IByteSign
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
        Vector256<int> flip = Vector256.Create(unchecked((int)0x8080_8080));
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
                Vector256<int> x = Words<TBytes>(*(int*)p, flip);
                c0 = AvxVnni.MultiplyWideningAndAdd(c0, x.AsByte(), Avx.LoadVector256(b).AsSByte());
                c1 = AvxVnni.MultiplyWideningAndAdd(c1, x.AsByte(), Avx.LoadVector256(b + 8).AsSByte());

                if (TPanels.Count > 1)
                {
                    c2 = AvxVnni.MultiplyWideningAndAdd(c2, x.AsByte(), Avx.LoadVector256(b + panel).AsSByte());
                    c3 = AvxVnni.MultiplyWideningAndAdd(c3, x.AsByte(), Avx.LoadVector256(b + panel + 8).AsSByte());
                }

                if (TPanels.Count > 2)
                {
                    c4 = AvxVnni.MultiplyWideningAndAdd(c4, x.AsByte(), Avx.LoadVector256(b + (2 * panel)).AsSByte());
                    c5 = AvxVnni.MultiplyWideningAndAdd(c5, x.AsByte(), Avx.LoadVector256(b + (2 * panel) + 8).AsSByte());
                }

                if (TPanels.Count > 3)
                {
                    c6 = AvxVnni.MultiplyWideningAndAdd(c6, x.AsByte(), Avx.LoadVector256(b + (3 * panel)).AsSByte());
                    c7 = AvxVnni.MultiplyWideningAndAdd(c7, x.AsByte(), Avx.LoadVector256(b + (3 * panel) + 8).AsSByte());
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Words<TBytes>(int word, Vector256<int> flip)
        where TBytes : struct, IByteSign =>
        TBytes.IsSigned ? Vector256.Create(word) ^ flip : Vector256.Create(word);
}
