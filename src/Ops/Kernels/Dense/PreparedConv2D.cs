namespace Optc.Ops.Kernels;

/// <summary>A float convolution, prepared once and run often.</summary>
/// <remarks>
/// <para>
/// <c>y [N, OH, OW, O] = clamp(sum x [N, H, W, C] * w [O, KH, KW, C / G] + bias [O])</c>: products in the order kernel
/// row, kernel column, channel, fused, the bias last. The order is that of TFLite's reference kernel
/// (<c>reference/conv.h</c>), which rounds product and sum separately; results differ by that.
/// </para>
/// <para>
/// Nothing but <see cref="Load"/> changes it, which must not overlap a run. Loading and running allocate nothing. Chunks are independent: any number of workers may run them in
/// any order, each with scratch of its own, and the result has the same bits.
/// </para>
/// </remarks>
public sealed unsafe class PreparedConv2D : IPixelLayer
{
    private readonly ConvolutionPlan _plan;
    private readonly FloatTiles _tiles;
    private readonly PackedMatrix[] _weights;
    private readonly AlignedBuffer<float> _bias;
    private readonly float _low;
    private readonly float _high;

    /// <summary>A layer whose weights and bias do not change.</summary>
    /// <param name="geometry">Shapes, padding, groups.</param>
    /// <param name="weights">Weights <c>[O, KH, KW, C / Groups]</c>.</param>
    /// <param name="bias">O values, or empty for none.</param>
    /// <param name="low">Lower limit of the activation.</param>
    /// <param name="high">Upper limit of the activation.</param>
    /// <param name="path">Instructions to use; null for the best.</param>
    /// <exception cref="ArgumentException">The geometry is not valid or an array has the wrong length.</exception>
    public PreparedConv2D(
        Conv2DGeometry geometry,
        ReadOnlySpan<float> weights,
        ReadOnlySpan<float> bias,
        float low = float.NegativeInfinity,
        float high = float.PositiveInfinity,
        SimdPath? path = null)
        : this(geometry, low, high, path) => Load(weights, bias);

    /// <summary>A layer whose weights and bias are zero until <see cref="Load"/>.</summary>
    /// <inheritdoc cref="PreparedConv2D(Conv2DGeometry, ReadOnlySpan{float}, ReadOnlySpan{float}, float, float, SimdPath?)"/>
    public PreparedConv2D(
        Conv2DGeometry geometry,
        float low = float.NegativeInfinity,
        float high = float.PositiveInfinity,
        SimdPath? path = null)
    {
        geometry.Validate();
        Geometry = geometry;
        _tiles = FloatTiles.For(SimdPaths.Resolve(path));
        _plan = new ConvolutionPlan(geometry, sizeof(float), mustStage: false, wordElements: 1);
        _weights = new PackedMatrix[geometry.Groups];
        for (int group = 0; group < geometry.Groups; group++)
        {
            _weights[group] = new PackedMatrix(geometry.Depth, geometry.GroupOutputChannels);
        }

        _bias = new AlignedBuffer<float>(geometry.OutputChannels);
        (_low, _high) = (low, high);
    }

    public Conv2DGeometry Geometry { get; }

    /// <summary>Independent parts of a run; depends on the shapes alone.</summary>
    public int ChunkCount => _plan.ChunkCount;

    /// <summary>Bytes of scratch each worker brings; may be zero.</summary>
    public int ScratchBytes => _plan.ScratchBytes;

    ConvolutionPlan IPixelLayer.Plan => _plan;

    /// <summary>Takes over weights and bias; the runs that follow use them.</summary>
    /// <param name="weights">Weights <c>[O, KH, KW, C / Groups]</c>.</param>
    /// <param name="bias">O values, or empty for zeros.</param>
    /// <exception cref="ArgumentException">An array has the wrong length.</exception>
    public void Load(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        Extent.RequireExactly(weights.Length, Geometry.WeightLength, nameof(weights));
        int depth = Geometry.Depth;
        int groupLength = Geometry.GroupOutputChannels * depth;
        for (int group = 0; group < _weights.Length; group++)
        {
            _weights[group].Pack(weights.Slice(group * groupLength, groupLength), 1, depth);
        }

        if (bias.IsEmpty)
        {
            _bias.Span.Clear();
            return;
        }

        Extent.RequireExactly(bias.Length, Geometry.OutputChannels, nameof(bias));
        bias.CopyTo(_bias.Span);
    }

    /// <summary>Takes over the weights of one tap of one group.</summary>
    /// <param name="tap">Index in <c>[KH * KW]</c>.</param>
    /// <param name="weights">Element (c, o) of the group is <c>weights[c * inputStride + o * outputStride]</c>.</param>
    internal void LoadTap(int group, int tap, ReadOnlySpan<float> weights, int inputStride, int outputStride) =>
        _weights[group].PackRows(tap * Geometry.GroupInputChannels, Geometry.GroupInputChannels, weights, inputStride, outputStride);

    /// <summary>All chunks, one after another.</summary>
    /// <param name="input">x <c>[N, H, W, C]</c>.</param>
    /// <param name="output">y <c>[N, OH, OW, O]</c>; must not overlap the input.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>; content does not matter.</param>
    /// <exception cref="ArgumentException">A buffer is too short.</exception>
    public void Run(ReadOnlySpan<float> input, Span<float> output, Span<byte> scratch)
    {
        for (int chunk = 0; chunk < ChunkCount; chunk++)
        {
            RunChunk(chunk, input, output, scratch);
        }
    }

    /// <summary>One chunk: <c>0 &lt;= chunk &lt; ChunkCount</c>. Other chunks may run at the same time.</summary>
    /// <inheritdoc cref="Run"/>
    public void RunChunk(int chunk, ReadOnlySpan<float> input, Span<float> output, Span<byte> scratch)
    {
        Extent.Require(output.Length, Geometry.OutputLength, nameof(output));
        ConvolutionChunk work = _plan.Chunk(chunk);
        int channels = Geometry.OutputChannels;
        RunPixels(work, input, output.Slice(work.FirstPixel * channels, work.Pixels * channels), scratch);
    }

    void IPixelLayer.RunPixels(ConvolutionChunk work, ReadOnlySpan<float> input, Span<float> pixels, Span<byte> scratch) =>
        RunPixels(work, input, pixels, scratch);

    private void RunPixels(ConvolutionChunk work, ReadOnlySpan<float> input, Span<float> pixels, Span<byte> scratch)
    {
        Extent.Require(input.Length, Geometry.InputLength, nameof(input));
        Extent.Require(pixels.Length, (long)work.Pixels * Geometry.OutputChannels, nameof(pixels));
        Extent.Require(scratch.Length, ScratchBytes, nameof(scratch));
        fixed (float* x = input, target = pixels)
        fixed (byte* lent = scratch)
        {
            float* source;
            if (_plan.Stages)
            {
                source = (float*)AlignedBuffer<byte>.Align(ref *lent);
                Staging.Run(_plan, work, x, source, 0f, default(PlainCopy<float>));
            }
            else
            {
                source = x + _plan.InPlaceStart(work);
            }

            FloatTileJob job = new()
            {
                SegmentOffsets = _plan.SegmentOffsets.Pointer,
                Segments = _plan.SegmentOffsets.Length,
                SegmentLength = _plan.SegmentLength,
                KStride = sizeof(float),
                Low = _low,
                High = _high,
            };
            int inputChannels = Geometry.GroupInputChannels;
            int outputChannels = Geometry.GroupOutputChannels;
            for (int group = 0; group < _weights.Length; group++)
            {
                job.A = source + ((nint)group * inputChannels);
                int firstOutput = group * outputChannels;
                FloatGemm.Rows(
                    _tiles,
                    ref job,
                    _plan.PixelOffsets.Pointer,
                    work.Pixels,
                    _weights[group].Panels,
                    _bias.Pointer + firstOutput,
                    target + firstOutput,
                    Geometry.OutputChannels);
            }
        }

        GC.KeepAlive(this);
    }
}
