using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>An int8 convolution with constant weights, prepared once and run often.</summary>
/// <remarks>
/// <para>
/// <c>acc [N, OH, OW, O] = sum (x [N, H, W, C] - z_x) * w [O, KH, KW, C / G] + bias [O]</c> in wrapping 32-bit
/// arithmetic, padding contributing nothing; then the output stage of a <see cref="Requantizer"/>. Exact on every path.
/// Source: <c>reference/integer_ops/conv.h</c> of TFLite; a dense layer is <see cref="Conv2DGeometry.Dense"/>.
/// </para>
/// <para>
/// Immutable after construction. A run allocates nothing. Chunks are independent: any number of workers may run them in
/// any order, each with scratch of its own.
/// </para>
/// </remarks>
public sealed unsafe class PreparedInt8Conv2D
{
    private readonly ConvolutionPlan _plan;
    private readonly IntTiles _tiles;
    private readonly bool _isUnsigned;
    private readonly PackedWords[] _weights;
    private readonly AlignedBuffer<int> _bias;
    private readonly KBlock[] _blocks;
    private readonly int _groupBias;
    private readonly int _zeroPoint;
    private readonly Requantizer? _requantizer;

    /// <param name="geometry">Shapes, padding, groups.</param>
    /// <param name="weights">Weights <c>[O, KH, KW, C / Groups]</c>, their zero point 0.</param>
    /// <param name="bias">O values in units of <c>s_x * s_w</c>, or empty for none.</param>
    /// <param name="inputZeroPoint">z_x, -128 to 127.</param>
    /// <param name="requantizer">Output stage with O factors or one; null when only accumulators are wanted.</param>
    /// <param name="path">Instructions to use; null for the fastest.</param>
    /// <exception cref="ArgumentException">The geometry is not valid or an array has the wrong length.</exception>
    public PreparedInt8Conv2D(
        Conv2DGeometry geometry,
        ReadOnlySpan<sbyte> weights,
        ReadOnlySpan<int> bias,
        int inputZeroPoint,
        Requantizer? requantizer,
        SimdPath? path = null)
    {
        geometry.Validate();
        Extent.RequireExactly(weights.Length, geometry.WeightLength, nameof(weights));
        ArgumentOutOfRangeException.ThrowIfLessThan(inputZeroPoint, sbyte.MinValue);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(inputZeroPoint, sbyte.MaxValue);
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
        _zeroPoint = inputZeroPoint;
        SimdPath chosen = path is null ? SimdPaths.ForInt8(geometry.Depth) : SimdPaths.Resolve(path);
        _isUnsigned = chosen == SimdPath.AvxVnni && AvxVnni.IsSupported;
        int wordElements = _isUnsigned ? 4 : 2;
        _plan = new ConvolutionPlan(geometry, 4 / wordElements, mustStage: !_isUnsigned, wordElements);
        _tiles = !_isUnsigned ? IntTiles.Pairs(chosen)
            : _plan.Stages ? IntTiles.UnsignedQuads
            : IntTiles.SignedQuads;

        int outputs = geometry.GroupOutputChannels;
        int groupLength = outputs * geometry.Depth;
        int segments = _plan.SegmentOffsets.Length;
        int added = inputZeroPoint + (_isUnsigned ? 128 : 0);
        _groupBias = (outputs + IntTiles.MaxTileColumns - 1) / IntTiles.MaxTileColumns * IntTiles.MaxTileColumns;
        _bias = new AlignedBuffer<int>((long)_groupBias * geometry.Groups);
        _blocks = [new(0, segments, 0, (_plan.SegmentLength + wordElements - 1) / wordElements)];
        _weights = new PackedWords[geometry.Groups];
        for (int group = 0; group < geometry.Groups; group++)
        {
            PackedWords packed = new(
                weights.Slice(group * groupLength, groupLength), outputs, segments, _plan.SegmentLength, wordElements);
            _weights[group] = packed;
            for (int o = 0; o < outputs; o++)
            {
                int start = bias.IsEmpty ? 0 : bias[(group * outputs) + o];
                _bias.Span[(group * _groupBias) + o] = unchecked(start - (added * packed.ColumnSums[o]));
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
    public void Run(ReadOnlySpan<sbyte> input, Span<sbyte> output, Span<byte> scratch)
    {
        for (int chunk = 0; chunk < ChunkCount; chunk++)
        {
            RunChunk(chunk, input, output, scratch);
        }
    }

    /// <summary>One chunk: <c>0 &lt;= chunk &lt; ChunkCount</c>. Other chunks may run at the same time.</summary>
    /// <inheritdoc cref="Run"/>
    public void RunChunk(int chunk, ReadOnlySpan<sbyte> input, Span<sbyte> output, Span<byte> scratch)
    {
        Requantizer stage = _requantizer
            ?? throw new InvalidOperationException("The convolution was prepared without an output stage.");
        Extent.Require(output.Length, Geometry.OutputLength, nameof(output));
        ConvolutionChunk work = _plan.Chunk(chunk);
        fixed (sbyte* y = output)
        {
            for (int group = 0; group < _weights.Length; group++)
            {
                int first = group * Geometry.GroupOutputChannels;
                Int8Sink sink = new(
                    y + ((nint)work.FirstPixel * Geometry.OutputChannels) + first, Geometry.OutputChannels, stage, first);
                RunGroup(group, work, input, scratch, ref sink);
            }
        }
    }

    /// <summary>The accumulators of all chunks, before the output stage.</summary>
    /// <param name="accumulators">acc <c>[N, OH, OW, O]</c>.</param>
    /// <inheritdoc cref="Run"/>
    public void RunAccumulators(ReadOnlySpan<sbyte> input, Span<int> accumulators, Span<byte> scratch)
    {
        Extent.Require(accumulators.Length, Geometry.OutputLength, nameof(accumulators));
        fixed (int* y = accumulators)
        {
            for (int chunk = 0; chunk < ChunkCount; chunk++)
            {
                ConvolutionChunk work = _plan.Chunk(chunk);
                for (int group = 0; group < _weights.Length; group++)
                {
                    int first = group * Geometry.GroupOutputChannels;
                    AccumulatorSink sink = new(
                        y + ((nint)work.FirstPixel * Geometry.OutputChannels) + first, Geometry.OutputChannels);
                    RunGroup(group, work, input, scratch, ref sink);
                }
            }
        }
    }

    private void RunGroup<TSink>(
        int group, ConvolutionChunk work, ReadOnlySpan<sbyte> input, Span<byte> scratch, ref TSink sink)
        where TSink : struct, ITileSink
    {
        Extent.Require(input.Length, Geometry.InputLength, nameof(input));
        Extent.Require(scratch.Length, ScratchBytes, nameof(scratch));
        int elementSize = _isUnsigned ? sizeof(byte) : sizeof(short);
        fixed (sbyte* x = input)
        fixed (byte* lent = scratch)
        {
            byte* source = _plan.Stages
                ? AlignedBuffer<byte>.Align(ref *lent)
                : (byte*)(x + _plan.InPlaceStart(work));
            if (_plan.Stages && group == 0)
            {
                Stage(work, x, source);
            }

            IntTileJob job = new()
            {
                A = source + ((nint)group * Geometry.GroupInputChannels * elementSize),
                SegmentOffsets = _plan.SegmentOffsets.Pointer,
                Segments = _plan.SegmentOffsets.Length,
                SegmentWords = _weights[group].Words / _plan.SegmentOffsets.Length,
            };
            IntProduct.Rows(
                _tiles,
                job,
                _plan.PixelOffsets.Pointer,
                work.Pixels,
                _weights[group],
                _bias.Pointer + (group * _groupBias),
                _blocks,
                ref sink);
        }

        GC.KeepAlive(this);
    }

    private void Stage(ConvolutionChunk work, sbyte* x, byte* to)
    {
        if (_isUnsigned)
        {
            Staging.Run(_plan, work, x, to, (byte)(_zeroPoint + 128), default(UnsignedCopy));
        }
        else
        {
            Staging.Run(_plan, work, x, (short*)to, (short)_zeroPoint, default(WideningCopy));
        }
    }
}
