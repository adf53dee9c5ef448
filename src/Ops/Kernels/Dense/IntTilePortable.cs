using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels;

/// <summary>Up to 4 x 16 outputs from words of two 16-bit elements, with 128-bit vectors.</summary>
internal static unsafe class IntTilePortable
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows>(IntTileJob* job)
        where TRows : struct, ITileSize
    {
        int* bias = job->Bias;
        Vector128<int> c00 = Vector128.Load(bias);
        Vector128<int> c01 = Vector128.Load(bias + 4);
        Vector128<int> c02 = Vector128.Load(bias + 8);
        Vector128<int> c03 = Vector128.Load(bias + 12);
        Vector128<int> c10 = c00;
        Vector128<int> c11 = c01;
        Vector128<int> c12 = c02;
        Vector128<int> c13 = c03;
        Vector128<int> c20 = c00;
        Vector128<int> c21 = c01;
        Vector128<int> c22 = c02;
        Vector128<int> c23 = c03;
        Vector128<int> c30 = c00;
        Vector128<int> c31 = c01;
        Vector128<int> c32 = c02;
        Vector128<int> c33 = c03;
        int* b = job->B;
        nint* rows = job->RowOffsets;
        byte* a = job->A + rows[0];
        nint r1 = TRows.Count > 1 ? rows[1] - rows[0] : 0;
        nint r2 = TRows.Count > 2 ? rows[2] - rows[0] : 0;
        nint r3 = TRows.Count > 3 ? rows[3] - rows[0] : 0;
        nint* segment = job->SegmentOffsets;
        nint* end = segment + job->Segments;
        int words = job->SegmentWords;
        for (; segment < end; segment++)
        {
            byte* p = a + *segment;
            for (int k = words; k > 0; k--)
            {
                Vector128<int> b0 = Vector128.Load(b);
                Vector128<int> b1 = Vector128.Load(b + 4);
                Vector128<int> b2 = Vector128.Load(b + 8);
                Vector128<int> b3 = Vector128.Load(b + 12);
                Vector128<int> even0 = (b0 << 16) >> 16;
                Vector128<int> odd0 = b0 >> 16;
                Vector128<int> even1 = (b1 << 16) >> 16;
                Vector128<int> odd1 = b1 >> 16;
                Vector128<int> even2 = (b2 << 16) >> 16;
                Vector128<int> odd2 = b2 >> 16;
                Vector128<int> even3 = (b3 << 16) >> 16;
                Vector128<int> odd3 = b3 >> 16;
                int word = *(int*)p;
                Vector128<int> xEven = Vector128.Create((int)(short)word);
                Vector128<int> xOdd = Vector128.Create(word >> 16);
                c00 += (xEven * even0) + (xOdd * odd0);
                c01 += (xEven * even1) + (xOdd * odd1);
                c02 += (xEven * even2) + (xOdd * odd2);
                c03 += (xEven * even3) + (xOdd * odd3);

                if (TRows.Count > 1)
                {
                    word = *(int*)(p + r1);
                    xEven = Vector128.Create((int)(short)word);
                    xOdd = Vector128.Create(word >> 16);
                    c10 += (xEven * even0) + (xOdd * odd0);
                    c11 += (xEven * even1) + (xOdd * odd1);
                    c12 += (xEven * even2) + (xOdd * odd2);
                    c13 += (xEven * even3) + (xOdd * odd3);
                }

                if (TRows.Count > 2)
                {
                    word = *(int*)(p + r2);
                    xEven = Vector128.Create((int)(short)word);
                    xOdd = Vector128.Create(word >> 16);
                    c20 += (xEven * even0) + (xOdd * odd0);
                    c21 += (xEven * even1) + (xOdd * odd1);
                    c22 += (xEven * even2) + (xOdd * odd2);
                    c23 += (xEven * even3) + (xOdd * odd3);
                }

                if (TRows.Count > 3)
                {
                    word = *(int*)(p + r3);
                    xEven = Vector128.Create((int)(short)word);
                    xOdd = Vector128.Create(word >> 16);
                    c30 += (xEven * even0) + (xOdd * odd0);
                    c31 += (xEven * even1) + (xOdd * odd1);
                    c32 += (xEven * even2) + (xOdd * odd2);
                    c33 += (xEven * even3) + (xOdd * odd3);
                }

                p += sizeof(int);
                b += IntTiles.PanelWidth;
            }
        }

        int* y = job->C;
        nint stride = job->CStride;
        Vector128.Store(c00, y);
        Vector128.Store(c01, y + 4);
        Vector128.Store(c02, y + 8);
        Vector128.Store(c03, y + 12);

        if (TRows.Count > 1)
        {
            y += stride;
            Vector128.Store(c10, y);
            Vector128.Store(c11, y + 4);
            Vector128.Store(c12, y + 8);
            Vector128.Store(c13, y + 12);
        }

        if (TRows.Count > 2)
        {
            y += stride;
            Vector128.Store(c20, y);
            Vector128.Store(c21, y + 4);
            Vector128.Store(c22, y + 8);
            Vector128.Store(c23, y + 12);
        }

        if (TRows.Count > 3)
        {
            y += stride;
            Vector128.Store(c30, y);
            Vector128.Store(c31, y + 4);
            Vector128.Store(c32, y + 8);
            Vector128.Store(c33, y + 12);
        }
    }
}
