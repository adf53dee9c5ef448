using System.Diagnostics;
using Optc.Ir;

namespace Optc.Passes.Quantize;

/// <summary>Scales and zero points for ranges of real numbers, and constants on such grids.</summary>
public static class AffineGrid
{
    /// <summary>
    /// Smallest scale that is given: the product of two of them, which is the scale of a bias, is still a normal float32.
    /// </summary>
    public const float SmallestScale = 1f / (1L << 60);

    /// <summary>
    /// The grid of a type that covers a range and 0, which it holds exactly: 255 steps between the ends for i8, with a zero
    /// point; 32767 steps to the larger magnitude for i16, without.
    /// </summary>
    /// <param name="type">i8 or i16.</param>
    /// <param name="range">Finite ends; an empty range or a single 0 gives a scale of 1.</param>
    /// <remarks>Source: Jacob et al. 2018, section 3.1; TFLite's specification of 8-bit and 16x8 quantization.</remarks>
    public static QuantParams Covering(DType type, ValueRange range)
    {
        (double low, double high) = (Math.Min(range.Low, 0), Math.Max(range.High, 0));
        if (range.IsEmpty || low == high)
        {
            return new(1, 0);
        }

        switch (type)
        {
            case DType.I8:
                float scale = ScaleOf((high - low) / 255);
                return new(scale, (long)Math.Clamp(Round(sbyte.MinValue - (low / scale)), sbyte.MinValue, sbyte.MaxValue));
            case DType.I16:
                return new(ScaleOf(Math.Max(-low, high) / short.MaxValue), 0);
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>The real numbers between the ends of a per-tensor grid.</summary>
    public static ValueRange RangeOf(DType type, QuantParams grid)
    {
        (int low, int high) = Limits(type);
        return new(grid.Scale * (double)(low - grid.ZeroPoint), grid.Scale * (double)(high - grid.ZeroPoint));
    }

    /// <summary>The integers of a constant, <c>clamp(round(x / s) + z)</c>, halves away from zero.</summary>
    /// <param name="data">f32, dense, finite.</param>
    /// <param name="type">i8 or i16.</param>
    public static TensorData Quantize(TensorData data, DType type, QuantParams grid)
    {
        ReadOnlySpan<float> values = data.AsFloats();
        (int low, int high) = Limits(type);
        double scale = grid.Scale;
        if (type is DType.I8)
        {
            sbyte[] bytes = new sbyte[values.Length];
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (sbyte)Math.Clamp(Round(values[i] / scale) + grid.ZeroPoint, low, high);
            }

            return TensorData.From<sbyte>(type, data.Shape, bytes);
        }

        short[] words = new short[values.Length];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = (short)Math.Clamp(Round(values[i] / scale) + grid.ZeroPoint, low, high);
        }

        return TensorData.From<short>(type, data.Shape, words);
    }

    /// <summary>Real values of an i8 or i16 constant.</summary>
    public static float[] Dequantize(TensorData data, QuantParams grid)
    {
        float[] values = new float[data.Shape.ElementCount];
        int inner = grid.IsPerAxis ? InnerSize(data.Shape, grid.Axis) : 1;
        for (int i = 0; i < values.Length; i++)
        {
            int channel = grid.IsPerAxis ? i / inner % grid.Scales.Length : 0;
            int raw = data.DType is DType.I8 ? data.Span<sbyte>()[i] : data.Span<short>()[i];
            values[i] = (float)((double)grid.Scales[channel] * (raw - grid.ZeroPointAt(channel)));
        }

        return values;
    }

    /// <summary>A scale as it is stored, never 0 and never infinite.</summary>
    internal static float ScaleOf(double step) => Math.Clamp((float)step, SmallestScale, float.MaxValue);

    internal static double Round(double value) => Math.Round(value, MidpointRounding.AwayFromZero);

    /// <summary>Elements behind one index of an axis.</summary>
    internal static int InnerSize(Shape shape, int axis)
    {
        int size = 1;
        for (int i = axis + 1; i < shape.Rank; i++)
        {
            size *= shape[i];
        }

        return size;
    }

    internal static bool IsFinite(TensorData data) => data.ToDense().AsFloats().IndexOfAnyExceptInRange(float.MinValue, float.MaxValue) < 0;

    private static (int Low, int High) Limits(DType type) => type switch
    {
        DType.I8 => (sbyte.MinValue, sbyte.MaxValue),
        DType.I16 => (short.MinValue, short.MaxValue),
        _ => throw new UnreachableException(),
    };
}
