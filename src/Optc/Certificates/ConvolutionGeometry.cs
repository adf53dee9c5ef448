using Optc.Formats.TfLite;

namespace Optc.Certificates;

/// <summary>One direction of a convolution. Tap <c>k</c> of output <c>y</c> reads <c>y * Stride - Before + k * Dilation</c>.</summary>
internal readonly record struct ConvolutionAxis(int Input, int Output, int Kernel, int Stride, int Dilation, int Before)
{
    /// <returns>Null when the output has another size than the kernels would give it.</returns>
    public static ConvolutionAxis? Of(int input, int output, int kernel, int stride, int dilation, Padding padding)
    {
        if (stride <= 0 || dilation <= 0 || kernel <= 0 || input <= 0 || output <= 0)
        {
            return null;
        }

        long extent = (((long)kernel - 1) * dilation) + 1;
        long size = padding == Padding.Same ? ((long)input + stride - 1) / stride : (input + stride - extent) / stride;
        long total = Math.Max(0, (((long)output - 1) * stride) + extent - input);
        return size != output || padding is not (Padding.Same or Padding.Valid) || extent > int.MaxValue
            ? null
            : new(input, output, kernel, stride, dilation, padding == Padding.Same ? (int)(total / 2) : 0);
    }

    /// <summary>The element that a tap reads; -1 in padding.</summary>
    public int Read(int output, int tap)
    {
        long position = ((long)output * Stride) - Before + ((long)tap * Dilation);
        return position >= 0 && position < Input ? (int)position : -1;
    }

    /// <summary>Whether a tap reads padding at some output.</summary>
    public bool CanLeave(int tap) => Read(0, tap) < 0 || Read(Output - 1, tap) < 0;
}

/// <summary>Where the taps of a convolution or pool over height and width lie.</summary>
internal sealed record ConvolutionGeometry(int Batch, ConvolutionAxis Rows, ConvolutionAxis Columns)
{
    public static ConvolutionGeometry? Of(
        ReadOnlySpan<int> input, int kernelHeight, int kernelWidth, ReadOnlySpan<int> output, Padding padding, (int Height, int Width) stride, (int Height, int Width) dilation) =>
        input[0] == output[0]
        && ConvolutionAxis.Of(input[1], output[1], kernelHeight, stride.Height, dilation.Height, padding) is { } rows
        && ConvolutionAxis.Of(input[2], output[2], kernelWidth, stride.Width, dilation.Width, padding) is { } columns
            ? new(input[0], rows, columns)
            : null;

    /// <summary>Whether a tap, numbered row by row, reads padding at some position.</summary>
    public bool CanLeave(int tap) => Rows.CanLeave(tap / Columns.Kernel) || Columns.CanLeave(tap % Columns.Kernel);
}
