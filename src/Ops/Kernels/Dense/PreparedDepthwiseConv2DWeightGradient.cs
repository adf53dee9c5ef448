using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels;

/// <summary>The gradient of a float depthwise convolution with regard to its weights, prepared once and run often.</summary>
/// <remarks>
/// <c>dw [KH, KW, C * m]</c> from <c>x [N, H, W, C]</c> and <c>dy [N, OH, OW, C * m]</c>, vectorised over channels, the sums of
/// some taps in registers. Products are added in float32 in the order of the pixels of a slot, and the slots in their order.
/// A run is <see cref="RunSlot"/> for every slot, then <see cref="Reduce"/>; it allocates nothing.
/// </remarks>
public sealed unsafe class PreparedDepthwiseConv2DWeightGradient
{
    private readonly ConvolutionPlan _plan;
    private readonly SimdPath _path;
    private readonly PartialSums _partials;
    private readonly int _multiplier;
    private readonly bool _slides;

    /// <param name="geometry">The forward convolution.</param>
    /// <param name="path">Instructions to use; null for the best.</param>
    /// <exception cref="ArgumentException">The geometry is not valid or not depthwise.</exception>
    public PreparedDepthwiseConv2DWeightGradient(Conv2DGeometry geometry, SimdPath? path = null)
        : this(geometry, null, path)
    {
    }

    /// <inheritdoc cref="PreparedConv2DWeightGradient(Conv2DGeometry, PartialSums?, SimdPath?)"/>
    internal PreparedDepthwiseConv2DWeightGradient(Conv2DGeometry geometry, PartialSums? partials, SimdPath? path = null)
    {
        geometry.ValidateDepthwise();
        Geometry = geometry;
        _path = SimdPaths.Resolve(path);
        _multiplier = geometry.GroupOutputChannels;
        Conv2DGeometry repeated = geometry with
        {
            InputChannels = geometry.OutputChannels,
            Groups = geometry.OutputChannels,
        };
        _plan = new ConvolutionPlan(repeated, sizeof(float), mustStage: _multiplier > 1, wordElements: 1, perTap: true);
        _slides = geometry.Width is { Kernel: 3, Stride: 1, Dilation: 1, Output: > 1 } && geometry.Height.Kernel == 3;
        _partials = partials ?? new(_plan.ChunkCount);
    }

    /// <summary>The forward convolution.</summary>
    public Conv2DGeometry Geometry { get; }

    /// <summary>Partial sums of a run; depends on the shapes alone.</summary>
    public int SlotCount => _partials.Slots;

    /// <summary>Elements of all partial sums, each <c>[KH * KW, C * m]</c>.</summary>
    public long PartialLength => SlotCount * Geometry.WeightLength;

    /// <summary>Bytes of scratch each worker brings; may be zero.</summary>
    public int ScratchBytes => _plan.ScratchBytes;

    /// <inheritdoc cref="PreparedConv2DWeightGradient.RunSlot"/>
    public void RunSlot(int slot, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> partials, Span<byte> scratch)
    {
        Extent.Require(x.Length, Geometry.InputLength, nameof(x));
        Extent.Require(dy.Length, Geometry.OutputLength, nameof(dy));
        Extent.Require(partials.Length, PartialLength, nameof(partials));
        Extent.Require(scratch.Length, ScratchBytes, nameof(scratch));
        int length = checked((int)Geometry.WeightLength);
        (int first, int end) = _partials.Range(slot);
        Span<float> target = partials.Slice(slot * length, length);
        target.Clear();
        fixed (float* input = x, gradient = dy, sums = target)
        fixed (byte* lent = scratch)
        {
            for (int chunk = first; chunk < end; chunk++)
            {
                ConvolutionChunk work = _plan.Chunk(chunk);
                Channels(Source(work, input, lent), work, gradient + ((nint)work.FirstPixel * Geometry.OutputChannels), sums);
            }
        }

        GC.KeepAlive(this);
    }

    /// <inheritdoc cref="PreparedConv2DWeightGradient.Accumulate"/>
    internal void Accumulate(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> sums, Span<byte> scratch, bool first)
    {
        Extent.Require(x.Length, Geometry.InputLength, nameof(x));
        Extent.Require(dy.Length, Geometry.OutputLength, nameof(dy));
        Extent.Require(sums.Length, Geometry.WeightLength, nameof(sums));
        Extent.Require(scratch.Length, ScratchBytes, nameof(scratch));
        if (first)
        {
            sums[..checked((int)Geometry.WeightLength)].Clear();
        }

        fixed (float* input = x, gradient = dy, target = sums)
        fixed (byte* lent = scratch)
        {
            for (int chunk = 0; chunk < _plan.ChunkCount; chunk++)
            {
                ConvolutionChunk work = _plan.Chunk(chunk);
                Channels(Source(work, input, lent), work, gradient + ((nint)work.FirstPixel * Geometry.OutputChannels), target);
            }
        }

        GC.KeepAlive(this);
    }

    /// <summary>Adds up the partial sums.</summary>
    /// <param name="partials">Written by <see cref="RunSlot"/>; changed.</param>
    /// <param name="dw">Receives the gradient <c>[KH, KW, C * m]</c>.</param>
    /// <exception cref="ArgumentException">A buffer is too short.</exception>
    public void Reduce(Span<float> partials, Span<float> dw)
    {
        Extent.Require(partials.Length, PartialLength, nameof(partials));
        Extent.Require(dw.Length, Geometry.WeightLength, nameof(dw));
        int length = checked((int)Geometry.WeightLength);
        if (SlotCount == 0)
        {
            dw[..length].Clear();
            return;
        }

        _partials.AddUp(partials, length, 0, length);
        partials[..length].CopyTo(dw);
    }

    private float* Source(ConvolutionChunk work, float* x, byte* scratch)
    {
        if (!_plan.Stages)
        {
            return x + _plan.InPlaceStart(work);
        }

        float* staged = (float*)AlignedBuffer<byte>.Align(ref *scratch);
        if (_multiplier == 1)
        {
            Staging.Run(_plan, work, x, staged, 0f, default(PlainCopy<float>));
        }
        else
        {
            Staging.Run(_plan, work, x, staged, 0f, new RepeatingCopy<float>(_multiplier), _multiplier);
        }

        return staged;
    }

    private void Channels(float* x, ConvolutionChunk work, float* dy, float* sums)
    {
        int channel = 0;
        if (_path == SimdPath.Avx512)
        {
            channel = Blocks<Vector512<float>, FloatLanes512>(x, work, dy, sums, channel);
        }

        if (_path != SimdPath.Portable)
        {
            channel = Blocks<Vector256<float>, FloatLanes256>(x, work, dy, sums, channel);
        }

        channel = Blocks<Vector128<float>, FloatLanes128>(x, work, dy, sums, channel);
        if (channel < Geometry.OutputChannels)
        {
            Blocks<float, FloatLane>(x, work, dy, sums, channel);
        }
    }

    /// <summary>Full vectors of channels from one on.</summary>
    /// <returns>First channel that is not done.</returns>
    private int Blocks<TVector, TLanes>(float* x, ConvolutionChunk work, float* dy, float* sums, int channel)
        where TVector : struct
        where TLanes : struct, IDepthwiseLanes<float, TVector>
    {
        int channels = Geometry.OutputChannels;
        Conv2DGeometry laidOut = _plan.Geometry;
        DepthwiseWeightJob job = new()
        {
            Rows = work.Pixels / laidOut.Width.Output,
            Columns = laidOut.Width.Output,
            XRowBytes = laidOut.Height.Stride * _plan.RowBytes,
            XPixelBytes = (nint)laidOut.Width.Stride * channels * sizeof(float),
            DyPixelBytes = (nint)channels * sizeof(float),
            SumStride = channels,
        };
        int taps = _plan.SegmentOffsets.Length;
        int tiles = (taps + DepthwiseWeightTile.MaxTaps - 1) / DepthwiseWeightTile.MaxTaps;
        for (; channel <= channels - TLanes.Count; channel += TLanes.Count)
        {
            job.X = x + channel;
            job.Dy = dy + channel;
            if (_slides)
            {
                job.TapOffsets = _plan.SegmentOffsets.Pointer;
                job.Sums = sums + channel;
                DepthwiseWeightTile.Sliding<TVector, TLanes>(&job);
                continue;
            }

            int tap = 0;
            for (int tile = 0; tile < tiles; tile++)
            {
                int count = (taps - tap + tiles - tile - 1) / (tiles - tile);
                job.TapOffsets = _plan.SegmentOffsets.Pointer + tap;
                job.Sums = sums + ((nint)tap * channels) + channel;
                DepthwiseWeightTile.Run<TVector, TLanes>(&job, count);
                tap += count;
            }
        }

        return channel;
    }
}
