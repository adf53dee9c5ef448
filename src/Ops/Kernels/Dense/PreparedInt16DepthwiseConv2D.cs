namespace Optc.Ops.Kernels;

/// <summary>
/// A depthwise convolution of int16 activations with constant int8 weights, prepared once and run often.
/// </summary>
/// <remarks>
/// <para>
/// <c>acc [N, OH, OW, C * m] = sum (x [N, H, W, C] - z_x) * w [KH, KW, C * m] + bias [C * m]</c> in 64 bits, output
/// channel <c>c * m + j</c> reading channel c, padding contributing nothing; then the output stage of a
/// <see cref="Requantizer"/>. Exact on every path. Source: <c>reference/integer_ops/depthwise_conv.h</c> of TFLite with
/// 16-bit input, which ignores zero points (pass 0).
/// </para>
/// <para>Immutable after construction; a run allocates nothing; chunks are independent.</para>
/// </remarks>
public sealed unsafe class PreparedInt16DepthwiseConv2D
{
    private readonly IntDepthwise<short> _loops;
    private readonly AlignedBuffer<long> _bias;
    private readonly Requantizer? _requantizer;
    private readonly bool _isNarrow;
    private readonly int _channels;

    /// <param name="geometry">Shapes and padding; as many groups as input channels.</param>
    /// <param name="weights">Weights <c>[KH, KW, C * m]</c>, their zero point 0.</param>
    /// <param name="bias">C * m values in units of <c>s_x * s_w</c>, or empty for none.</param>
    /// <param name="inputZeroPoint">z_x, within int16.</param>
    /// <param name="requantizer">Output stage with C * m factors or one; null when only accumulators are wanted.</param>
    /// <param name="narrow">
    /// Sums wrap to 32 bits and take <see cref="Requantizer.Requantize16"/>, as with a bias of type int32; otherwise
    /// <see cref="Requantizer.RequantizeLong"/>.
    /// </param>
    /// <param name="path">Instructions to use; null for the fastest.</param>
    /// <exception cref="ArgumentException">
    /// The geometry is not valid or not depthwise, or an array has the wrong length.
    /// </exception>
    public PreparedInt16DepthwiseConv2D(
        Conv2DGeometry geometry,
        ReadOnlySpan<sbyte> weights,
        ReadOnlySpan<long> bias,
        int inputZeroPoint,
        Requantizer? requantizer,
        bool narrow = false,
        SimdPath? path = null)
    {
        geometry.ValidateDepthwise();
        Extent.RequireExactly(weights.Length, geometry.WeightLength, nameof(weights));
        ArgumentOutOfRangeException.ThrowIfLessThan(inputZeroPoint, short.MinValue);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(inputZeroPoint, short.MaxValue);
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
        _isNarrow = narrow;
        _loops = new IntDepthwise<short>(geometry, weights, (short)inputZeroPoint, SimdPaths.Resolve(path));
        _bias = new AlignedBuffer<long>(_channels);
        for (int c = 0; c < _channels; c++)
        {
            _bias.Span[c] = (bias.IsEmpty ? 0 : bias[c]) - ((long)inputZeroPoint * _loops.WeightSums[c]);
        }
    }

    public Conv2DGeometry Geometry { get; }

    /// <summary>Independent parts of a run; depends on the shapes alone.</summary>
    public int ChunkCount => _loops.Plan.ChunkCount;

    /// <summary>Bytes of scratch each worker brings.</summary>
    public int ScratchBytes => _loops.ScratchBytes;

    /// <summary>All chunks, one after another.</summary>
    /// <param name="input">x <c>[N, H, W, C]</c>.</param>
    /// <param name="output">y <c>[N, OH, OW, C * m]</c>; must not overlap the input.</param>
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
        ConvolutionChunk work = _loops.Plan.Chunk(chunk);
        long* sums = stackalloc long[LongTile.Length];
        fixed (short* y = output)
        {
            Int16Sink sink = new(
                y + ((nint)work.FirstPixel * _channels),
                _channels,
                stage,
                _isNarrow,
                0,
                new LongTile(sums, _bias.Pointer));
            RunChunk(work, input, scratch, ref sink);
        }

        GC.KeepAlive(this);
    }

    /// <summary>The 64-bit accumulators of all chunks, before the output stage.</summary>
    /// <param name="accumulators">acc <c>[N, OH, OW, C * m]</c>.</param>
    /// <inheritdoc cref="Run"/>
    public void RunAccumulators(ReadOnlySpan<short> input, Span<long> accumulators, Span<byte> scratch)
    {
        Extent.Require(accumulators.Length, Geometry.OutputLength, nameof(accumulators));
        long* sums = stackalloc long[LongTile.Length];
        fixed (long* y = accumulators)
        {
            for (int chunk = 0; chunk < ChunkCount; chunk++)
            {
                ConvolutionChunk work = _loops.Plan.Chunk(chunk);
                LongAccumulatorSink sink = new(
                    y + ((nint)work.FirstPixel * _channels), _channels, new LongTile(sums, _bias.Pointer));
                RunChunk(work, input, scratch, ref sink);
            }
        }

        GC.KeepAlive(this);
    }

    private void RunChunk<TSink>(ConvolutionChunk work, ReadOnlySpan<short> input, Span<byte> scratch, ref TSink sink)
        where TSink : struct, ITileSink
    {
        Extent.Require(input.Length, Geometry.InputLength, nameof(input));
        Extent.Require(scratch.Length, ScratchBytes, nameof(scratch));
        fixed (short* x = input)
        fixed (byte* lent = scratch)
        {
            _loops.Run(work, x, lent, ref sink);
        }
    }
}
