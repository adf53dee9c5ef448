namespace Optc.Ops.Kernels;

/// <summary>The gradient of a float depthwise convolution with regard to its input, prepared once and run often.</summary>
/// <remarks>
/// <c>dx [N, H, W, C]</c> from <c>dy [N, OH, OW, C * m]</c> and <c>w [KH, KW, C * m]</c>: a depthwise convolution of dy with the
/// flipped weights, in phases as <see cref="PreparedConv2DInputGradient"/>; then the m results of a channel are added.
/// </remarks>
public sealed class PreparedDepthwiseConv2DInputGradient
{
    private readonly InputGradientGrid<PreparedDepthwiseConv2D> _grid;
    private readonly (GradientPhase Rows, GradientPhase Columns, PreparedDepthwiseConv2D Layer)[] _layers;

    /// <param name="geometry">The forward convolution.</param>
    /// <param name="path">Instructions to use; null for the best.</param>
    /// <exception cref="ArgumentException">The geometry is not valid or not depthwise.</exception>
    public PreparedDepthwiseConv2DInputGradient(Conv2DGeometry geometry, SimdPath? path = null)
    {
        geometry.ValidateDepthwise();
        Geometry = geometry;
        int channels = geometry.OutputChannels;
        _grid = new(geometry, channels, (rows, columns) => new(
            new Conv2DGeometry(geometry.Batch, rows.Window, columns.Window, channels, channels, channels), path: path));
        _layers = [.. _grid.Layers];
    }

    /// <summary>The forward convolution.</summary>
    public Conv2DGeometry Geometry { get; }

    /// <summary>Independent parts of a run; depends on the shapes alone.</summary>
    public int ChunkCount => _grid.ChunkCount;

    /// <summary>Bytes of scratch each worker brings; may be zero.</summary>
    public int ScratchBytes => _grid.ScratchBytes;

    /// <summary>Takes over the weights; the runs that follow use them.</summary>
    /// <param name="weights">Weights <c>[KH, KW, C * m]</c>.</param>
    /// <exception cref="ArgumentException">The array has the wrong length.</exception>
    public void Load(ReadOnlySpan<float> weights)
    {
        Extent.RequireExactly(weights.Length, Geometry.WeightLength, nameof(weights));
        int channels = Geometry.OutputChannels;
        foreach ((GradientPhase rows, GradientPhase columns, PreparedDepthwiseConv2D layer) in _layers)
        {
            int width = columns.Window.Kernel;
            for (int tap = 0; tap < rows.Window.Kernel * width; tap++)
            {
                int forward = (rows.ForwardTap(tap / width) * Geometry.Width.Kernel) + columns.ForwardTap(tap % width);
                layer.LoadTap(tap, weights.Slice(forward * channels, channels));
            }
        }
    }

    /// <inheritdoc cref="PreparedConv2DInputGradient.RunChunk"/>
    public void RunChunk(int chunk, ReadOnlySpan<float> dy, Span<float> dx, Span<byte> scratch) =>
        _grid.RunChunk(chunk, dy, dx, scratch);
}
