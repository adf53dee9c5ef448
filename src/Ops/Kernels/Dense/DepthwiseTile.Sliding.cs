using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

internal static unsafe partial class DepthwiseTile
{
    private const int PrefetchLines = 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sliding<T, TVector, TLanes, TRows>(DepthwiseJob<T>* job)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, IDepthwiseLanes<T, TVector>
        where TRows : struct, ITileSize
    {
        TVector bias = TLanes.Load(job->Bias);
        byte* x = (byte*)job->X + job->RowOffsets[0];
        nint pixel = job->PixelBytes;
        nint wStride = job->WStride;
        nint* end = job->TapOffsets + job->Taps;
        T* line = job->Y;
        nint stride = job->YStride;
        TVector low = TLanes.Broadcast(job->Low);
        TVector high = TLanes.Broadcast(job->High);
        for (int lines = job->Lines; lines > 0; lines--)
        {
            TVector s0 = TLanes.Start(bias);
            TVector s1 = TLanes.Start(bias);
            TVector s2 = TLanes.Start(bias);
            TVector s3 = TLanes.Start(bias);
            TVector s4 = TLanes.Start(bias);
            TVector s5 = TLanes.Start(bias);
            TVector s6 = TLanes.Start(bias);
            TVector s7 = TLanes.Start(bias);
            T* w = job->W;
            Prefetch<T, TRows>(line + (PrefetchLines * job->YLineStride), stride);
            for (nint* taps = job->TapOffsets; taps < end; taps += 3)
            {
                byte* p = x + *taps;
                TVector w0 = TLanes.Load(w);
                TVector w1 = TLanes.Load(w + wStride);
                TVector w2 = TLanes.Load(w + (2 * wStride));
                TVector v = TLanes.Load((T*)p);
                s0 = TLanes.MultiplyAdd(v, w0, s0);
                p += pixel;
                v = TLanes.Load((T*)p);
                s0 = TLanes.MultiplyAdd(v, w1, s0);
                if (TRows.Count > 1)
                {
                    s1 = TLanes.MultiplyAdd(v, w0, s1);
                }

                p += pixel;
                v = TLanes.Load((T*)p);
                s0 = TLanes.MultiplyAdd(v, w2, s0);
                if (TRows.Count > 1)
                {
                    s1 = TLanes.MultiplyAdd(v, w1, s1);
                }

                if (TRows.Count > 2)
                {
                    s2 = TLanes.MultiplyAdd(v, w0, s2);
                }

                if (TRows.Count > 1)
                {
                    p += pixel;
                    v = TLanes.Load((T*)p);
                    s1 = TLanes.MultiplyAdd(v, w2, s1);
                }

                if (TRows.Count > 2)
                {
                    s2 = TLanes.MultiplyAdd(v, w1, s2);
                }

                if (TRows.Count > 3)
                {
                    s3 = TLanes.MultiplyAdd(v, w0, s3);
                }

                if (TRows.Count > 2)
                {
                    p += pixel;
                    v = TLanes.Load((T*)p);
                    s2 = TLanes.MultiplyAdd(v, w2, s2);
                }

                if (TRows.Count > 3)
                {
                    s3 = TLanes.MultiplyAdd(v, w1, s3);
                }

                if (TRows.Count > 4)
                {
                    s4 = TLanes.MultiplyAdd(v, w0, s4);
                }

                if (TRows.Count > 3)
                {
                    p += pixel;
                    v = TLanes.Load((T*)p);
                    s3 = TLanes.MultiplyAdd(v, w2, s3);
                }

                if (TRows.Count > 4)
                {
                    s4 = TLanes.MultiplyAdd(v, w1, s4);
                }

                if (TRows.Count > 5)
                {
                    s5 = TLanes.MultiplyAdd(v, w0, s5);
                }

                if (TRows.Count > 4)
                {
                    p += pixel;
                    v = TLanes.Load((T*)p);
                    s4 = TLanes.MultiplyAdd(v, w2, s4);
                }

                if (TRows.Count > 5)
                {
                    s5 = TLanes.MultiplyAdd(v, w1, s5);
                }

                if (TRows.Count > 6)
                {
                    s6 = TLanes.MultiplyAdd(v, w0, s6);
                }

                if (TRows.Count > 5)
                {
                    p += pixel;
                    v = TLanes.Load((T*)p);
                    s5 = TLanes.MultiplyAdd(v, w2, s5);
                }

                if (TRows.Count > 6)
                {
                    s6 = TLanes.MultiplyAdd(v, w1, s6);
                }

                if (TRows.Count > 7)
                {
                    s7 = TLanes.MultiplyAdd(v, w0, s7);
                }

                if (TRows.Count > 6)
                {
                    p += pixel;
                    v = TLanes.Load((T*)p);
                    s6 = TLanes.MultiplyAdd(v, w2, s6);
                }

                if (TRows.Count > 7)
                {
                    s7 = TLanes.MultiplyAdd(v, w1, s7);
                }

                if (TRows.Count > 7)
                {
                    p += pixel;
                    v = TLanes.Load((T*)p);
                    s7 = TLanes.MultiplyAdd(v, w2, s7);
                }

                w += 3 * wStride;
            }

            T* y = line;
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

            x += job->XLineBytes;
            line += job->YLineStride;
        }
    }

    /// <summary>Asks for the memory of results to come: stores that miss the caches would hold up what follows.</summary>
    private static void Prefetch<T, TRows>(T* y, nint stride)
        where T : unmanaged
        where TRows : struct, ITileSize
    {
        for (int row = 0; row < TRows.Count && Sse.IsSupported; row++)
        {
            Sse.Prefetch0(y);
            y += stride;
        }
    }
}
