namespace Optc.Ops.Kernels;

/// <summary>The gradient of a float convolution with regard to its weights, prepared once and run often.</summary>
/// <remarks>
/// <para>
/// <c>dw [O, KH, KW, C / G]</c> from <c>x [N, H, W, C]</c> and <c>dy [N, OH, OW, O]</c> is one product whose depth is the pixels:
/// x is read where it lies, one row for each tap and channel, and dy is brought into panels chunk by chunk. Products are
/// added in float32 in the order of the pixels of a slot, and the slots in their order.
/// </para>
/// <para>A run is <see cref="RunSlot"/> for every slot, then <see cref="Reduce"/> for every part; it allocates nothing.</para>
/// </remarks>
public sealed unsafe class PreparedConv2DWeightGradient
{
    private const int ElementsPerPart = 8192;

    private readonly ConvolutionPlan _plan;
    private readonly FloatTiles _tiles;
    private readonly PartialSums _partials;
    private readonly AlignedBuffer<nint> _tapOffsets;
    private readonly AlignedBuffer<nint> _rowOffsets;
    private readonly bool _rowsAreContiguous;
    private readonly nint _pixelBytes;
    private readonly int _stagedBytes;
    private readonly int _rowsPerPart;
    private readonly int _partsPerGroup;

    /// <param name="geometry">The forward convolution.</param>
    /// <param name="path">Instructions to use; null for the best.</param>
    /// <exception cref="ArgumentException">The geometry is not valid.</exception>
    public PreparedConv2DWeightGradient(Conv2DGeometry geometry, SimdPath? path = null)
        : this(geometry, null, path)
    {
    }

    /// <summary>A gradient over pieces of a batch, which the caller hands to <see cref="Accumulate"/>.</summary>
    /// <param name="geometry">The forward convolution of a piece.</param>
    /// <param name="partials">How pieces make up slots; <see langword="null"/> when the chunks of the geometry are all there is.</param>
    internal PreparedConv2DWeightGradient(Conv2DGeometry geometry, PartialSums? partials, SimdPath? path = null)
    {
        geometry.Validate();
        Geometry = geometry;
        _tiles = FloatTiles.For(SimdPaths.Resolve(path));
        _plan = new ConvolutionPlan(geometry, sizeof(float), mustStage: false, wordElements: 1);
        _partials = partials ?? new(_plan.ChunkCount);
        Conv2DGeometry laidOut = _plan.Geometry;
        _pixelBytes = (nint)laidOut.Width.Stride * laidOut.InputChannels * sizeof(float);
        nint lineBytes = laidOut.Height.Stride * _plan.RowBytes;
        _rowsAreContiguous = laidOut.Width.Output * _pixelBytes == lineBytes;
        _rowOffsets = new(_plan.MaxPixels / Math.Max(1, laidOut.Width.Output));
        for (int row = 0; row < _rowOffsets.Length; row++)
        {
            _rowOffsets.Span[row] = row * lineBytes;
        }

        _tapOffsets = new(geometry.Depth);
        for (int at = 0; at < _tapOffsets.Length; at++)
        {
            int tap = at / geometry.GroupInputChannels;
            nint element = ((nint)(tap % laidOut.Width.Kernel) * laidOut.Width.Dilation * laidOut.InputChannels) + (at % geometry.GroupInputChannels);
            _tapOffsets.Span[at] = ((nint)(tap / laidOut.Width.Kernel) * laidOut.Height.Dilation * _plan.RowBytes) + (element * sizeof(float));
        }

        _stagedBytes = (_plan.ScratchBytes + 63) / 64 * 64;
        long panels = Panels.LengthFor(_plan.MaxPixels, geometry.GroupOutputChannels) * sizeof(float);
        ScratchBytes = checked((int)(_stagedBytes + panels + AlignedBuffer<byte>.Alignment));
        _rowsPerPart = Math.Clamp(ElementsPerPart / geometry.GroupOutputChannels, 1, geometry.Depth);
        _partsPerGroup = (geometry.Depth + _rowsPerPart - 1) / _rowsPerPart;
    }

    /// <summary>The forward convolution.</summary>
    public Conv2DGeometry Geometry { get; }

    /// <summary>Partial sums of a run; depends on the shapes alone.</summary>
    public int SlotCount => _partials.Slots;

    /// <summary>Elements of all partial sums, each <c>[G, KH * KW * C / G, O / G]</c>.</summary>
    public long PartialLength => SlotCount * Geometry.WeightLength;

    /// <summary>Independent parts of the final reduction.</summary>
    public int PartCount => SlotCount == 0 ? 0 : Geometry.Groups * _partsPerGroup;

    /// <summary>Bytes of scratch each worker brings.</summary>
    public int ScratchBytes { get; }

    /// <summary>One partial sum: <c>0 &lt;= slot &lt; SlotCount</c>. Other slots may run at the same time.</summary>
    /// <param name="x">Input <c>[N, H, W, C]</c>.</param>
    /// <param name="dy">Gradient of the output <c>[N, OH, OW, O]</c>.</param>
    /// <param name="partials">At least <see cref="PartialLength"/> elements; those of this slot are written.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>; content does not matter.</param>
    /// <exception cref="ArgumentException">A buffer is too short.</exception>
    public void RunSlot(int slot, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> partials, Span<byte> scratch)
    {
        Extent.Require(x.Length, Geometry.InputLength, nameof(x));
        Extent.Require(dy.Length, Geometry.OutputLength, nameof(dy));
        Extent.Require(partials.Length, PartialLength, nameof(partials));
        Extent.Require(scratch.Length, ScratchBytes, nameof(scratch));
        int length = checked((int)Geometry.WeightLength);
        (int first, int end) = _partials.Range(slot);
        fixed (float* input = x, gradient = dy, sums = partials.Slice(slot * length, length))
        fixed (byte* lent = scratch)
        {
            for (int chunk = first; chunk < end; chunk++)
            {
                Chunk(_plan.Chunk(chunk), input, gradient, sums, lent, accumulate: chunk > first);
            }
        }

        GC.KeepAlive(this);
    }

    /// <summary>Adds a piece of the batch to a partial sum.</summary>
    /// <param name="x">Input <c>[N, H, W, C]</c> of the piece.</param>
    /// <param name="dy">Gradient of its output <c>[N, OH, OW, O]</c>.</param>
    /// <param name="sums">The partial sum of a slot.</param>
    /// <param name="first">True when the sum has no content yet.</param>
    internal void Accumulate(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> sums, Span<byte> scratch, bool first)
    {
        Extent.Require(x.Length, Geometry.InputLength, nameof(x));
        Extent.Require(dy.Length, Geometry.OutputLength, nameof(dy));
        Extent.Require(sums.Length, Geometry.WeightLength, nameof(sums));
        Extent.Require(scratch.Length, ScratchBytes, nameof(scratch));
        fixed (float* input = x, gradient = dy, target = sums)
        fixed (byte* lent = scratch)
        {
            for (int chunk = 0; chunk < _plan.ChunkCount; chunk++)
            {
                Chunk(_plan.Chunk(chunk), input, gradient, target, lent, accumulate: !first || chunk > 0);
            }
        }

        GC.KeepAlive(this);
    }

    /// <summary>Adds up one part of the partial sums: <c>0 &lt;= part &lt; PartCount</c>. Other parts may run at the same time.</summary>
    /// <param name="partials">Written by <see cref="RunSlot"/>; changed.</param>
    /// <param name="dw">Receives its part of the gradient <c>[O, KH, KW, C / G]</c>.</param>
    /// <exception cref="ArgumentException">A buffer is too short.</exception>
    public void Reduce(int part, Span<float> partials, Span<float> dw)
    {
        Extent.Require(partials.Length, PartialLength, nameof(partials));
        Extent.Require(dw.Length, Geometry.WeightLength, nameof(dw));
        (int depth, int outputs) = (Geometry.Depth, Geometry.GroupOutputChannels);
        int group = part / _partsPerGroup;
        int first = part % _partsPerGroup * _rowsPerPart;
        int rows = Math.Min(_rowsPerPart, depth - first);
        int start = ((group * depth) + first) * outputs;
        _partials.AddUp(partials, checked((int)Geometry.WeightLength), start, rows * outputs);
        fixed (float* sums = partials.Slice(start, rows * outputs), target = dw[(group * outputs * depth)..])
        {
            Transposition.Copy(sums, outputs, target + first, depth, rows, outputs);
        }
    }

    private void Chunk(ConvolutionChunk work, float* x, float* dy, float* sums, byte* scratch, bool accumulate)
    {
        float* source;
        if (_plan.Stages)
        {
            source = (float*)AlignedBuffer<byte>.Align(ref *scratch);
            Staging.Run(_plan, work, x, source, 0f, default(PlainCopy<float>));
        }
        else
        {
            source = x + _plan.InPlaceStart(work);
        }

        (int channels, int outputs) = (Geometry.GroupInputChannels, Geometry.GroupOutputChannels);
        Panels panels = new((float*)AlignedBuffer<byte>.Align(ref scratch[_stagedBytes]), _plan.MaxPixels, outputs);
        FloatTileJob job = new()
        {
            SegmentOffsets = _rowOffsets.Pointer,
            Segments = _rowsAreContiguous ? 1 : work.Pixels / _plan.Geometry.Width.Output,
            SegmentLength = _rowsAreContiguous ? work.Pixels : _plan.Geometry.Width.Output,
            KStride = _pixelBytes,
            Low = float.NegativeInfinity,
            High = float.PositiveInfinity,
            Accumulate = accumulate,
        };
        for (int group = 0; group < Geometry.Groups; group++)
        {
            float* gradient = dy + ((nint)work.FirstPixel * Geometry.OutputChannels) + ((nint)group * outputs);
            panels.Pack(0, work.Pixels, gradient, Geometry.OutputChannels, 1);
            job.A = source + ((nint)group * channels);
            FloatGemm.Rows(
                _tiles, ref job, _tapOffsets.Pointer, Geometry.Depth, panels, null, sums + ((nint)group * Geometry.Depth * outputs), outputs);
        }
    }
}
