namespace Optc.Ops.Kernels;

/// <summary>An int8 depthwise convolution with constant weights, prepared once and run often.</summary>
/// <remarks>
/// <para>
/// <c>acc [N, OH, OW, C * m] = sum (x [N, H, W, C] - z_x) * w [KH, KW, C * m] + bias [C * m]</c>, output channel
/// <c>c * m + j</c> reading channel c, in wrapping 32-bit arithmetic, padding contributing nothing; then the output stage
/// of a <see cref="Requantizer"/>. Exact on every path. Source: <c>reference/integer_ops/depthwise_conv.h</c> of TFLite.
/// </para>
/// <para>Immutable after construction; a run allocates nothing; chunks are independent.</para>
/// </remarks>
public sealed unsafe class PreparedInt8DepthwiseConv2D
{
    private readonly IntDepthwise<sbyte> _loops;
    private readonly Requantizer? _requantizer;
    private readonly int _channels;

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
        SimdPath chosen = path is null && SimdPaths.IsSupported(SimdPath.AvxVnni)
            ? SimdPath.AvxVnni
            : SimdPaths.Resolve(path);
        _loops = new IntDepthwise<sbyte>(geometry, weights, (sbyte)inputZeroPoint, chosen);
        int added = inputZeroPoint + (_loops.UsesQuads ? 128 : 0);
        for (int c = 0; c < _channels; c++)
        {
            _loops.Start.Span[c] = unchecked((bias.IsEmpty ? 0 : bias[c]) - (added * _loops.WeightSums[c]));
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
        ConvolutionChunk work = _loops.Plan.Chunk(chunk);
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
                ConvolutionChunk work = _loops.Plan.Chunk(chunk);
                AccumulatorSink sink = new(y + ((nint)work.FirstPixel * _channels), _channels);
                RunChunk(work, input, scratch, ref sink);
            }
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
            _loops.Run(work, x, lent, ref sink);
        }
    }
}
