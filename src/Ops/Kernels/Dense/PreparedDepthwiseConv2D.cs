using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels;

/// <summary>A float depthwise convolution, prepared once and run often.</summary>
/// <remarks>
/// <para>
/// Output channel <c>c * m + j</c> is <c>clamp(sum x [N, H, W, C][c] * w [KH, KW, C * m] + bias [C * m])</c>: taps in the
/// order kernel row, kernel column, products fused, the bias last. Source:
/// <c>reference/depthwiseconv_float.h</c> of TFLite, which rounds product and sum separately.
/// </para>
/// <para>
/// Nothing but <see cref="Load"/> changes it, which must not overlap a run. Loading and running allocate nothing. Chunks are independent: any number of workers may run them in
/// any order, each with scratch of its own, and the result has the same bits.
/// </para>
/// </remarks>
public sealed unsafe class PreparedDepthwiseConv2D : IPixelLayer
{
    private readonly ConvolutionPlan _plan;
    private readonly AlignedBuffer<float> _weights;
    private readonly AlignedBuffer<float> _bias;
    private readonly SimdPath _path;
    private readonly int _multiplier;
    private readonly bool _slides;
    private readonly float _low;
    private readonly float _high;

    /// <summary>A layer whose weights and bias do not change.</summary>
    /// <param name="geometry">Shapes and padding; as many groups as input channels.</param>
    /// <param name="weights">Weights <c>[KH, KW, C * m]</c>.</param>
    /// <param name="bias">C * m values, or empty for none.</param>
    /// <param name="low">Lower limit of the activation.</param>
    /// <param name="high">Upper limit of the activation.</param>
    /// <param name="path">Instructions to use; null for the best.</param>
    /// <exception cref="ArgumentException">
    /// The geometry is not valid or not depthwise, or an array has the wrong length.
    /// </exception>
    public PreparedDepthwiseConv2D(
        Conv2DGeometry geometry,
        ReadOnlySpan<float> weights,
        ReadOnlySpan<float> bias,
        float low = float.NegativeInfinity,
        float high = float.PositiveInfinity,
        SimdPath? path = null)
        : this(geometry, low, high, path) => Load(weights, bias);

    /// <summary>A layer whose weights and bias are zero until <see cref="Load"/>.</summary>
    /// <inheritdoc cref="PreparedDepthwiseConv2D(Conv2DGeometry, ReadOnlySpan{float}, ReadOnlySpan{float}, float, float, SimdPath?)"/>
    public PreparedDepthwiseConv2D(
        Conv2DGeometry geometry,
        float low = float.NegativeInfinity,
        float high = float.PositiveInfinity,
        SimdPath? path = null)
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
        _plan = new ConvolutionPlan(
            repeated, sizeof(float), mustStage: _multiplier > 1, wordElements: 1, perTap: true);
        _slides = geometry.Width is { Kernel: 3, Stride: 1, Dilation: 1 };
        _weights = new AlignedBuffer<float>(geometry.WeightLength);
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
    /// <param name="weights">Weights <c>[KH, KW, C * m]</c>.</param>
    /// <param name="bias">C * m values, or empty for zeros.</param>
    /// <exception cref="ArgumentException">An array has the wrong length.</exception>
    public void Load(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        Extent.RequireExactly(weights.Length, Geometry.WeightLength, nameof(weights));
        weights.CopyTo(_weights.Span);
        if (bias.IsEmpty)
        {
            _bias.Span.Clear();
            return;
        }

        Extent.RequireExactly(bias.Length, Geometry.OutputChannels, nameof(bias));
        bias.CopyTo(_bias.Span);
    }

    /// <summary>Takes over the weights of one tap.</summary>
    /// <param name="tap">Index in <c>[KH * KW]</c>.</param>
    /// <param name="weights">C * m values.</param>
    internal void LoadTap(int tap, ReadOnlySpan<float> weights) =>
        weights.CopyTo(_weights.Span.Slice(tap * Geometry.OutputChannels, Geometry.OutputChannels));

    /// <summary>All chunks, one after another.</summary>
    /// <param name="input">x <c>[N, H, W, C]</c>.</param>
    /// <param name="output">y <c>[N, OH, OW, C * m]</c>; must not overlap the input.</param>
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
            if (!_plan.Stages)
            {
                source = x + _plan.InPlaceStart(work);
            }
            else
            {
                source = (float*)AlignedBuffer<byte>.Align(ref *lent);
                if (_multiplier == 1)
                {
                    Staging.Run(_plan, work, x, source, 0f, default(PlainCopy<float>));
                }
                else
                {
                    Staging.Run(_plan, work, x, source, 0f, new RepeatingCopy<float>(_multiplier), _multiplier);
                }
            }

            Channels(source, work, target);
        }

        GC.KeepAlive(this);
    }

    private void Channels(float* source, ConvolutionChunk work, float* y)
    {
        int channels = Geometry.OutputChannels;
        int channel = 0;
        if (_path == SimdPath.Avx512)
        {
            channel = Blocks<Vector512<float>, FloatLanes512>(source, work, y, channel);
        }

        if (_path != SimdPath.Portable)
        {
            channel = Blocks<Vector256<float>, FloatLanes256>(source, work, y, channel);
        }

        channel = Blocks<Vector128<float>, FloatLanes128>(source, work, y, channel);
        if (channel < channels)
        {
            Blocks<float, FloatLane>(source, work, y, channel);
        }
    }

    /// <summary>Full vectors of channels from one on.</summary>
    /// <returns>First channel that is not done.</returns>
    private int Blocks<TVector, TLanes>(float* source, ConvolutionChunk work, float* y, int channel)
        where TVector : struct
        where TLanes : struct, IDepthwiseLanes<float, TVector>
    {
        int channels = Geometry.OutputChannels;
        DepthwiseJob<float> job = new()
        {
            TapOffsets = _plan.SegmentOffsets.Pointer,
            Taps = _plan.SegmentOffsets.Length,
            WStride = channels,
            Low = _low,
            High = _high,
            YStride = channels,
            PixelBytes = (nint)channels * sizeof(float),
        };
        int columns = _slides ? _plan.Geometry.Width.Output : work.Pixels;
        job.Lines = work.Pixels / columns;
        job.XLineBytes = _plan.Geometry.Height.Stride * _plan.RowBytes;
        job.YLineStride = (nint)columns * channels;
        int tiles = (columns + DepthwiseTile.MaxRows - 1) / DepthwiseTile.MaxRows;
        for (; channel <= channels - TLanes.Count; channel += TLanes.Count)
        {
            job.X = source + channel;
            job.W = _weights.Pointer + channel;
            job.Bias = _bias.Pointer + channel;
            int pixel = 0;
            for (int tile = 0; tile < tiles; tile++)
            {
                int height = (columns - pixel + tiles - tile - 1) / (tiles - tile);
                job.RowOffsets = _plan.PixelOffsets.Pointer + pixel;
                job.Y = y + ((nint)pixel * channels) + channel;
                if (_slides)
                {
                    DepthwiseTile.RunSliding<float, TVector, TLanes>(&job, height);
                }
                else
                {
                    DepthwiseTile.Run<float, TVector, TLanes>(&job, height);
                }

                pixel += height;
            }
        }

        return channel;
    }
}
