using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>Sums of products of input and output gradient, over some output rows, for a few neighbouring channels.</summary>
/// <remarks>
/// Tap t of output (row, column) is at <c>X + row * XRowBytes + column * XPixelBytes + TapOffsets[t]</c> (bytes), its gradient
/// at <c>Dy</c> plus <c>DyPixelBytes</c> for each pixel. The sum of tap t starts from, and is stored to,
/// <c>Sums + t * SumStride</c> (elements).
/// </remarks>
internal unsafe struct DepthwiseWeightJob
{
    public float* X;
    public float* Dy;
    public int Rows;
    public int Columns;
    public nint XRowBytes;
    public nint XPixelBytes;
    public nint DyPixelBytes;
    public nint* TapOffsets;
    public float* Sums;
    public nint SumStride;
}

/// <summary>Tiles of one vector of channels by up to 5 taps, or 3 x 3 taps.</summary>
internal static unsafe class DepthwiseWeightTile
{
    public const int MaxTaps = 5;

    /// <summary>Runs the tile of so many taps.</summary>
    public static void Run<TVector, TLanes>(DepthwiseWeightJob* job, int taps)
        where TVector : struct
        where TLanes : struct, IDepthwiseLanes<float, TVector>
    {
        switch (taps)
        {
            case 1:
                General<TVector, TLanes, Size1>(job);
                break;
            case 2:
                General<TVector, TLanes, Size2>(job);
                break;
            case 3:
                General<TVector, TLanes, Size3>(job);
                break;
            case 4:
                General<TVector, TLanes, Size4>(job);
                break;
            case 5:
                General<TVector, TLanes, Size5>(job);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(taps), taps, "A tile has one to five taps.");
        }
    }

    /// <summary>
    /// 3 x 3 taps at stride and dilation 1 along the row, at least 2 columns: each input is loaded once for the three
    /// gradients it meets.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sliding<TVector, TLanes>(DepthwiseWeightJob* job)
        where TVector : struct
        where TLanes : struct, IDepthwiseLanes<float, TVector>
    {
        float* sums = job->Sums;
        nint stride = job->SumStride;
        TVector s00 = TLanes.Load(sums);
        TVector s01 = TLanes.Load(sums + stride);
        TVector s02 = TLanes.Load(sums + (2 * stride));
        TVector s10 = TLanes.Load(sums + (3 * stride));
        TVector s11 = TLanes.Load(sums + (4 * stride));
        TVector s12 = TLanes.Load(sums + (5 * stride));
        TVector s20 = TLanes.Load(sums + (6 * stride));
        TVector s21 = TLanes.Load(sums + (7 * stride));
        TVector s22 = TLanes.Load(sums + (8 * stride));
        byte* line = (byte*)job->X + job->TapOffsets[0];
        nint second = job->TapOffsets[3] - job->TapOffsets[0];
        nint third = job->TapOffsets[6] - job->TapOffsets[0];
        nint pixel = job->XPixelBytes;
        nint step = job->DyPixelBytes;
        byte* d = (byte*)job->Dy;
        int columns = job->Columns;
        for (int row = job->Rows; row > 0; row--)
        {
            byte* p = line;
            TVector d2 = TLanes.Load((float*)d);
            s00 = TLanes.MultiplyAdd(TLanes.Load((float*)p), d2, s00);
            s10 = TLanes.MultiplyAdd(TLanes.Load((float*)(p + second)), d2, s10);
            s20 = TLanes.MultiplyAdd(TLanes.Load((float*)(p + third)), d2, s20);
            p += pixel;
            d += step;

            TVector d1 = TLanes.Load((float*)d);
            TVector v = TLanes.Load((float*)p);
            s00 = TLanes.MultiplyAdd(v, d1, s00);
            s01 = TLanes.MultiplyAdd(v, d2, s01);
            v = TLanes.Load((float*)(p + second));
            s10 = TLanes.MultiplyAdd(v, d1, s10);
            s11 = TLanes.MultiplyAdd(v, d2, s11);
            v = TLanes.Load((float*)(p + third));
            s20 = TLanes.MultiplyAdd(v, d1, s20);
            s21 = TLanes.MultiplyAdd(v, d2, s21);
            p += pixel;
            d += step;

            for (int column = columns - 2; column > 0; column--)
            {
                TVector d0 = TLanes.Load((float*)d);
                v = TLanes.Load((float*)p);
                s00 = TLanes.MultiplyAdd(v, d0, s00);
                s01 = TLanes.MultiplyAdd(v, d1, s01);
                s02 = TLanes.MultiplyAdd(v, d2, s02);
                v = TLanes.Load((float*)(p + second));
                s10 = TLanes.MultiplyAdd(v, d0, s10);
                s11 = TLanes.MultiplyAdd(v, d1, s11);
                s12 = TLanes.MultiplyAdd(v, d2, s12);
                v = TLanes.Load((float*)(p + third));
                s20 = TLanes.MultiplyAdd(v, d0, s20);
                s21 = TLanes.MultiplyAdd(v, d1, s21);
                s22 = TLanes.MultiplyAdd(v, d2, s22);
                d2 = d1;
                d1 = d0;
                p += pixel;
                d += step;
            }

            v = TLanes.Load((float*)p);
            s01 = TLanes.MultiplyAdd(v, d1, s01);
            s02 = TLanes.MultiplyAdd(v, d2, s02);
            v = TLanes.Load((float*)(p + second));
            s11 = TLanes.MultiplyAdd(v, d1, s11);
            s12 = TLanes.MultiplyAdd(v, d2, s12);
            v = TLanes.Load((float*)(p + third));
            s21 = TLanes.MultiplyAdd(v, d1, s21);
            s22 = TLanes.MultiplyAdd(v, d2, s22);
            p += pixel;
            s02 = TLanes.MultiplyAdd(TLanes.Load((float*)p), d1, s02);
            s12 = TLanes.MultiplyAdd(TLanes.Load((float*)(p + second)), d1, s12);
            s22 = TLanes.MultiplyAdd(TLanes.Load((float*)(p + third)), d1, s22);
            line += job->XRowBytes;
        }

        TLanes.Store(sums, s00);
        TLanes.Store(sums + stride, s01);
        TLanes.Store(sums + (2 * stride), s02);
        TLanes.Store(sums + (3 * stride), s10);
        TLanes.Store(sums + (4 * stride), s11);
        TLanes.Store(sums + (5 * stride), s12);
        TLanes.Store(sums + (6 * stride), s20);
        TLanes.Store(sums + (7 * stride), s21);
        TLanes.Store(sums + (8 * stride), s22);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void General<TVector, TLanes, TTaps>(DepthwiseWeightJob* job)
        where TVector : struct
        where TLanes : struct, IDepthwiseLanes<float, TVector>
        where TTaps : struct, ITileSize
    {
        float* sums = job->Sums;
        nint stride = job->SumStride;
        TVector s0 = TLanes.Load(sums);
        TVector s1 = TTaps.Count > 1 ? TLanes.Load(sums + stride) : s0;
        TVector s2 = TTaps.Count > 2 ? TLanes.Load(sums + (2 * stride)) : s0;
        TVector s3 = TTaps.Count > 3 ? TLanes.Load(sums + (3 * stride)) : s0;
        TVector s4 = TTaps.Count > 4 ? TLanes.Load(sums + (4 * stride)) : s0;
        nint* taps = job->TapOffsets;
        byte* line = (byte*)job->X + taps[0];
        nint t1 = TTaps.Count > 1 ? taps[1] - taps[0] : 0;
        nint t2 = TTaps.Count > 2 ? taps[2] - taps[0] : 0;
        nint t3 = TTaps.Count > 3 ? taps[3] - taps[0] : 0;
        nint t4 = TTaps.Count > 4 ? taps[4] - taps[0] : 0;
        nint pixel = job->XPixelBytes;
        nint step = job->DyPixelBytes;
        byte* d = (byte*)job->Dy;
        int columns = job->Columns;
        for (int row = job->Rows; row > 0; row--)
        {
            byte* p = line;
            for (int column = columns; column > 0; column--)
            {
                TVector gradient = TLanes.Load((float*)d);
                s0 = TLanes.MultiplyAdd(TLanes.Load((float*)p), gradient, s0);
                if (TTaps.Count > 1)
                {
                    s1 = TLanes.MultiplyAdd(TLanes.Load((float*)(p + t1)), gradient, s1);
                }

                if (TTaps.Count > 2)
                {
                    s2 = TLanes.MultiplyAdd(TLanes.Load((float*)(p + t2)), gradient, s2);
                }

                if (TTaps.Count > 3)
                {
                    s3 = TLanes.MultiplyAdd(TLanes.Load((float*)(p + t3)), gradient, s3);
                }

                if (TTaps.Count > 4)
                {
                    s4 = TLanes.MultiplyAdd(TLanes.Load((float*)(p + t4)), gradient, s4);
                }

                p += pixel;
                d += step;
            }

            line += job->XRowBytes;
        }

        TLanes.Store(sums, s0);
        if (TTaps.Count > 1)
        {
            TLanes.Store(sums + stride, s1);
        }

        if (TTaps.Count > 2)
        {
            TLanes.Store(sums + (2 * stride), s2);
        }

        if (TTaps.Count > 3)
        {
            TLanes.Store(sums + (3 * stride), s3);
        }

        if (TTaps.Count > 4)
        {
            TLanes.Store(sums + (4 * stride), s4);
        }
    }
}
