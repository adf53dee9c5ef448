namespace Optc.Ops.Kernels;

/// <summary>A sliding window along one spatial axis: which inputs each output reads.</summary>
/// <param name="Input">Input size in elements.</param>
/// <param name="Kernel">Number of taps.</param>
/// <param name="Stride">Distance of neighbouring outputs, in input elements.</param>
/// <param name="Dilation">Distance of neighbouring taps, in input elements; 1 for a dense kernel.</param>
/// <param name="Before">Padding in front of the first input element.</param>
/// <param name="After">Padding behind the last input element.</param>
/// <param name="Output">Output size in elements.</param>
/// <remarks>
/// <para>Tap <c>t</c> of output <c>y</c> reads input <c>y * Stride - Before + t * Dilation</c>; outside of
/// <c>[0, Input)</c> it contributes nothing.</para>
/// <para>Source: <c>ComputeOutSize</c> and <c>ComputePaddingWithOffset</c> of TFLite's kernel utilities.</para>
/// </remarks>
public readonly record struct Window(
    int Input, int Kernel, int Stride, int Dilation, int Before, int After, int Output)
{
    /// <summary>Extent of the dilated kernel in input elements: <c>(Kernel - 1) * Dilation + 1</c>.</summary>
    public int Extent => ((Kernel - 1) * Dilation) + 1;

    /// <summary>SAME padding: <c>Output = ceil(Input / Stride)</c>; of an odd padding the larger half comes after.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="input"/> is negative, another argument is not positive, or the extent does not fit an int.
    /// </exception>
    public static Window Same(int input, int kernel, int stride, int dilation = 1)
    {
        int extent = Check(input, kernel, stride, dilation);
        int output = (int)(((long)input + stride - 1) / stride);
        long total = Math.Max(0, ((output - 1L) * stride) + extent - input);
        int before = (int)(total / 2);
        return new(input, kernel, stride, dilation, before, (int)(total - before), output);
    }

    /// <summary>VALID padding: only windows that lie inside the input; none at all if the kernel is too large.</summary>
    /// <inheritdoc cref="Same" path="/exception"/>
    public static Window Valid(int input, int kernel, int stride, int dilation = 1) =>
        Explicit(input, kernel, stride, dilation, 0, 0);

    /// <summary>Given padding: <c>Output = floor((before + Input + after - Extent) / Stride) + 1</c>, not below zero.</summary>
    /// <param name="before">Padding in front; negative crops.</param>
    /// <param name="after">Padding behind; negative crops.</param>
    /// <inheritdoc cref="Same" path="/exception"/>
    public static Window Explicit(int input, int kernel, int stride, int dilation, int before, int after)
    {
        int extent = Check(input, kernel, stride, dilation);
        long room = (long)before + input + after - extent;
        long output = room < 0 ? 0 : (room / stride) + 1;
        return output <= int.MaxValue
            ? new(input, kernel, stride, dilation, before, after, (int)output)
            : throw new ArgumentOutOfRangeException(nameof(after), after, "The padded input is too large.");
    }

    /// <summary>Input position of the first tap of an output; negative inside the padding.</summary>
    public int Start(int output) => (output * Stride) - Before;

    /// <summary>The taps of an output that lie inside the input: <c>First &lt;= t &lt; End</c>.</summary>
    /// <returns>Equal bounds when the whole window lies outside.</returns>
    public (int First, int End) Taps(int output)
    {
        int start = Start(output);
        int first = start >= 0 ? 0 : Math.Min(Kernel, (int)((-(long)start + Dilation - 1) / Dilation));
        int end = start >= Input ? 0 : (int)Math.Min(Kernel, (((long)Input - start - 1) / Dilation) + 1);
        return (first, Math.Max(first, end));
    }

    /// <summary>
    /// The outputs whose windows lie inside the input completely: <c>First &lt;= y &lt; End</c>; a kernel needs no
    /// bounds checks there.
    /// </summary>
    /// <returns>Equal bounds when there are none.</returns>
    public (int First, int End) Interior()
    {
        int first = Before <= 0 ? 0 : (int)Math.Min(Output, ((long)Before + Stride - 1) / Stride);
        long room = (long)Input - Extent + Before;
        int end = room < 0 ? 0 : (int)Math.Min(Output, (room / Stride) + 1);
        return (first, Math.Max(first, end));
    }

    private static int Check(int input, int kernel, int stride, int dilation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(input);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(kernel);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stride);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dilation);
        long extent = ((kernel - 1L) * dilation) + 1;
        return extent <= int.MaxValue
            ? (int)extent
            : throw new ArgumentOutOfRangeException(nameof(dilation), dilation, "The dilated kernel is too large.");
    }
}
