namespace Optc.Ops.Kernels.Resize;

/// <summary>One output row of bilinear interpolation, NHWC: channels lie side by side.</summary>
public static class BilinearRow
{
    /// <summary>float32, products and sums in the order of the reference.</summary>
    /// <param name="lower">Input row before the sample, <c>[W, C]</c>.</param>
    /// <param name="upper">Input row behind the sample.</param>
    /// <param name="fy">Place of the sample between both rows.</param>
    /// <param name="columns">Taps along the row.</param>
    /// <param name="channels">C.</param>
    /// <param name="y">Output row, <c>[w, C]</c>.</param>
    /// <remarks>Source: <c>ResizeBilinear</c> of <c>reference/resize_bilinear.h</c>.</remarks>
    public static void Float(
        ReadOnlySpan<float> lower, ReadOnlySpan<float> upper, float fy, ResizeAxis columns, int channels, Span<float> y)
    {
        for (int i = 0; i < columns.Lower.Length; i++)
        {
            (int left, int right, float fx) = (columns.Lower[i] * channels, columns.Upper[i] * channels, columns.Fraction[i]);
            ReadOnlySpan<float> a00 = lower.Slice(left, channels);
            ReadOnlySpan<float> a10 = upper.Slice(left, channels);
            ReadOnlySpan<float> a01 = lower.Slice(right, channels);
            ReadOnlySpan<float> a11 = upper.Slice(right, channels);
            Span<float> target = y.Slice(i * channels, channels);
            for (int c = 0; c < target.Length; c++)
            {
                target[c] = (a00[c] * (1 - fy) * (1 - fx)) + (a10[c] * fy * (1 - fx)) + (a01[c] * (1 - fy) * fx) + (a11[c] * fy * fx);
            }
        }
    }

    /// <summary>Legacy uint8: the float formula, then half is added and the fraction cut off.</summary>
    public static void Legacy(
        ReadOnlySpan<byte> lower, ReadOnlySpan<byte> upper, float fy, ResizeAxis columns, int channels, Span<byte> y)
    {
        for (int i = 0; i < columns.Lower.Length; i++)
        {
            (int left, int right, float fx) = (columns.Lower[i] * channels, columns.Upper[i] * channels, columns.Fraction[i]);
            for (int c = 0; c < channels; c++)
            {
                float sum = (lower[left + c] * (1 - fy) * (1 - fx)) + (upper[left + c] * fy * (1 - fx))
                    + (lower[right + c] * (1 - fy) * fx) + (upper[right + c] * fy * fx);
                y[(i * channels) + c] = (byte)(sum + 0.5f);
            }
        }
    }

    /// <summary>int8 with 32-bit sums; weights have 20 fractional bits, halves round away from zero.</summary>
    /// <remarks>Source: <c>ResizeBilinearInteger</c> of <c>reference/resize_bilinear.h</c>.</remarks>
    public static void Int8(
        ReadOnlySpan<sbyte> lower, ReadOnlySpan<sbyte> upper, int fy, ResizeAxis columns, int channels, Span<sbyte> y)
    {
        for (int i = 0; i < columns.Lower.Length; i++)
        {
            (int left, int right, int fx) = (columns.Lower[i] * channels, columns.Upper[i] * channels, columns.Fixed[i]);
            int w00 = (1024 - fy) * (1024 - fx);
            int w10 = fy * (1024 - fx);
            int w01 = (1024 - fy) * fx;
            int w11 = fy * fx;
            for (int c = 0; c < channels; c++)
            {
                int sum = (lower[left + c] * w00) + (upper[left + c] * w10) + (lower[right + c] * w01) + (upper[right + c] * w11);
                y[(i * channels) + c] = (sbyte)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
            }
        }
    }

    /// <summary>int8 with taps of 11 fractional bits, one rounding, halves up.</summary>
    /// <remarks>Source: XNNPACK's <c>s8-ibilinear</c> micro-kernels; <see cref="RoundingProfile.Xnnpack"/>.</remarks>
    public static void OnceRounded(
        ReadOnlySpan<sbyte> lower, ReadOnlySpan<sbyte> upper, int fy, ResizeAxis columns, int channels, Span<sbyte> y)
    {
        for (int i = 0; i < columns.Lower.Length; i++)
        {
            (int left, int right, int fx) = (columns.Lower[i] * channels, columns.Upper[i] * channels, columns.Fixed[i]);
            for (int c = 0; c < channels; c++)
            {
                int top = (lower[left + c] * (2048 - fx)) + (lower[right + c] * fx);
                int bottom = (upper[left + c] * (2048 - fx)) + (upper[right + c] * fx);
                y[(i * channels) + c] = (sbyte)(((top * (2048 - fy)) + (bottom * fy) + (1 << 21)) >> 22);
            }
        }
    }

    /// <summary>int16 with 64-bit sums, else as <see cref="Int8"/>.</summary>
    public static void Int16(
        ReadOnlySpan<short> lower, ReadOnlySpan<short> upper, int fy, ResizeAxis columns, int channels, Span<short> y)
    {
        for (int i = 0; i < columns.Lower.Length; i++)
        {
            (int left, int right, int fx) = (columns.Lower[i] * channels, columns.Upper[i] * channels, columns.Fixed[i]);
            long w00 = (1024 - fy) * (1024 - fx);
            long w10 = fy * (1024 - fx);
            long w01 = (1024 - fy) * fx;
            long w11 = fy * fx;
            for (int c = 0; c < channels; c++)
            {
                long sum = (lower[left + c] * w00) + (upper[left + c] * w10) + (lower[right + c] * w01) + (upper[right + c] * w11);
                y[(i * channels) + c] = (short)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
            }
        }
    }
}
