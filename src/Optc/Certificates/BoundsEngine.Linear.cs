using System.Numerics;
using System.Runtime.InteropServices;
using Optc.Formats.TfLite;

namespace Optc.Certificates;

internal sealed partial class BoundsEngine
{
    // Products of 9-bit operands whose sum stays in 32 bits.
    private const int LongestExactRow = 32_000;

    /// <summary>
    /// Positive weights take the lower ends for the lower end of the accumulator, negative ones the upper ends. A channel whose
    /// accumulator could leave 32 bits can be anything.
    /// </summary>
    private Bounds? OfLinear(int op)
    {
        if (LinearLayer.Of(view, op) is not { } layer
            || this[layer.Input] is not { } input
            || Quantization.Of(view.Tensor(layer.Input)) is not { } x
            || Quantization.Of(view.Tensor(layer.Output)) is not { } y
            || Quantization.Clamp(view.Tensor(layer.Output), layer.Activation) is not { } clamp
            || Quantization.Range(view.Tensor(layer.Output).Type) is not { } range
            || view.Tensor(layer.Input).Type == TensorElementType.Int16
            || Split(layer) is not { } weights)
        {
            return null;
        }

        int[] low = Array.ConvertAll(input.Low, e => e - x.ZeroPoint);
        int[] high = Array.ConvertAll(input.High, e => e - x.ZeroPoint);
        long reach = 0;
        for (int i = 0; i < low.Length; i++)
        {
            reach = Math.Max(reach, Math.Max(Math.Abs((long)low[i]), Math.Abs((long)high[i])));
        }

        Bounds result = Bounds.Of(view.Count(layer.Output), range.Low, range.High);
        FixedPoint?[] factors = [.. Enumerable.Range(0, layer.Outputs).Select(o =>
            Math.Abs(weights.Bias[o]) + (weights.Magnitude[o] * reach) < 1L << 31 ? layer.Factor(o) : null)];
        long[] lowest = Filled(layer.Outputs, long.MaxValue), highest = Filled(layer.Outputs, long.MinValue);
        Accumulate(layer, weights, low, high, (element, output, accLow, accHigh) =>
        {
            lowest[output] = Math.Min(lowest[output], accLow);
            highest[output] = Math.Max(highest[output], accHigh);
            if (factors[output] is { } factor && Requantized(factor, accLow, accHigh, y.ZeroPoint, clamp) is { } image)
            {
                (result.Low[element], result.High[element]) = image;
            }
        });
        _accumulators[op] = (lowest, highest);
        return result;
    }

    private static long[] Filled(int count, long value)
    {
        long[] result = new long[count];
        Array.Fill(result, value);
        return result;
    }

    private SplitWeights? Split(LinearLayer layer)
    {
        if (_weights.TryGetValue(layer.Operator, out SplitWeights? known))
        {
            return known;
        }

        if (view.Tensor(layer.Weights).Type is not (TensorElementType.Int8 or TensorElementType.Uint8 or TensorElementType.Int4)
            || view.Integers(layer.Weights) is not { } weights)
        {
            return null;
        }

        long[]? bias = layer.Bias < 0
            ? new long[layer.Outputs]
            : view.Tensor(layer.Bias).Type == TensorElementType.Int32 ? view.WideIntegers(layer.Bias) : null;
        if (bias is null || bias.Length != layer.Outputs)
        {
            return null;
        }

        int zero = layer.WeightZero;
        SplitWeights split = new(
            Array.ConvertAll(weights, w => Math.Max(w - zero, 0)), Array.ConvertAll(weights, w => Math.Min(w - zero, 0)), new long[layer.Outputs], bias);
        for (int o = 0; o < layer.Outputs; o++)
        {
            for (int t = 0; t < layer.Taps; t++)
            {
                for (int i = 0; i < layer.Inputs; i++)
                {
                    int element = layer.Element(o, t, i);
                    split.Magnitude[o] += split.Positive[element] - split.Negative[element];
                }
            }
        }

        return _weights[layer.Operator] = split;
    }

    private static void Accumulate(LinearLayer layer, SplitWeights weights, int[] low, int[] high, Action<int, int, long, long> take)
    {
        if (layer.Geometry is not { } geometry)
        {
            int rows = low.Length / layer.Inputs;
            for (int row = 0; row < rows; row++)
            {
                for (int o = 0; o < layer.Outputs; o++)
                {
                    (long accLow, long accHigh) = Dot(weights, o * layer.Inputs, low, high, row * layer.Inputs, layer.Inputs);
                    take((row * layer.Outputs) + o, o, weights.Bias[o] + accLow, weights.Bias[o] + accHigh);
                }
            }

            return;
        }

        (ConvolutionAxis rowAxis, ConvolutionAxis columnAxis) = (geometry.Rows, geometry.Columns);
        int channels = layer.IsDepthwise ? layer.Outputs / layer.Multiplier : layer.Inputs * layer.Groups;
        int element = 0;
        for (int b = 0; b < geometry.Batch; b++)
        {
            for (int y = 0; y < rowAxis.Output; y++)
            {
                for (int x = 0; x < columnAxis.Output; x++)
                {
                    for (int o = 0; o < layer.Outputs; o++)
                    {
                        long accLow = weights.Bias[o], accHigh = weights.Bias[o];
                        int first = layer.IsDepthwise ? o / layer.Multiplier : o / (layer.Outputs / layer.Groups) * layer.Inputs;
                        for (int t = 0; t < layer.Taps; t++)
                        {
                            (int row, int column) = (rowAxis.Read(y, t / columnAxis.Kernel), columnAxis.Read(x, t % columnAxis.Kernel));
                            if (row >= 0 && column >= 0)
                            {
                                int from = ((((b * rowAxis.Input) + row) * columnAxis.Input) + column) * channels;
                                (long addLow, long addHigh) = Dot(weights, layer.Element(o, t, 0), low, high, from + first, layer.Inputs);
                                (accLow, accHigh) = (accLow + addLow, accHigh + addHigh);
                            }
                        }

                        take(element++, o, accLow, accHigh);
                    }
                }
            }
        }
    }

    private static (long Low, long High) Dot(SplitWeights weights, int firstWeight, int[] low, int[] high, int firstInput, int count)
    {
        long sumLow = 0, sumHigh = 0;
        int i = 0;
        if (count is >= 8 and <= LongestExactRow && Vector.IsHardwareAccelerated)
        {
            ReadOnlySpan<Vector<int>> positive = MemoryMarshal.Cast<int, Vector<int>>(weights.Positive.AsSpan(firstWeight, count));
            ReadOnlySpan<Vector<int>> negative = MemoryMarshal.Cast<int, Vector<int>>(weights.Negative.AsSpan(firstWeight, count));
            ReadOnlySpan<Vector<int>> lows = MemoryMarshal.Cast<int, Vector<int>>(low.AsSpan(firstInput, count));
            ReadOnlySpan<Vector<int>> highs = MemoryMarshal.Cast<int, Vector<int>>(high.AsSpan(firstInput, count));
            Vector<int> lanesLow = Vector<int>.Zero, lanesHigh = Vector<int>.Zero;
            for (int v = 0; v < positive.Length; v++)
            {
                lanesLow += (positive[v] * lows[v]) + (negative[v] * highs[v]);
                lanesHigh += (positive[v] * highs[v]) + (negative[v] * lows[v]);
            }

            (sumLow, sumHigh) = (Vector.Sum(lanesLow), Vector.Sum(lanesHigh));
            i = positive.Length * Vector<int>.Count;
        }

        for (; i < count; i++)
        {
            (long p, long n, long l, long h) = (weights.Positive[firstWeight + i], weights.Negative[firstWeight + i], low[firstInput + i], high[firstInput + i]);
            (sumLow, sumHigh) = (sumLow + (p * l) + (n * h), sumHigh + (p * h) + (n * l));
        }

        return (sumLow, sumHigh);
    }
}
