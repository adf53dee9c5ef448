using System.Numerics.Tensors;
using Optc.Ir;
using Optc.Ops.Bounds;
using Optc.Ops.Kernels;

namespace Optc.Passes.Shrink;

/// <summary>Bounds through convolutions and dense layers.</summary>
/// <remarks>
/// A positive weight takes the smaller end of its operand for the smallest sum, a negative one the larger. Requantization grows with the
/// sum in every way of rounding, so its ends are those of the result. Source: interval arithmetic; Moore, "Interval Analysis", 1966.
/// </remarks>
internal sealed class ProductBounds : NodeBounds
{
    private readonly ProductSum _sum;
    private readonly Roundings _roundings;
    private readonly Shape _result;
    private readonly int[] _positive;
    private readonly int[] _negative;
    private readonly (long Low, long High)[] _sums;

    public ProductBounds(ProductSum sum, Shape result, Roundings roundings)
    {
        (_sum, _result, _roundings) = (sum, result, roundings);
        _positive = Array.ConvertAll(sum.Weights, w => Math.Max(w, 0));
        _negative = Array.ConvertAll(sum.Weights, w => Math.Min(w, 0));
        _sums = new (long, long)[sum.Outputs];
    }

    public override (long Low, long High)[] Sums => _sums;

    public override ElementBounds[] Of(ReadOnlySpan<ElementBounds> inputs)
    {
        ElementBounds x = inputs[0];
        Conv2DGeometry geometry = _sum.Geometry;
        bool[] overflows = Array.ConvertAll(Reach(_sum, x), r => r > int.MaxValue);
        Array.Fill(_sums, (long.MaxValue, long.MinValue));
        ElementBounds y = new(_result, new int[_result.ElementCount], new int[_result.ElementCount]);
        int outputs = _sum.Outputs;
        int[] low = new int[outputs];
        int[] high = new int[outputs];
        int pixel = 0;
        for (int n = 0; n < geometry.Batch; n++)
        {
            for (int oy = 0; oy < geometry.Height.Output; oy++)
            {
                for (int ox = 0; ox < geometry.Width.Output; ox++, pixel++)
                {
                    _sum.Bias.CopyTo(low, 0);
                    _sum.Bias.CopyTo(high, 0);
                    AddTaps(x, n, oy, ox, low, high);
                    Finish(y, pixel * outputs, low, high, overflows);
                }
            }
        }

        return [y];
    }

    /// <summary>For each output no less than any sum of some of its terms can be, whatever their order.</summary>
    public static long[] Reach(ProductSum sum, ElementBounds x)
    {
        int inputs = sum.Inputs;
        int outputs = sum.Outputs;
        long[] farthest = new long[inputs];
        for (int e = 0; e < x.Low.Length; e++)
        {
            int i = e % inputs;
            farthest[i] = Math.Max(farthest[i], Math.Max(Math.Abs(x.Low[e] - sum.InputZeroPoint), Math.Abs(x.High[e] - sum.InputZeroPoint)));
        }

        long[] reach = Array.ConvertAll(sum.Bias, b => Math.Abs((long)b));
        for (int k = 0; k < sum.Weights.Length; k++)
        {
            int o = k % outputs;
            reach[o] += farthest[sum.IsDepthwise ? o / (outputs / inputs) : k / outputs % inputs] * Math.Abs(sum.Weights[k]);
        }

        return reach;
    }

    private void AddTaps(ElementBounds x, int n, int oy, int ox, int[] low, int[] high)
    {
        Conv2DGeometry geometry = _sum.Geometry;
        (Window rows, Window columns) = (geometry.Height, geometry.Width);
        (int firstRow, int endRow) = rows.Taps(oy);
        (int firstColumn, int endColumn) = columns.Taps(ox);
        for (int ky = firstRow; ky < endRow; ky++)
        {
            int iy = rows.Start(oy) + (ky * rows.Dilation);
            for (int kx = firstColumn; kx < endColumn; kx++)
            {
                int ix = columns.Start(ox) + (kx * columns.Dilation);
                int from = ((((n * rows.Input) + iy) * columns.Input) + ix) * geometry.InputChannels;
                int tap = (ky * columns.Kernel) + kx;
                if (_sum.IsDepthwise)
                {
                    AddChannels(x, from, tap, low, high);
                }
                else
                {
                    AddProducts(x, from, tap, low, high);
                }
            }
        }
    }

    private void AddProducts(ElementBounds x, int from, int tap, int[] low, int[] high)
    {
        int outputs = _sum.Outputs;
        for (int i = 0; i < _sum.Inputs; i++)
        {
            int a = x.Low[from + i] - _sum.InputZeroPoint;
            int b = x.High[from + i] - _sum.InputZeroPoint;
            int row = ((tap * _sum.Inputs) + i) * outputs;
            if (a == b)
            {
                if (a != 0)
                {
                    ReadOnlySpan<int> weights = _sum.Weights.AsSpan(row, outputs);
                    TensorPrimitives.MultiplyAdd(weights, a, low, low);
                    TensorPrimitives.MultiplyAdd(weights, a, high, high);
                }

                continue;
            }

            ReadOnlySpan<int> positive = _positive.AsSpan(row, outputs);
            ReadOnlySpan<int> negative = _negative.AsSpan(row, outputs);
            TensorPrimitives.MultiplyAdd(positive, a, low, low);
            TensorPrimitives.MultiplyAdd(negative, b, low, low);
            TensorPrimitives.MultiplyAdd(positive, b, high, high);
            TensorPrimitives.MultiplyAdd(negative, a, high, high);
        }
    }

    private void AddChannels(ElementBounds x, int from, int tap, int[] low, int[] high)
    {
        int outputs = _sum.Outputs;
        int filters = outputs / _sum.Inputs;
        int row = tap * outputs;
        for (int o = 0; o < outputs; o++)
        {
            int e = from + (o / filters);
            int a = x.Low[e] - _sum.InputZeroPoint;
            int b = x.High[e] - _sum.InputZeroPoint;
            unchecked
            {
                low[o] += (_positive[row + o] * a) + (_negative[row + o] * b);
                high[o] += (_positive[row + o] * b) + (_negative[row + o] * a);
            }
        }
    }

    private void Finish(ElementBounds y, int at, int[] low, int[] high, bool[] overflows)
    {
        for (int o = 0; o < low.Length; o++)
        {
            if (overflows[o]
                || !_sum.TryRequantize(low[o], o, _roundings, out int least, out _)
                || !_sum.TryRequantize(high[o], o, _roundings, out _, out int most))
            {
                (y.Low[at + o], y.High[at + o]) = (_sum.Range.Low, _sum.Range.High);
                _sums[o] = (int.MinValue, int.MaxValue);
                continue;
            }

            (y.Low[at + o], y.High[at + o]) = (least, most);
            _sums[o] = (Math.Min(_sums[o].Low, low[o]), Math.Max(_sums[o].High, high[o]));
        }
    }
}
