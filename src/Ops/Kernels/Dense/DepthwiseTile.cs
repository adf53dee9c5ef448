using System.Runtime.CompilerServices;

namespace Optc.Ops.Kernels;

/// <summary>Some output pixels of a few neighbouring channels of a depthwise convolution.</summary>
/// <remarks>
/// Tap t of pixel r is at <c>X + RowOffsets[r] + TapOffsets[t]</c> (bytes), its weights at <c>W + t * WStride</c>
/// (elements). Output r goes to <c>Y + r * YStride</c> (elements). Taps are added in their order.
/// </remarks>
internal unsafe struct DepthwiseJob<T>
    where T : unmanaged
{
    public T* X;
    public nint* RowOffsets;
    public nint* TapOffsets;
    public int Taps;
    public T* W;
    public nint WStride;
    public T* Bias;
    public T Low;
    public T High;
    public T* Y;
    public nint YStride;

    /// <summary>For the sliding tile: bytes from a pixel to the next.</summary>
    public nint PixelBytes;

    /// <summary>For the sliding tile: output rows one below the other, and the way from one to the next.</summary>
    public int Lines;
    public nint XLineBytes;
    public nint YLineStride;
}

/// <summary>Tiles of up to 8 pixels by one vector of channels.</summary>
internal static unsafe partial class DepthwiseTile
{
    public const int MaxRows = 8;

    /// <summary>Runs the tile of the given height.</summary>
    public static void Run<T, TVector, TLanes>(DepthwiseJob<T>* job, int rows)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, IDepthwiseLanes<T, TVector>
    {
        switch (rows)
        {
            case 1:
                General<T, TVector, TLanes, Size1>(job);
                break;
            case 2:
                General<T, TVector, TLanes, Size2>(job);
                break;
            case 3:
                General<T, TVector, TLanes, Size3>(job);
                break;
            case 4:
                General<T, TVector, TLanes, Size4>(job);
                break;
            case 5:
                General<T, TVector, TLanes, Size5>(job);
                break;
            case 6:
                General<T, TVector, TLanes, Size6>(job);
                break;
            case 7:
                General<T, TVector, TLanes, Size7>(job);
                break;
            case 8:
                General<T, TVector, TLanes, Size8>(job);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(rows), rows, "A tile has one to eight rows.");
        }
    }

    /// <summary>
    /// Runs the tile for kernels that are three taps wide, at stride and dilation 1 along the row: each input is loaded
    /// once for the three outputs it belongs to. The pixels are neighbours in an output row, and the tile goes down
    /// <c>Lines</c> of them; taps are whole kernel rows.
    /// </summary>
    public static void RunSliding<T, TVector, TLanes>(DepthwiseJob<T>* job, int rows)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, IDepthwiseLanes<T, TVector>
    {
        switch (rows)
        {
            case 1:
                Sliding<T, TVector, TLanes, Size1>(job);
                break;
            case 2:
                Sliding<T, TVector, TLanes, Size2>(job);
                break;
            case 3:
                Sliding<T, TVector, TLanes, Size3>(job);
                break;
            case 4:
                Sliding<T, TVector, TLanes, Size4>(job);
                break;
            case 5:
                Sliding<T, TVector, TLanes, Size5>(job);
                break;
            case 6:
                Sliding<T, TVector, TLanes, Size6>(job);
                break;
            case 7:
                Sliding<T, TVector, TLanes, Size7>(job);
                break;
            case 8:
                Sliding<T, TVector, TLanes, Size8>(job);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(rows), rows, "A tile has one to eight rows.");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void General<T, TVector, TLanes, TRows>(DepthwiseJob<T>* job)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, IDepthwiseLanes<T, TVector>
        where TRows : struct, ITileSize
    {
        TVector bias = TLanes.Load(job->Bias);
        TVector s0 = TLanes.Start(bias);
        TVector s1 = TLanes.Start(bias);
        TVector s2 = TLanes.Start(bias);
        TVector s3 = TLanes.Start(bias);
        TVector s4 = TLanes.Start(bias);
        TVector s5 = TLanes.Start(bias);
        TVector s6 = TLanes.Start(bias);
        TVector s7 = TLanes.Start(bias);
        nint* rows = job->RowOffsets;
        byte* x = (byte*)job->X + rows[0];
        nint r1 = TRows.Count > 1 ? rows[1] - rows[0] : 0;
        nint r2 = TRows.Count > 2 ? rows[2] - rows[0] : 0;
        nint r3 = TRows.Count > 3 ? rows[3] - rows[0] : 0;
        nint r4 = TRows.Count > 4 ? rows[4] - rows[0] : 0;
        nint r5 = TRows.Count > 5 ? rows[5] - rows[0] : 0;
        nint r6 = TRows.Count > 6 ? rows[6] - rows[0] : 0;
        nint r7 = TRows.Count > 7 ? rows[7] - rows[0] : 0;
        T* w = job->W;
        nint wStride = job->WStride;
        nint* taps = job->TapOffsets;
        nint* end = taps + job->Taps;
        for (; taps < end; taps++)
        {
            byte* p = x + *taps;
            TVector weight = TLanes.Load(w);
            s0 = TLanes.MultiplyAdd(TLanes.Load((T*)p), weight, s0);
            if (TRows.Count > 1)
            {
                s1 = TLanes.MultiplyAdd(TLanes.Load((T*)(p + r1)), weight, s1);
            }

            if (TRows.Count > 2)
            {
                s2 = TLanes.MultiplyAdd(TLanes.Load((T*)(p + r2)), weight, s2);
            }

            if (TRows.Count > 3)
            {
                s3 = TLanes.MultiplyAdd(TLanes.Load((T*)(p + r3)), weight, s3);
            }

            if (TRows.Count > 4)
            {
                s4 = TLanes.MultiplyAdd(TLanes.Load((T*)(p + r4)), weight, s4);
            }

            if (TRows.Count > 5)
            {
                s5 = TLanes.MultiplyAdd(TLanes.Load((T*)(p + r5)), weight, s5);
            }

            if (TRows.Count > 6)
            {
                s6 = TLanes.MultiplyAdd(TLanes.Load((T*)(p + r6)), weight, s6);
            }

            if (TRows.Count > 7)
            {
                s7 = TLanes.MultiplyAdd(TLanes.Load((T*)(p + r7)), weight, s7);
            }

            w += wStride;
        }

        TVector low = TLanes.Broadcast(job->Low);
        TVector high = TLanes.Broadcast(job->High);
        T* y = job->Y;
        nint stride = job->YStride;
        TLanes.Store(y, TLanes.Finish(s0, bias, low, high));
        if (TRows.Count > 1)
        {
            y += stride;
            TLanes.Store(y, TLanes.Finish(s1, bias, low, high));
        }

        if (TRows.Count > 2)
        {
            y += stride;
            TLanes.Store(y, TLanes.Finish(s2, bias, low, high));
        }

        if (TRows.Count > 3)
        {
            y += stride;
            TLanes.Store(y, TLanes.Finish(s3, bias, low, high));
        }

        if (TRows.Count > 4)
        {
            y += stride;
            TLanes.Store(y, TLanes.Finish(s4, bias, low, high));
        }

        if (TRows.Count > 5)
        {
            y += stride;
            TLanes.Store(y, TLanes.Finish(s5, bias, low, high));
        }

        if (TRows.Count > 6)
        {
            y += stride;
            TLanes.Store(y, TLanes.Finish(s6, bias, low, high));
        }

        if (TRows.Count > 7)
        {
            y += stride;
            TLanes.Store(y, TLanes.Finish(s7, bias, low, high));
        }
    }
}
