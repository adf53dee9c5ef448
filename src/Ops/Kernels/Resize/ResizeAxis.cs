namespace Optc.Ops.Kernels.Resize;

/// <summary>For each output position of one axis of an image: the input positions it is computed from.</summary>
/// <param name="Lower">Position before (or at) the sample.</param>
/// <param name="Upper">Position behind (or at) the sample.</param>
/// <param name="Fraction">Place of the sample between both; negative at the border with half-pixel centres.</param>
/// <param name="Fixed">The same in units of 1/1024, for the integer kernel; 0 where both positions are one.</param>
public sealed record ResizeAxis(int[] Lower, int[] Upper, float[] Fraction, int[] Fixed)
{
    private const int One = 1024;

    /// <summary>Taps of bilinear interpolation in float32.</summary>
    /// <remarks>Source: <c>ComputeInterpolationValues</c> of <c>reference/resize_bilinear.h</c>.</remarks>
    public static ResizeAxis Bilinear(int input, int output, bool alignCorners, bool halfPixel)
    {
        float scale = Scale(input, output, alignCorners);
        ResizeAxis axis = new(new int[output], new int[output], new float[output], []);
        for (int i = 0; i < output; i++)
        {
            float place = halfPixel ? ((i + 0.5f) * scale) - 0.5f : i * scale;
            axis.Lower[i] = Math.Clamp((int)MathF.Floor(place), 0, input - 1);
            axis.Upper[i] = Math.Min((int)MathF.Ceiling(place), input - 1);
            axis.Fraction[i] = place - axis.Lower[i];
        }

        return axis;
    }

    /// <summary>Taps of bilinear interpolation with 10 fractional bits.</summary>
    /// <remarks>Source: <c>ResizeBilinearInteger</c> of <c>reference/resize_bilinear.h</c>.</remarks>
    public static ResizeAxis BilinearFixed(int input, int output, bool alignCorners, bool halfPixel)
    {
        long scale = alignCorners && output > 1
            ? (((long)One * (input - 1)) + ((output - 1) / 2)) / (output - 1)
            : (((long)One * input) + (output / 2)) / output;
        ResizeAxis axis = new(new int[output], new int[output], [], new int[output]);
        for (int i = 0; i < output; i++)
        {
            long place = (i * scale) + (halfPixel ? (scale / 2) - (One / 2) : 0);
            axis.Lower[i] = (int)Math.Clamp(place / One, 0, input - 1);
            axis.Upper[i] = (int)Math.Min((place + One - 1) / One, input - 1);

            // Rounding of the scale may carry the last positions of a long axis beyond the input, where both taps are
            // the last element and any fraction gives it.
            axis.Fixed[i] = axis.Lower[i] == axis.Upper[i] ? 0 : (int)(place - ((long)One * axis.Lower[i]));
        }

        return axis;
    }

    /// <summary>Taps of bilinear interpolation with 11 fractional bits, in <see cref="Fixed"/>.</summary>
    /// <remarks>Source: XNNPACK's <c>xnn_indirection_init_resize_bilinear2d_hwc_q11</c>; <see cref="RoundingProfile.Xnnpack"/>.</remarks>
    public static ResizeAxis BilinearEleven(int input, int output, bool alignCorners, bool halfPixel)
    {
        float scale = Scale(input, output, alignCorners);
        ResizeAxis axis = new(new int[output], new int[output], [], new int[output]);
        for (int i = 0; i < output; i++)
        {
            float place = Math.Clamp(halfPixel ? ((i + 0.5f) * scale) - 0.5f : i * scale, 0, input - 1);
            axis.Lower[i] = (int)place;
            axis.Upper[i] = Math.Min(axis.Lower[i] + 1, input - 1);
            axis.Fixed[i] = (int)MathF.Round((place - axis.Lower[i]) * 2048, MidpointRounding.ToEven);
        }

        return axis;
    }

    /// <summary>The nearest input position of each output position.</summary>
    /// <remarks>Source: <c>GetNearestNeighbor</c> of <c>reference/resize_nearest_neighbor.h</c>.</remarks>
    public static int[] Nearest(int input, int output, bool alignCorners, bool halfPixel)
    {
        float scale = Scale(input, output, alignCorners);
        int[] positions = new int[output];
        for (int i = 0; i < output; i++)
        {
            float place = (i + (halfPixel ? 0.5f : 0)) * scale;
            float whole = alignCorners ? MathF.Round(place, MidpointRounding.AwayFromZero) : MathF.Floor(place);
            positions[i] = Math.Clamp((int)whole, 0, input - 1);
        }

        return positions;
    }

    private static float Scale(int input, int output, bool alignCorners) => alignCorners && output > 1
        ? (input - 1) / (float)(output - 1)
        : input / (float)output;
}
