using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>An int8 depthwise convolution with constant weights, prepared once and run often.</summary>
/// <remarks>
/// <para>
/// <c>acc [N, OH, OW, C * m] = sum (x [N, H, W, C] - z_x) * w [KH, KW, C * m] + bias [C * m]</c>, output channel
/// <c>c * m + j</c> reading channel c, in wrapping 32-bit arithmetic, padding contributing nothing; then the output stage
/// of a <see cref="Requantizer"/>. Exact on every path. Source: <c>reference/integer_ops/depthwise_conv.h</c> of TFLite.
/// </para>
/// <para>
/// The taps of a kernel row are put side by side in words of 32 bits, once for each input row of a chunk, and used by
/// every kernel row. Immutable after construction; a run allocates nothing; chunks are independent.
/// </para>
/// </remarks>
public sealed unsafe class PreparedInt8DepthwiseConv2D
{
    private const int ChannelBlock = 16;

    private readonly ConvolutionPlan _plan;
    private readonly AlignedBuffer<int> _weights;
    private readonly AlignedBuffer<int> _bias;
    private readonly AlignedBuffer<nint> _rowOffsets;
    private readonly AlignedBuffer<nint> _tapOffsets;
    private readonly SimdPath _path;
    private readonly Requantizer? _requantizer;
    private readonly int _multiplier;
    private readonly sbyte _zeroPoint;
    private readonly int _wordTaps;
    private readonly int _rowWords;
    private readonly int _channels;
    private readonly int _paddedChannels;
    private readonly int _wordBytes;

    /// <param name="geometry">Shapes and padding; as many groups as input channels.</param>
    /// <param name="weights">Weights <c>[KH, KW, C * m]</c>, their zero point 0.</param>
    /// <param name="bias">C * m values in units of <c>s_x * s_w</c>, or empty for none.</param>
    /// <param name="inputZeroPoint">z_x, -128 to 127.</param>
    /// <param name="requantizer">Output stage with C * m factors or one; null when only accumulators are wanted.</param>
    /// <param name="path">Instructions to use; null for the fastest.</param>
    /// <exception cref="ArgumentException">
    /// The geometry is not valid or not depthwise, or an array has the wrong length.
    /// </exception>
    public PreparedInt8DepthwiseConv2D(
        Conv2DGeometry geometry,
        ReadOnlySpan<sbyte> weights,
        ReadOnlySpan<int> bias,
        int inputZeroPoint,
        Requantizer? requantizer,
        SimdPath? path = null)
    {
        geometry.ValidateDepthwise();
        Extent.RequireExactly(weights.Length, geometry.WeightLength, nameof(weights));
        ArgumentOutOfRangeException.ThrowIfLessThan(inputZeroPoint, sbyte.MinValue);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(inputZeroPoint, sbyte.MaxValue);
        _channels = geometry.OutputChannels;
        if (!bias.IsEmpty)
        {
            Extent.RequireExactly(bias.Length, _channels, nameof(bias));
        }

        if (requantizer is { IsUniform: false })
        {
            Extent.RequireExactly(requantizer.Factors.Length, _channels, nameof(requantizer));
        }

        Geometry = geometry;
        _requantizer = requantizer;
        _path = path is null && SimdPaths.IsSupported(SimdPath.AvxVnni) ? SimdPath.AvxVnni : SimdPaths.Resolve(path);
        _multiplier = geometry.GroupOutputChannels;
        _wordTaps = _path == SimdPath.AvxVnni ? 4 : 2;
        _plan = new ConvolutionPlan(
            geometry with { InputChannels = _channels, Groups = _channels },
            sizeof(sbyte),
            mustStage: true,
            wordElements: 1,
            perTap: true);
        (Window height, Window width) = (_plan.Geometry.Height, _plan.Geometry.Width);
        _rowWords = (width.Kernel + _wordTaps - 1) / _wordTaps;
        _paddedChannels = (_channels + 7) / 8 * 8;
        nint pixelBytes = checked((nint)_rowWords * _paddedChannels * sizeof(int));
        _wordBytes = checked((int)(_plan.MaxInputRows * width.Output * pixelBytes));

        // Taps that fill up the last word of a kernel row read behind it, with weights of zero.
        int readBehind = checked(_rowWords * _wordTaps * width.Dilation * _channels);
        ScratchBytes = checked(
            _wordBytes + AlignedBuffer<int>.Alignment + (_plan.MaxInputRows * (int)_plan.RowBytes) + readBehind);

        _rowOffsets = new AlignedBuffer<nint>(_plan.MaxPixels);
        for (int pixel = 0; pixel < _plan.MaxPixels; pixel++)
        {
            int row = pixel / width.Output * height.Stride;
            _rowOffsets.Span[pixel] = ((row * width.Output) + (pixel % width.Output)) * pixelBytes;
        }

        _tapOffsets = new AlignedBuffer<nint>((long)height.Kernel * _rowWords);
        for (int tap = 0; tap < _tapOffsets.Length; tap++)
        {
            _tapOffsets.Span[tap] = (tap / _rowWords * height.Dilation * width.Output * pixelBytes)
                + ((nint)(tap % _rowWords) * _paddedChannels * sizeof(int));
        }

        _zeroPoint = (sbyte)inputZeroPoint;
        _weights = new AlignedBuffer<int>((long)_tapOffsets.Length * _paddedChannels);
        _bias = new AlignedBuffer<int>(_paddedChannels);
        Pack(weights, bias, inputZeroPoint + (_wordTaps == 4 ? 128 : 0));
    }

    public Conv2DGeometry Geometry { get; }

    /// <summary>Independent parts of a run; depends on the shapes alone.</summary>
    public int ChunkCount => _plan.ChunkCount;

    /// <summary>Bytes of scratch each worker brings.</summary>
    public int ScratchBytes { get; }

    /// <summary>All chunks, one after another.</summary>
    /// <param name="input">x <c>[N, H, W, C]</c>.</param>
    /// <param name="output">y <c>[N, OH, OW, C * m]</c>; must not overlap the input.</param>
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
            Int8Sink sink = new(y + ((nint)work.FirstPixel * _channels), _channels, stage, 0);
            RunChunk(work, input, scratch, ref sink);
        }
    }

    /// <summary>The accumulators of all chunks, before the output stage.</summary>
    /// <param name="accumulators">acc <c>[N, OH, OW, C * m]</c>.</param>
    /// <inheritdoc cref="Run"/>
    public void RunAccumulators(ReadOnlySpan<sbyte> input, Span<int> accumulators, Span<byte> scratch)
    {
        Extent.Require(accumulators.Length, Geometry.OutputLength, nameof(accumulators));
        fixed (int* y = accumulators)
        {
            for (int chunk = 0; chunk < ChunkCount; chunk++)
            {
                ConvolutionChunk work = _plan.Chunk(chunk);
                AccumulatorSink sink = new(y + ((nint)work.FirstPixel * _channels), _channels);
                RunChunk(work, input, scratch, ref sink);
            }
        }
    }

    private void Pack(ReadOnlySpan<sbyte> weights, ReadOnlySpan<int> bias, int addedToInput)
    {
        Window width = Geometry.Width;
        int bits = 32 / _wordTaps;
        int mask = (int)((1L << bits) - 1);
        for (int c = 0; c < _channels; c++)
        {
            int sum = 0;
            for (int tap = 0; tap < Geometry.Height.Kernel * width.Kernel; tap++)
            {
                int weight = weights[(tap * _channels) + c];
                int column = tap % width.Kernel;
                int word = (tap / width.Kernel * _rowWords) + (column / _wordTaps);
                _weights.Span[(word * _paddedChannels) + c] |= (weight & mask) << (column % _wordTaps * bits);
                sum += weight;
            }

            _bias.Span[c] = unchecked((bias.IsEmpty ? 0 : bias[c]) - (addedToInput * sum));
        }
    }

    private void RunChunk<TSink>(ConvolutionChunk work, ReadOnlySpan<sbyte> input, Span<byte> scratch, ref TSink sink)
        where TSink : struct, ITileSink
    {
        Extent.Require(input.Length, Geometry.InputLength, nameof(input));
        Extent.Require(scratch.Length, ScratchBytes, nameof(scratch));
        fixed (sbyte* x = input)
        fixed (byte* lent = scratch)
        {
            int* words = (int*)AlignedBuffer<byte>.Align(ref *lent);
            BuildWords(work, x, words, (sbyte*)words + _wordBytes);
            if (_path == SimdPath.AvxVnni && AvxVnni.IsSupported)
            {
                Channels<Vector256<int>, QuadLanes256, Vector256<int>, QuadLanes256, TSink>(words, work, ref sink);
            }
            else if (_path == SimdPath.Avx512)
            {
                Channels<Vector512<int>, PairLanes512, Vector256<int>, PairLanes256, TSink>(words, work, ref sink);
            }
            else if (_path == SimdPath.Portable)
            {
                Channels<Vector128<int>, PairLanes128, Vector128<int>, PairLanes128, TSink>(words, work, ref sink);
            }
            else
            {
                Channels<Vector256<int>, PairLanes256, Vector256<int>, PairLanes256, TSink>(words, work, ref sink);
            }
        }

        GC.KeepAlive(this);
    }

    /// <summary>Words <c>[input rows of the chunk][OW][words of a kernel row][channels]</c>.</summary>
    /// <param name="staged">Room for the input rows with their padding.</param>
    private void BuildWords(ConvolutionChunk work, sbyte* input, int* words, sbyte* staged)
    {
        if (_multiplier == 1)
        {
            Staging.Run(_plan, work, input, staged, _zeroPoint, default(PlainCopy<sbyte>));
        }
        else
        {
            Staging.Run(_plan, work, input, staged, _zeroPoint, new RepeatingCopy<sbyte>(_multiplier), _multiplier);
        }

        Window width = _plan.Geometry.Width;
        nint tap = (nint)width.Dilation * _channels;
        nint step = (nint)width.Stride * _channels;

        // At stride 1 the words of a row are one run over pixels and channels alike.
        bool isRun = width.Stride == 1 && _rowWords == 1 && _paddedChannels == _channels;
        int count = isRun ? width.Output * _channels : _channels;
        int calls = isRun ? 1 : width.Output;
        for (int row = 0; row < work.InputRows; row++)
        {
            sbyte* from = staged + (row * _plan.RowBytes);
            for (int call = 0; call < calls; call++)
            {
                for (int word = 0; word < _rowWords; word++)
                {
                    sbyte* first = from + (word * _wordTaps * tap);
                    if (_wordTaps == 4)
                    {
                        DepthwiseWords.Quads(first, tap, words, count);
                    }
                    else
                    {
                        DepthwiseWords.Pairs(first, tap, words, count);
                    }

                    words += isRun ? count : _paddedChannels;
                }

                from += step;
            }
        }
    }

    private void Channels<TWide, TWideLanes, TNarrow, TNarrowLanes, TSink>(
        int* words, ConvolutionChunk work, ref TSink sink)
        where TWide : struct
        where TWideLanes : struct, IDepthwiseLanes<int, TWide>
        where TNarrow : struct
        where TNarrowLanes : struct, IDepthwiseLanes<int, TNarrow>
        where TSink : struct, ITileSink
    {
        int* tile = stackalloc int[DepthwiseTile.MaxRows * ChannelBlock];
        DepthwiseJob<int> job = new()
        {
            TapOffsets = _tapOffsets.Pointer,
            Taps = _tapOffsets.Length,
            WStride = _paddedChannels,
            YStride = ChannelBlock,
        };
        int tiles = (work.Pixels + DepthwiseTile.MaxRows - 1) / DepthwiseTile.MaxRows;
        for (int channel = 0; channel < _channels; channel += ChannelBlock)
        {
            int lanes = Math.Min(ChannelBlock, _paddedChannels - channel);
            int pixel = 0;
            for (int at = 0; at < tiles; at++)
            {
                int height = (work.Pixels - pixel + tiles - at - 1) / (tiles - at);
                job.RowOffsets = _rowOffsets.Pointer + pixel;
                int lane = 0;
                for (; lane <= lanes - TWideLanes.Count; lane += TWideLanes.Count)
                {
                    Aim(ref job, words, tile, channel, lane);
                    DepthwiseTile.Run<int, TWide, TWideLanes>(&job, height);
                }

                for (; lane < lanes; lane += TNarrowLanes.Count)
                {
                    Aim(ref job, words, tile, channel, lane);
                    DepthwiseTile.Run<int, TNarrow, TNarrowLanes>(&job, height);
                }

                sink.Store(tile, ChannelBlock, pixel, height, channel, Math.Min(lanes, _channels - channel));
                pixel += height;
            }
        }
    }

    private void Aim(ref DepthwiseJob<int> job, int* words, int* tile, int channel, int lane)
    {
        job.X = words + channel + lane;
        job.W = _weights.Pointer + channel + lane;
        job.Bias = _bias.Pointer + channel + lane;
        job.Y = tile + lane;
    }
}
