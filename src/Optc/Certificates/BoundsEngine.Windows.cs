using Optc.Formats.TfLite;

namespace Optc.Certificates;

internal sealed partial class BoundsEngine
{
    /// <summary>Pools over height and width; what lies in padding is not counted.</summary>
    private Bounds? OfPool(int op)
    {
        bool isMaximum = view.Kind(op) == BuiltinOperator.MaxPool2D;
        if (view.Operators[op] is not { Inputs: [>= 0 and int input], Outputs: [>= 0 and int output], Options: Pool2DOptions o }
            || this[input] is not { } bounds || !SameQuantization(input, output)
            || Shape(input) is not { Length: 4 } x || Shape(output) is not { Length: 4 } y || x[3] != y[3]
            || ConvolutionGeometry.Of(x, o.FilterHeight, o.FilterWidth, y, o.Padding, (o.StrideH, o.StrideW), (1, 1)) is not { } geometry
            || Quantization.Clamp(view.Tensor(output), o.FusedActivationFunction) is not { } clamp)
        {
            return null;
        }

        Bounds result = Bounds.Empty(view.Count(output));
        int channels = x[3];
        int element = 0;
        for (int b = 0; b < geometry.Batch; b++)
        {
            for (int row = 0; row < geometry.Rows.Output; row++)
            {
                for (int column = 0; column < geometry.Columns.Output; column++)
                {
                    List<int> window = Window(geometry, b, row, column, channels);
                    if (window.Count == 0)
                    {
                        return null;
                    }

                    for (int c = 0; c < channels; c++, element++)
                    {
                        (int low, int high) = isMaximum
                            ? (window.Max(w => bounds.Low[w + c]), window.Max(w => bounds.High[w + c]))
                            : (Average(bounds.Low, window, c).Low, Average(bounds.High, window, c).High);
                        (result.Low[element], result.High[element]) = (Math.Clamp(low, clamp.Low, clamp.High), Math.Clamp(high, clamp.Low, clamp.High));
                    }
                }
            }
        }

        return result;
    }

    /// <summary>Where the first channel of every element of a window stands.</summary>
    private static List<int> Window(ConvolutionGeometry geometry, int batch, int row, int column, int channels)
    {
        List<int> window = [];
        for (int ky = 0; ky < geometry.Rows.Kernel; ky++)
        {
            for (int kx = 0; kx < geometry.Columns.Kernel; kx++)
            {
                if (geometry.Rows.Read(row, ky) is >= 0 and int y && geometry.Columns.Read(column, kx) is >= 0 and int x)
                {
                    window.Add(((((batch * geometry.Rows.Input) + y) * geometry.Columns.Input) + x) * channels);
                }
            }
        }

        return window;
    }

    /// <summary>The mean as the reference kernels round it (half away from zero); both neighbours where runtimes may round otherwise.</summary>
    private (int Low, int High) Average(int[] values, List<int> window, int channel)
    {
        long sum = 0;
        foreach (int w in window)
        {
            sum += values[w + channel];
        }

        int count = window.Count;
        int exact = (int)((sum > 0 ? sum + (count / 2) : sum - (count / 2)) / count);
        return (roundings & Roundings.Float32) == 0
            ? (exact, exact)
            : (Math.Min(exact, (int)Math.Floor((double)sum / count)), Math.Max(exact, (int)Math.Ceiling((double)sum / count)));
    }

    /// <summary>MEAN and SUM.</summary>
    private Bounds? OfReduction(int op)
    {
        if (Reduced(op) is not { } reduction
            || Quantization.Of(view.Tensor(reduction.Input)) is not { } p
            || Quantization.Of(view.Tensor(reduction.Output)) is not { } q
            || Quantization.Range(view.Tensor(reduction.Output).Type) is not { } range
            || FixedPoint.Of((double)p.Scale / q.Scale, p.Scale / q.Scale) is not { } factor)
        {
            return null;
        }

        long count = reduction.Count;
        (long q64, int exponent) = (factor.Q, factor.E);
        double real = (double)p.Scale / q.Scale;
        if (view.Kind(op) == BuiltinOperator.Mean)
        {
            int shift = Math.Min(Math.Min(63 - (int)long.LeadingZeroCount(count), 32), 31 + exponent);
            if (shift < 0)
            {
                return null;
            }

            (q64, exponent, real) = ((q64 << shift) / count, exponent - shift, real / count);
        }

        if (q64 is < 0 or > int.MaxValue || exponent is < -31 or > 30)
        {
            return null;
        }

        FixedPoint final = new((int)q64, exponent, (float)real);
        long[] low = new long[view.Count(reduction.Output)], high = new long[low.Length];
        for (int i = 0; i < reduction.Target.Length; i++)
        {
            low[reduction.Target[i]] += reduction.Bounds.Low[i] - p.ZeroPoint;
            high[reduction.Target[i]] += reduction.Bounds.High[i] - p.ZeroPoint;
        }

        Bounds result = Bounds.Empty(low.Length);
        Roundings exact = roundings & ~Roundings.Float32;
        for (int i = 0; i < low.Length; i++)
        {
            (int smallest, int largest) = (int.MaxValue, int.MinValue);
            if (exact != Roundings.None)
            {
                if (!final.TryImage(low[i], high[i], exact, out long a, out long b))
                {
                    return null;
                }

                (smallest, largest) = ((int)Math.Clamp(a + q.ZeroPoint, range.Low, range.High), (int)Math.Clamp(b + q.ZeroPoint, range.Low, range.High));
            }

            if ((roundings & Roundings.Float32) != 0)
            {
                (int a, int b) = Rounded(low[i] * real, high[i] * real, q.ZeroPoint, range);
                (smallest, largest) = (Math.Min(smallest, a), Math.Max(largest, b));
            }

            (result.Low[i], result.High[i]) = (smallest, largest);
        }

        return result;
    }

    private Bounds? OfReducedExtremum(int op)
    {
        if (Reduced(op) is not { } reduction || !SameQuantization(reduction.Input, reduction.Output))
        {
            return null;
        }

        bool isMaximum = view.Kind(op) == BuiltinOperator.ReduceMax;
        Bounds result = Bounds.Of(view.Count(reduction.Output), isMaximum ? int.MinValue : int.MaxValue, isMaximum ? int.MinValue : int.MaxValue);
        for (int i = 0; i < reduction.Target.Length; i++)
        {
            int target = reduction.Target[i];
            (int low, int high) = (reduction.Bounds.Low[i], reduction.Bounds.High[i]);
            result.Low[target] = isMaximum ? Math.Max(result.Low[target], low) : Math.Min(result.Low[target], low);
            result.High[target] = isMaximum ? Math.Max(result.High[target], high) : Math.Min(result.High[target], high);
        }

        return result;
    }

    /// <summary>For every element of the input the element of the result that it goes into.</summary>
    private Reduction? Reduced(int op)
    {
        if (view.Operators[op] is not { Inputs: [>= 0 and int input, >= 0 and int axesTensor], Outputs: [>= 0 and int output] }
            || this[input] is not { Length: > 0 } bounds
            || view.Integers(axesTensor) is not { } given
            || Positions.Axes(given, Shape(input).Length) is not { } axes)
        {
            return null;
        }

        int[] kept = Shape(input).ToArray();
        foreach (int axis in axes)
        {
            kept[axis] = 1;
        }

        return Positions.Broadcast(kept, Shape(input)) is { } target && GraphView.Count([.. kept]) == view.Count(output)
            ? new(input, output, bounds, target, bounds.Length / view.Count(output))
            : null;
    }

    private sealed record Reduction(int Input, int Output, Bounds Bounds, int[] Target, long Count);
}
