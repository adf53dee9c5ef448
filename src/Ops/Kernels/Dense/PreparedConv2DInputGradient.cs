namespace Optc.Ops.Kernels;

/// <summary>The gradient of a float convolution with regard to its input, prepared once and run often.</summary>
/// <remarks>
/// <para>
/// <c>dx [N, H, W, C]</c> from <c>dy [N, OH, OW, O]</c> and <c>w [O, KH, KW, C / G]</c>. At stride 1 this is a convolution of
/// dy with the flipped weights, input and output channels exchanged; a larger stride is cut into phases of that form, so
/// that no product with an inserted zero is computed.
/// </para>
/// <para>Loading and running allocate nothing; chunks are independent, and the bits do not depend on who runs them.</para>
/// </remarks>
public sealed class PreparedConv2DInputGradient
{
    private readonly InputGradientGrid<PreparedConv2D> _grid;
    private readonly (GradientPhase Rows, GradientPhase Columns, PreparedConv2D Layer)[] _layers;

    /// <param name="geometry">The forward convolution.</param>
    /// <param name="path">Instructions to use; null for the best.</param>
    /// <exception cref="ArgumentException">The geometry is not valid.</exception>
    public PreparedConv2DInputGradient(Conv2DGeometry geometry, SimdPath? path = null)
    {
        geometry.Validate();
        Geometry = geometry;
        _grid = new(geometry, geometry.InputChannels, (rows, columns) => new(
            new Conv2DGeometry(geometry.Batch, rows.Window, columns.Window, geometry.OutputChannels, geometry.InputChannels, geometry.Groups),
            path: path));
        _layers = [.. _grid.Layers];
    }

    /// <summary>The forward convolution.</summary>
    public Conv2DGeometry Geometry { get; }

    /// <summary>Independent parts of a run; depends on the shapes alone.</summary>
    public int ChunkCount => _grid.ChunkCount;

    /// <summary>Bytes of scratch each worker brings; may be zero.</summary>
    public int ScratchBytes => _grid.ScratchBytes;

    /// <summary>Packs the weights; the runs that follow use them.</summary>
    /// <param name="weights">Weights <c>[O, KH, KW, C / G]</c>.</param>
    /// <exception cref="ArgumentException">The array has the wrong length.</exception>
    public void Load(ReadOnlySpan<float> weights)
    {
        Extent.RequireExactly(weights.Length, Geometry.WeightLength, nameof(weights));
        int depth = Geometry.Depth;
        int channels = Geometry.GroupInputChannels;
        foreach ((GradientPhase rows, GradientPhase columns, PreparedConv2D layer) in _layers)
        {
            int width = columns.Window.Kernel;
            for (int tap = 0; tap < rows.Window.Kernel * width; tap++)
            {
                int forward = (rows.ForwardTap(tap / width) * Geometry.Width.Kernel) + columns.ForwardTap(tap % width);
                for (int group = 0; group < Geometry.Groups; group++)
                {
                    int from = (group * Geometry.GroupOutputChannels * depth) + (forward * channels);
                    layer.LoadTap(group, tap, weights[from..], depth, 1);
                }
            }
        }
    }

    /// <summary>One chunk: <c>0 &lt;= chunk &lt; ChunkCount</c>. Other chunks may run at the same time.</summary>
    /// <param name="dy">Gradient of the output <c>[N, OH, OW, O]</c>.</param>
    /// <param name="dx">Receives the gradient of the input <c>[N, H, W, C]</c>.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/>; content does not matter.</param>
    /// <exception cref="ArgumentException">A buffer is too short.</exception>
    public void RunChunk(int chunk, ReadOnlySpan<float> dy, Span<float> dx, Span<byte> scratch) =>
        _grid.RunChunk(chunk, dy, dx, scratch);
}
