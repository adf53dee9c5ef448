using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels;

/// <summary>
/// Up to 4 x 16 outputs with 128-bit vectors. Fused on purpose, also where the processor has no such instruction and the
/// runtime computes it slowly: all paths give the same bits.
/// </summary>
internal static unsafe class FloatTilePortable
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows>(FloatTileJob* job)
        where TRows : struct, ITileSize
    {
        Vector128<float> c00 = default;
        Vector128<float> c01 = default;
        Vector128<float> c02 = default;
        Vector128<float> c03 = default;
        Vector128<float> c10 = default;
        Vector128<float> c11 = default;
        Vector128<float> c12 = default;
        Vector128<float> c13 = default;
        Vector128<float> c20 = default;
        Vector128<float> c21 = default;
        Vector128<float> c22 = default;
        Vector128<float> c23 = default;
        Vector128<float> c30 = default;
        Vector128<float> c31 = default;
        Vector128<float> c32 = default;
        Vector128<float> c33 = default;
        if (job->Accumulate)
        {
            float* start = job->C;
            c00 = Vector128.Load(start);
            c01 = Vector128.Load(start + 4);
            c02 = Vector128.Load(start + 8);
            c03 = Vector128.Load(start + 12);

            if (TRows.Count > 1)
            {
                start += job->CStride;
                c10 = Vector128.Load(start);
                c11 = Vector128.Load(start + 4);
                c12 = Vector128.Load(start + 8);
                c13 = Vector128.Load(start + 12);
            }

            if (TRows.Count > 2)
            {
                start += job->CStride;
                c20 = Vector128.Load(start);
                c21 = Vector128.Load(start + 4);
                c22 = Vector128.Load(start + 8);
                c23 = Vector128.Load(start + 12);
            }

            if (TRows.Count > 3)
            {
                start += job->CStride;
                c30 = Vector128.Load(start);
                c31 = Vector128.Load(start + 4);
                c32 = Vector128.Load(start + 8);
                c33 = Vector128.Load(start + 12);
            }
        }

        float* b = job->B;
        nint step = job->KStride;
        nint* rows = job->RowOffsets;
        float* a = (float*)((byte*)job->A + rows[0]);
        nint r1 = TRows.Count > 1 ? rows[1] - rows[0] : 0;
        nint r2 = TRows.Count > 2 ? rows[2] - rows[0] : 0;
        nint r3 = TRows.Count > 3 ? rows[3] - rows[0] : 0;
        nint* segment = job->SegmentOffsets;
        nint* end = segment + job->Segments;
        int length = job->SegmentLength;
        for (; segment < end; segment++)
        {
            byte* p = (byte*)a + *segment;
            for (int k = length; k > 0; k--)
            {
                Vector128<float> b0 = Vector128.Load(b);
                Vector128<float> b1 = Vector128.Load(b + 4);
                Vector128<float> b2 = Vector128.Load(b + 8);
                Vector128<float> b3 = Vector128.Load(b + 12);
                Vector128<float> x = Vector128.Create(*(float*)p);
                c00 = Vector128.FusedMultiplyAdd(x, b0, c00);
                c01 = Vector128.FusedMultiplyAdd(x, b1, c01);
                c02 = Vector128.FusedMultiplyAdd(x, b2, c02);
                c03 = Vector128.FusedMultiplyAdd(x, b3, c03);

                if (TRows.Count > 1)
                {
                    x = Vector128.Create(*(float*)(p + r1));
                    c10 = Vector128.FusedMultiplyAdd(x, b0, c10);
                    c11 = Vector128.FusedMultiplyAdd(x, b1, c11);
                    c12 = Vector128.FusedMultiplyAdd(x, b2, c12);
                    c13 = Vector128.FusedMultiplyAdd(x, b3, c13);
                }

                if (TRows.Count > 2)
                {
                    x = Vector128.Create(*(float*)(p + r2));
                    c20 = Vector128.FusedMultiplyAdd(x, b0, c20);
                    c21 = Vector128.FusedMultiplyAdd(x, b1, c21);
                    c22 = Vector128.FusedMultiplyAdd(x, b2, c22);
                    c23 = Vector128.FusedMultiplyAdd(x, b3, c23);
                }

                if (TRows.Count > 3)
                {
                    x = Vector128.Create(*(float*)(p + r3));
                    c30 = Vector128.FusedMultiplyAdd(x, b0, c30);
                    c31 = Vector128.FusedMultiplyAdd(x, b1, c31);
                    c32 = Vector128.FusedMultiplyAdd(x, b2, c32);
                    c33 = Vector128.FusedMultiplyAdd(x, b3, c33);
                }

                p += step;
                b += FloatTiles.PanelWidth;
            }
        }

        Vector128<float> bias0 = Vector128.Load(job->Bias);
        Vector128<float> bias1 = Vector128.Load(job->Bias + 4);
        Vector128<float> bias2 = Vector128.Load(job->Bias + 8);
        Vector128<float> bias3 = Vector128.Load(job->Bias + 12);
        Vector128<float> low = Vector128.Create(job->Low);
        Vector128<float> high = Vector128.Create(job->High);
        float* y = job->C;
        nint stride = job->CStride;
        Vector128.Store(Finish(c00, bias0, low, high), y);
        Vector128.Store(Finish(c01, bias1, low, high), y + 4);
        Vector128.Store(Finish(c02, bias2, low, high), y + 8);
        Vector128.Store(Finish(c03, bias3, low, high), y + 12);

        if (TRows.Count > 1)
        {
            y += stride;
            Vector128.Store(Finish(c10, bias0, low, high), y);
            Vector128.Store(Finish(c11, bias1, low, high), y + 4);
            Vector128.Store(Finish(c12, bias2, low, high), y + 8);
            Vector128.Store(Finish(c13, bias3, low, high), y + 12);
        }

        if (TRows.Count > 2)
        {
            y += stride;
            Vector128.Store(Finish(c20, bias0, low, high), y);
            Vector128.Store(Finish(c21, bias1, low, high), y + 4);
            Vector128.Store(Finish(c22, bias2, low, high), y + 8);
            Vector128.Store(Finish(c23, bias3, low, high), y + 12);
        }

        if (TRows.Count > 3)
        {
            y += stride;
            Vector128.Store(Finish(c30, bias0, low, high), y);
            Vector128.Store(Finish(c31, bias1, low, high), y + 4);
            Vector128.Store(Finish(c32, bias2, low, high), y + 8);
            Vector128.Store(Finish(c33, bias3, low, high), y + 12);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Finish(
        Vector128<float> sum, Vector128<float> bias, Vector128<float> low, Vector128<float> high)
    {
        Vector128<float> y = sum + bias;
        y = Vector128.ConditionalSelect(Vector128.LessThan(y, low), low, y);
        return Vector128.ConditionalSelect(Vector128.GreaterThan(y, high), high, y);
    }
}
