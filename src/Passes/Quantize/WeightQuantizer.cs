using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Optc.Ir;

namespace Optc.Passes.Quantize;

/// <summary>Integers of a weight tensor with their scales.</summary>
/// <param name="Widened">Scales that are larger than the weights need, for the sake of the bias.</param>
internal sealed record QuantizedWeights(TensorData Data, QuantParams Quant, int Widened);

/// <summary>Symmetric weights and the biases that belong to them.</summary>
internal static class WeightQuantizer
{
    private const int Largest = sbyte.MaxValue;

    /// <summary>
    /// i8 weights of -127..127 with zero point 0, so that a weight and its negative are both on the grid: scale = largest
    /// magnitude / 127, of the tensor or of each slice along an axis. A slice of zeros takes the scale of the tensor.
    /// </summary>
    /// <param name="data">f32, dense, finite.</param>
    /// <param name="axis">Output channels.</param>
    /// <param name="smallest">Least scale for each channel, or empty.</param>
    /// <remarks>Source: TFLite's specification of 8-bit quantization.</remarks>
    public static QuantizedWeights Quantize(TensorData data, int axis, bool perChannel, ReadOnlySpan<double> smallest = default)
    {
        ReadOnlySpan<float> values = data.AsFloats();
        int channels = perChannel && data.Shape.Rank > axis ? data.Shape[axis] : 1;
        int inner = perChannel ? AffineGrid.InnerSize(data.Shape, axis) : Math.Max(values.Length, 1);
        float[] magnitudes = new float[channels];
        for (int start = 0, slice = 0; start < values.Length; start += inner, slice++)
        {
            ref float magnitude = ref magnitudes[slice % channels];
            magnitude = Math.Max(magnitude, Math.Abs(TensorPrimitives.MaxMagnitude(values.Slice(start, inner))));
        }

        float whole = channels == 0 ? 0 : TensorPrimitives.Max(magnitudes);
        int widened = 0;
        float[] scales = new float[channels];
        for (int c = 0; c < channels; c++)
        {
            float magnitude = magnitudes[c] > 0 ? magnitudes[c] : whole > 0 ? whole : Largest;
            scales[c] = AffineGrid.ScaleOf((double)magnitude / Largest);
            double least = smallest.IsEmpty ? 0 : smallest[Math.Min(c, smallest.Length - 1)];
            if (scales[c] < least)
            {
                scales[c] = AffineGrid.ScaleOf(least);
                widened++;
            }
        }

        sbyte[] integers = new sbyte[values.Length];
        for (int start = 0, slice = 0; start < values.Length; start += inner, slice++)
        {
            double scale = scales[slice % channels];
            for (int i = start; i < start + inner; i++)
            {
                integers[i] = (sbyte)Math.Clamp(AffineGrid.Round(values[i] / scale), -Largest, Largest);
            }
        }

        ImmutableArray<long> zeros = [.. new long[channels]];
        return new(
            TensorData.From<sbyte>(DType.I8, data.Shape, integers).With(Carried(data.Structure, channels > 1 ? channels : 1, axis)),
            new(ImmutableCollectionsMarshal.AsImmutableArray(scales), zeros, channels > 1 ? axis : 0),
            widened);
    }

    /// <summary>The codes of weights that lie on a grid, with the scales of that grid.</summary>
    /// <param name="data">f32, dense, with a grid.</param>
    /// <param name="smallest">Least scale for each channel, or empty.</param>
    /// <remarks>
    /// A channel whose scale is below the least has weights that are nothing beside its bias: they become zeros, and the scale is free.
    /// </remarks>
    public static QuantizedWeights OnGrid(TensorData data, ReadOnlySpan<double> smallest = default)
    {
        WeightStructure structure = data.Structure!;
        WeightGrid grid = structure.Grid!;
        ImmutableArray<long> codes = structure.Codes(data);
        float[] scales = [.. grid.Scales];
        bool[] dropped = new bool[scales.Length];
        for (int c = 0; c < scales.Length; c++)
        {
            double least = smallest.IsEmpty ? 0 : smallest[Math.Min(c, smallest.Length - 1)];
            if (scales[c] < Math.Max(least, AffineGrid.SmallestScale))
            {
                (scales[c], dropped[c]) = (AffineGrid.ScaleOf(least), true);
            }
        }

        ChannelMap map = new(data.Shape, grid.Axis);
        sbyte[] integers = new sbyte[codes.Length];
        for (int i = 0; i < integers.Length; i++)
        {
            bool isDropped = dropped[scales.Length == 1 ? 0 : map.ChannelOf(i)];
            integers[i] = isDropped ? (sbyte)0 : (sbyte)Math.Clamp(codes[i], -Largest, Largest);
        }

        // Without a pinned zero, dropped channels may add it to the codes.
        WeightStructure kept = structure with
        {
            Grid = null,
            Codebook = structure.Codebook is { PinsZero: false } book && Array.Exists(dropped, d => d) ? book with { Codes = book.Codes + 1 } : structure.Codebook,
        };
        return new(
            TensorData.From<sbyte>(DType.I8, data.Shape, integers).With(kept),
            new(ImmutableCollectionsMarshal.AsImmutableArray(scales), [.. new long[scales.Length]], scales.Length > 1 ? grid.Axis : 0),
            dropped.Count(d => d));
    }

    /// <summary>
    /// What holds of the integers of weights that leave their grid: zeros stay, and codes that channels of different scales share become
    /// different ones.
    /// </summary>
    private static WeightStructure? Carried(WeightStructure? structure, int channels, int axis)
    {
        if (structure?.Codebook is not { } book)
        {
            return structure is null ? null : structure with { Grid = null };
        }

        book = structure.Grid is { } grid && grid.Scales.Length > book.Groups ? book with { Groups = grid.Scales.Length, Axis = grid.Axis } : book;
        return structure with { Grid = null, Codebook = channels > book.Groups ? book with { Groups = channels, Axis = axis } : book };
    }

    /// <summary>True when the integers of weights can be the codes of the grid that they lie on.</summary>
    /// <param name="axis">Output channels of the layer.</param>
    /// <param name="perChannel">The layer may have a scale for each of them.</param>
    public static bool CanKeepGrid(TensorData data, int axis, bool perChannel) =>
        data.Structure?.Grid is { Bits: <= 8 } grid && (grid.Scales.Length == 1 || (perChannel && grid.Axis == axis));

    /// <summary>
    /// Least scales of weights with which a bias, in steps of input scale times weight scale, stays below a limit.
    /// </summary>
    /// <param name="bias">One value for each channel.</param>
    /// <param name="perChannel">One scale for each value of the bias, else one for all.</param>
    /// <param name="limit">Magnitude of the integers.</param>
    /// <remarks>Source: the adjustment of weight scales in TFLite's post-training quantizer, with the same limit for 32 bits.</remarks>
    public static double[] SmallestScales(ReadOnlySpan<float> bias, bool perChannel, float inputScale, double limit)
    {
        double[] scales = new double[perChannel ? bias.Length : 1];
        for (int c = 0; c < bias.Length; c++)
        {
            ref double scale = ref scales[perChannel ? c : 0];
            scale = Math.Max(scale, Math.Abs((double)bias[c]) / limit / inputScale);
        }

        return scales;
    }

    /// <summary>A bias in steps of input scale times weight scale.</summary>
    /// <param name="type">i32 or i64.</param>
    /// <returns><see langword="null"/> when a scale is no positive finite number.</returns>
    public static QuantizedWeights? Bias(TensorData bias, DType type, float inputScale, QuantParams weights)
    {
        ReadOnlySpan<float> values = bias.AsFloats();
        float[] scales = [.. weights.Scales.Select(s => inputScale * s)];
        if (scales.AsSpan().ContainsAnyExceptInRange(float.Epsilon, float.MaxValue))
        {
            return null;
        }

        long[] integers = new long[values.Length];
        for (int c = 0; c < integers.Length; c++)
        {
            integers[c] = (long)AffineGrid.Round(values[c] / (double)scales[scales.Length == 1 ? 0 : c]);
        }

        TensorData data = type is DType.I64
            ? TensorData.From<long>(type, bias.Shape, integers)
            : TensorData.From<int>(type, bias.Shape, Array.ConvertAll(integers, i => (int)Math.Clamp(i, int.MinValue, int.MaxValue)));
        return new(data, new(ImmutableCollectionsMarshal.AsImmutableArray(scales), [.. new long[scales.Length]]), 0);
    }

    /// <summary>Signal to quantization noise, dB.</summary>
    public static double Sqnr(ReadOnlySpan<float> original, ReadOnlySpan<float> approximation)
    {
        double signal = 0;
        double noise = 0;
        for (int i = 0; i < original.Length; i++)
        {
            double error = (double)original[i] - approximation[i];
            signal += (double)original[i] * original[i];
            noise += error * error;
        }

        return noise == 0 ? double.PositiveInfinity : 10 * Math.Log10(signal / noise);
    }
}
