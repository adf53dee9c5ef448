namespace Optc.Ops.Kernels;

/// <summary>A float layer that computes the output pixels of a chunk to wherever the caller wants them.</summary>
internal interface IPixelLayer
{
    ConvolutionPlan Plan { get; }

    /// <param name="work">A chunk of <see cref="Plan"/>.</param>
    /// <param name="input">x <c>[N, H, W, C]</c>.</param>
    /// <param name="pixels">Receives <c>[work.Pixels, O]</c>.</param>
    /// <param name="scratch">As many bytes as the plan asks for.</param>
    void RunPixels(ConvolutionChunk work, ReadOnlySpan<float> input, Span<float> pixels, Span<byte> scratch);
}
