namespace Optc.Ops.Kernels;

/// <summary>A convolution of int16 activations with constant int8 weights, prepared once and run often.</summary>
/// <remarks>
/// <para>
/// <c>acc [N, OH, OW, O] = sum (x [N, H, W, C] - z_x) * w [O, KH, KW, C / G] + bias [O]</c> in 64 bits, padding
/// contributing nothing; then the output stage of a <see cref="Requantizer"/>. Exact on every path. Source:
/// <c>reference/integer_ops/conv.h</c> of TFLite, <c>ConvPerChannel</c> with 16-bit input; a dense layer is
/// <see cref="Conv2DGeometry.Dense"/>. The reference ignores zero points in convolutions (pass 0), not in dense layers.
/// </para>
/// <para>
/// Sums of up to 510 products are formed in 32 bits, where none can overflow, and added up in 64. Immutable after
/// construction; a run allocates nothing; chunks are independent.
/// </para>
/// </remarks>
public sealed unsafe class PreparedInt16Conv2D
{
    private readonly ConvolutionPlan _plan;
    private readonly IntTiles _tiles;
    private readonly PackedWords[] _weights;
    private readonly AlignedBuffer<int> _noBias;
    private readonly AlignedBuffer<long> _bias;
    private readonly KBlock[] _blocks;
    private readonly short _zeroPoint;
    private readonly Requantizer? _requantizer;
    private readonly bool _isNarrow;

    /// <param name="geometry">Shapes, padding, groups.</param>
    /// <param name="weights">Weights <c>[O, KH, KW, C / Groups]</c>, their zero point 0.</param>
    /// <param name="bias">O values in units of <c>s_x * s_w</c>, or empty for none.</param>
    /// <param name="inputZeroPoint">z_x, within int16.</param>
    /// <param name="requantizer">Output stage with O factors or one; null when only accumulators are wanted.</param>
    /// <param name="narrow">
    /// Sums wrap to 32 bits and take <see cref="Requantizer.Requantize16"/>, as with a bias of type int32; otherwise
    /// <see cref="Requantizer.RequantizeLong"/>.
    /// </param>
    /// <param name="path">Instructions to use; null for the fastest.</param>
    /// <exception cref="ArgumentException">The geometry is not valid or an array has the wrong length.</exception>
    public PreparedInt16Conv2D(
        Conv2DGeometry geometry,
        ReadOnlySpan<sbyte> weights,
        ReadOnlySpan<long> bias,
        int inputZeroPoint,
        Requantizer? requantizer,
        bool narrow = false,
        SimdPath? path = null)
    {
        geometry.Validate();
        Extent.RequireExactly(weights.Length, geometry.WeightLength, nameof(weights));
        ArgumentOutOfRangeException.ThrowIfLessThan(inputZeroPoint, short.MinValue);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(inputZeroPoint, short.MaxValue);
        if (!bias.IsEmpty)
        {
            Extent.RequireExactly(bias.Length, geometry.OutputChannels, nameof(bias));
        }

        if (requantizer is { IsUniform: false })
        {
            Extent.RequireExactly(requantizer.Factors.Length, geometry.OutputChannels, nameof(requantizer));
        }

        Geometry = geometry;
        _requantizer = requantizer;
        _isNarrow = narrow;
        _zeroPoint = (short)inputZeroPoint;
        _tiles = IntTiles.Pairs(SimdPaths.Resolve(path));
        _plan = new ConvolutionPlan(geometry, sizeof(short), mustStage: false, wordElements: 2);
        int outputs = geometry.GroupOutputChannels;
        int groupLength = outputs * geometry.Depth;
        int segments = _plan.SegmentOffsets.Length;
        _blocks = KBlock.Cut(segments, (_plan.SegmentLength + 1) / 2, KBlock.Words16By8);
        _noBias = new AlignedBuffer<int>(((long)outputs + IntTiles.MaxTileColumns) & -IntTiles.MaxTileColumns);
        _bias = new AlignedBuffer<long>(geometry.OutputChannels);
        _weights = new PackedWords[geometry.Groups];
        for (int group = 0; group < geometry.Groups; group++)
        {
            PackedWords packed = new(
                weights.Slice(group * groupLength, groupLength), outputs, segments, _plan.SegmentLength, 2);
            _weights[group] = packed;
            for (int o = 0; o < outputs; o++)
            {
                int channel = (group * outputs) + o;
                _bias.Span[channel] = (bias.IsEmpty ? 0 : bias[channel]) - ((long)inputZeroPoint * packed.ColumnSums[o]);
            }
        }
    }

    public Conv2DGeometry Geometry { get; }

    /// <summary>Independent parts of a run; depends on the shapes alone.</summary>
    public int ChunkCount => _plan.ChunkCount;

    /// <summary>Bytes of scratch each worker brings; may be zero.</summary>
    public int ScratchBytes => _plan.ScratchBytes;

    /// <summary>All chunks, one after another.</summary>
    /// <param name="input">x <c>[N, H, W, C]</c>.</param>
    /// <param name="output">y <c>[N, OH, OW, O]</c>; must not overlap the input.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>; content does not matter.</param>
    /// <exception cref="ArgumentException">A buffer is too short.</exception>
    /// <exception cref="InvalidOperationException">There is no output stage.</exception>
    public void Run(ReadOnlySpan<short> input, Span<short> output, Span<byte> scratch)
    {
        for (int chunk = 0; chunk < ChunkCount; chunk++)
        {
            RunChunk(chunk, input, output, scratch);
        }
    }

    /// <summary>One chunk: <c>0 &lt;= chunk &lt; ChunkCount</c>. Other chunks may run at the same time.</summary>
    /// <inheritdoc cref="Run"/>
    public void RunChunk(int chunk, ReadOnlySpan<short> input, Span<short> output, Span<byte> scratch)
    {
        Requantizer stage = _requantizer
            ?? throw new InvalidOperationException("The convolution was prepared without an output stage.");
        Extent.Require(output.Length, Geometry.OutputLength, nameof(output));
        ConvolutionChunk work = _plan.Chunk(chunk);
        long* sums = stackalloc long[LongTile.Length];
        fixed (short* y = output)
        {
            for (int group = 0; group < _weights.Length; group++)
            {
                int first = group * Geometry.GroupOutputChannels;
                Int16Sink sink = new(
                    y + ((nint)work.FirstPixel * Geometry.OutputChannels) + first,
                    Geometry.OutputChannels,
                    stage,
                    _isNarrow,
                    first,
                    new LongTile(sums, _bias.Pointer + first));
                RunGroup(group, work, input, scratch, ref sink);
            }
        }

        GC.KeepAlive(this);
    }

    /// <summary>The 64-bit accumulators of all chunks, before the output stage.</summary>
    /// <param name="accumulators">acc <c>[N, OH, OW, O]</c>.</param>
    /// <inheritdoc cref="Run"/>
    public void RunAccumulators(ReadOnlySpan<short> input, Span<long> accumulators, Span<byte> scratch)
    {
        Extent.Require(accumulators.Length, Geometry.OutputLength, nameof(accumulators));
        long* sums = stackalloc long[LongTile.Length];
        fixed (long* y = accumulators)
        {
            for (int chunk = 0; chunk < ChunkCount; chunk++)
            {
                ConvolutionChunk work = _plan.Chunk(chunk);
                for (int group = 0; group < _weights.Length; group++)
                {
                    int first = group * Geometry.GroupOutputChannels;
                    LongAccumulatorSink sink = new(
                        y + ((nint)work.FirstPixel * Geometry.OutputChannels) + first,
                        Geometry.OutputChannels,
                        new LongTile(sums, _bias.Pointer + first));
                    RunGroup(group, work, input, scratch, ref sink);
                }
            }
        }

        GC.KeepAlive(this);
    }

    private void RunGroup<TSink>(
        int group, ConvolutionChunk work, ReadOnlySpan<short> input, Span<byte> scratch, ref TSink sink)
        where TSink : struct, ITileSink
    {
        Extent.Require(input.Length, Geometry.InputLength, nameof(input));
        Extent.Require(scratch.Length, ScratchBytes, nameof(scratch));
        fixed (short* x = input)
        fixed (byte* lent = scratch)
        {
            short* source = _plan.Stages
                ? (short*)AlignedBuffer<byte>.Align(ref *lent)
                : x + _plan.InPlaceStart(work);
            if (_plan.Stages && group == 0)
            {
                Staging.Run(_plan, work, x, source, _zeroPoint, default(PlainCopy<short>));
            }

            IntTileJob job = new()
            {
                A = (byte*)(source + ((nint)group * Geometry.GroupInputChannels)),
                SegmentOffsets = _plan.SegmentOffsets.Pointer,
                SegmentWords = (_plan.SegmentLength + 1) / 2,
            };
            IntProduct.Rows(
                _tiles, job, _plan.PixelOffsets.Pointer, work.Pixels, _weights[group], _noBias.Pointer, _blocks, ref sink);
        }
    }
}
