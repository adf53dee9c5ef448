using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>The integer depthwise loops for activations of 8 or 16 bits and weights of 8 bits.</summary>
/// <typeparam name="T"><see cref="sbyte"/> or <see cref="short"/>.</typeparam>
/// <remarks>
/// The taps of a kernel row are put side by side in words of 32 bits, once for each input row of a chunk, and used by
/// every kernel row: four unsigned bytes where there is AVX-VNNI and T is sbyte, else two 16-bit elements. Sums start
/// from <see cref="Start"/>; the zero point of the input is left to the owner, who finds the weight sums here.
/// </remarks>
internal sealed unsafe class IntDepthwise<T>
    where T : unmanaged
{
    private const int ChannelBlock = 16;

    private readonly AlignedBuffer<int> _weights;
    private readonly AlignedBuffer<nint> _rowOffsets;
    private readonly AlignedBuffer<nint> _tapOffsets;
    private readonly KBlock[] _blocks;
    private readonly SimdPath _path;
    private readonly T _zeroPoint;
    private readonly int _multiplier;
    private readonly int _wordTaps;
    private readonly int _rowWords;
    private readonly int _channels;
    private readonly int _paddedChannels;
    private readonly int _wordBytes;

    /// <param name="geometry">A validated depthwise geometry.</param>
    /// <param name="weights">Weights <c>[KH, KW, C * m]</c>.</param>
    /// <param name="zeroPoint">What the padding holds.</param>
    public IntDepthwise(Conv2DGeometry geometry, ReadOnlySpan<sbyte> weights, T zeroPoint, SimdPath path)
    {
        _path = path;
        _zeroPoint = zeroPoint;
        _channels = geometry.OutputChannels;
        _multiplier = geometry.GroupOutputChannels;
        _wordTaps = UsesQuads ? 4 : 2;
        Plan = new ConvolutionPlan(
            geometry with { InputChannels = _channels, Groups = _channels },
            sizeof(T),
            mustStage: true,
            wordElements: 1,
            perTap: true);
        (Window height, Window width) = (Plan.Geometry.Height, Plan.Geometry.Width);
        _rowWords = (width.Kernel + _wordTaps - 1) / _wordTaps;
        _paddedChannels = (_channels + 7) / 8 * 8;
        nint pixelBytes = checked((nint)_rowWords * _paddedChannels * sizeof(int));
        _wordBytes = checked((int)(Plan.MaxInputRows * width.Output * pixelBytes));

        // Taps that fill up the last word of a kernel row read behind it, with weights of zero.
        int readBehind = checked(_rowWords * _wordTaps * width.Dilation * _channels * sizeof(T));
        ScratchBytes = checked(
            _wordBytes + AlignedBuffer<int>.Alignment + (Plan.MaxInputRows * (int)Plan.RowBytes) + readBehind);

        _rowOffsets = new AlignedBuffer<nint>(Plan.MaxPixels);
        for (int pixel = 0; pixel < Plan.MaxPixels; pixel++)
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

        _blocks = typeof(T) == typeof(short)
            ? KBlock.Cut(_tapOffsets.Length, 1, KBlock.Words16By8)
            : [new(0, _tapOffsets.Length, 0, 1)];
        _weights = new AlignedBuffer<int>((long)_tapOffsets.Length * _paddedChannels);
        Start = new AlignedBuffer<int>(_paddedChannels);
        WeightSums = new int[_channels];
        Pack(geometry, weights);
    }

    public ConvolutionPlan Plan { get; }

    public int ScratchBytes { get; }

    /// <summary>Whether 128 is added to every input element.</summary>
    public bool UsesQuads => typeof(T) == typeof(sbyte) && _path == SimdPath.AvxVnni;

    /// <summary>Sum of the weights of each output channel.</summary>
    public int[] WeightSums { get; }

    /// <summary>What the sum of each output channel starts from; zero until the owner writes it.</summary>
    public AlignedBuffer<int> Start { get; }

    /// <summary>One chunk: hands every finished tile to the sink.</summary>
    /// <param name="input">All of x.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>.</param>
    public void Run<TSink>(ConvolutionChunk work, T* input, byte* scratch, ref TSink sink)
        where TSink : struct, ITileSink
    {
        int* words = (int*)AlignedBuffer<byte>.Align(ref *scratch);
        BuildWords(work, input, words, (T*)((byte*)words + _wordBytes));
        if (UsesQuads && AvxVnni.IsSupported)
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

        GC.KeepAlive(this);
    }

    private void Pack(Conv2DGeometry geometry, ReadOnlySpan<sbyte> weights)
    {
        int kernelWidth = geometry.Width.Kernel;
        int bits = 32 / _wordTaps;
        int mask = (int)((1L << bits) - 1);
        for (int c = 0; c < _channels; c++)
        {
            for (int tap = 0; tap < geometry.Height.Kernel * kernelWidth; tap++)
            {
                int weight = weights[(tap * _channels) + c];
                int column = tap % kernelWidth;
                int word = (tap / kernelWidth * _rowWords) + (column / _wordTaps);
                _weights.Span[(word * _paddedChannels) + c] |= (weight & mask) << (column % _wordTaps * bits);
                WeightSums[c] += weight;
            }
        }
    }

    /// <summary>Words <c>[input rows of the chunk][OW][words of a kernel row][channels]</c>.</summary>
    /// <param name="staged">Room for the input rows with their padding.</param>
    private void BuildWords(ConvolutionChunk work, T* input, int* words, T* staged)
    {
        if (_multiplier == 1)
        {
            Staging.Run(Plan, work, input, staged, _zeroPoint, default(PlainCopy<T>));
        }
        else
        {
            Staging.Run(Plan, work, input, staged, _zeroPoint, new RepeatingCopy<T>(_multiplier), _multiplier);
        }

        Window width = Plan.Geometry.Width;
        nint tap = (nint)width.Dilation * _channels;
        nint step = (nint)width.Stride * _channels;

        // At stride 1 the words of a row are one run over pixels and channels alike.
        bool isRun = width.Stride == 1 && _rowWords == 1 && _paddedChannels == _channels;
        int count = isRun ? width.Output * _channels : _channels;
        int calls = isRun ? 1 : width.Output;
        for (int row = 0; row < work.InputRows; row++)
        {
            T* from = (T*)((byte*)staged + (row * Plan.RowBytes));
            for (int call = 0; call < calls; call++)
            {
                for (int word = 0; word < _rowWords; word++)
                {
                    T* first = from + (word * _wordTaps * tap);
                    if (typeof(T) == typeof(short))
                    {
                        DepthwiseWords.Pairs((short*)first, tap, words, count);
                    }
                    else if (_wordTaps == 4)
                    {
                        DepthwiseWords.Quads((sbyte*)first, tap, words, count);
                    }
                    else
                    {
                        DepthwiseWords.Pairs((sbyte*)first, tap, words, count);
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
                for (int part = 0; part < _blocks.Length; part++)
                {
                    KBlock block = _blocks[part];
                    job.TapOffsets = _tapOffsets.Pointer + block.FirstSegment;
                    job.Taps = block.Segments;
                    int* weights = _weights.Pointer + ((nint)block.FirstSegment * _paddedChannels);
                    int lane = 0;
                    for (; lane <= lanes - TWideLanes.Count; lane += TWideLanes.Count)
                    {
                        Aim(ref job, words, weights, tile, channel, lane);
                        DepthwiseTile.Run<int, TWide, TWideLanes>(&job, height);
                    }

                    for (; lane < lanes; lane += TNarrowLanes.Count)
                    {
                        Aim(ref job, words, weights, tile, channel, lane);
                        DepthwiseTile.Run<int, TNarrow, TNarrowLanes>(&job, height);
                    }

                    KPart position = new(part == 0, part == _blocks.Length - 1);
                    int columns = Math.Min(lanes, _channels - channel);
                    sink.Store(tile, ChannelBlock, pixel, height, channel, columns, position);
                }

                pixel += height;
            }
        }
    }

    private void Aim(ref DepthwiseJob<int> job, int* words, int* weights, int* tile, int channel, int lane)
    {
        job.X = words + channel + lane;
        job.W = weights + channel + lane;
        job.Bias = Start.Pointer + channel + lane;
        job.Y = tile + lane;
    }
}
