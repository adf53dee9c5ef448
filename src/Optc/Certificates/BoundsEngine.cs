using System.Globalization;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Certificates;

/// <summary>
/// Bounds of every element of every 8- or 16-bit tensor of a graph, for all inputs, through the exact requantization of the
/// kernels. What an operator without a rule writes can be anything.
/// </summary>
/// <param name="roundings">The requantizations that bounds hold for: each operator may round by any of them.</param>
internal sealed partial class BoundsEngine(GraphView view, Roundings roundings)
{
    // Some minutes of work and some hundred megabytes: more than any model of the size of a microcontroller.
    private const long MostElements = 1L << 26;
    private const long MostProducts = 1L << 36;

    private readonly Bounds?[] _known = new Bounds?[view.Graph.Tensors.Length];
    private readonly Bounds?[] _constants = new Bounds?[view.Graph.Tensors.Length];
    private readonly Dictionary<int, (long[] Low, long[] High)> _accumulators = [];
    private readonly Dictionary<int, SplitWeights> _weights = [];

    /// <summary>What a tensor can be; null for one that is not of small integers.</summary>
    public Bounds? this[int tensor] => tensor < 0 ? null : _known[tensor] ??= OfConstant(tensor) ?? Anything(tensor);

    /// <summary>The smallest and the largest accumulator of a channel of a linear layer; null where nothing is known of it.</summary>
    public (long Low, long High)? Accumulator(int op, int channel) =>
        _accumulators.TryGetValue(op, out (long[] Low, long[] High) all) && channel < all.Low.Length && all.Low[channel] <= all.High[channel]
            ? (all.Low[channel], all.High[channel])
            : null;

    /// <summary>Bounds for all inputs, or for those given.</summary>
    /// <exception cref="DiagnosticException">The graph is too large to be analysed.</exception>
    public void Run(IReadOnlyDictionary<int, Bounds>? inputs = null)
    {
        Array.Clear(_known);
        _accumulators.Clear();
        if (inputs is null)
        {
            Measure();
        }

        foreach ((int tensor, Bounds bounds) in inputs ?? new Dictionary<int, Bounds>())
        {
            _known[tensor] = bounds;
        }

        for (int o = 0; o < view.Operators.Length; o++)
        {
            OperatorRecord record = view.Operators[o];
            if (record.Outputs.All(t => t < 0 || Quantization.Range(view.Tensor(t).Type) is null))
            {
                continue;
            }

            Bounds?[] results = Transfer(o);
            for (int i = 0; i < results.Length && i < record.Outputs.Length; i++)
            {
                if (record.Outputs[i] is >= 0 and int tensor && results[i] is { } bounds && bounds.Length == view.Count(tensor)
                    && Quantization.Range(view.Tensor(tensor).Type) is not null)
                {
                    _known[tensor] = bounds;
                }
            }
        }
    }

    private Bounds?[] Transfer(int op) => view.Kind(op) switch
    {
        BuiltinOperator.Conv2D or BuiltinOperator.DepthwiseConv2D or BuiltinOperator.FullyConnected => [OfLinear(op)],
        BuiltinOperator.Add or BuiltinOperator.Sub => [OfSum(op)],
        BuiltinOperator.Mul => [OfProduct(op)],
        BuiltinOperator.Maximum or BuiltinOperator.Minimum => [OfExtremum(op)],
        BuiltinOperator.AveragePool2D or BuiltinOperator.MaxPool2D => [OfPool(op)],
        BuiltinOperator.Mean or BuiltinOperator.Sum => [OfReduction(op)],
        BuiltinOperator.ReduceMax or BuiltinOperator.ReduceMin => [OfReducedExtremum(op)],
        BuiltinOperator.Quantize => [OfQuantize(op)],
        BuiltinOperator.Relu or BuiltinOperator.Relu6 or BuiltinOperator.LeakyRelu => [OfRectifier(op)],
        BuiltinOperator.Reshape or BuiltinOperator.Squeeze or BuiltinOperator.ExpandDims => [OfSameBytes(op)],
        BuiltinOperator.Pad or BuiltinOperator.Padv2 => [OfPad(op)],
        BuiltinOperator.Concatenation => [OfConcatenation(op)],
        BuiltinOperator.Transpose => [OfTranspose(op)],
        BuiltinOperator.StridedSlice => [OfStridedSlice(op)],
        BuiltinOperator.ResizeBilinear or BuiltinOperator.ResizeNearestNeighbor => [OfResize(op)],
        _ => [],
    };

    private Bounds? OfConstant(int tensor)
    {
        if (!view.IsConstant(tensor) || Quantization.Range(view.Tensor(tensor).Type) is null)
        {
            return null;
        }

        return _constants[tensor] ??= view.Integers(tensor) is { } elements ? new(elements, elements) : null;
    }

    private Bounds? Anything(int tensor) => Quantization.Range(view.Tensor(tensor).Type) is { } range && view.Count(tensor) is >= 0 and long count
        ? Bounds.Of(count, range.Low, range.High)
        : null;

    /// <summary>Both are quantized, with the same scale and zero point.</summary>
    private bool SameQuantization(int a, int b) =>
        a >= 0 && b >= 0 && view.Tensor(a).Type == view.Tensor(b).Type
        && Quantization.Of(view.Tensor(a)) is { } p && Quantization.Of(view.Tensor(b)) is { } q && p == q;

    private ReadOnlySpan<int> Shape(int tensor) => view.Tensor(tensor).Shape.AsSpan();

    /// <returns>Elements and products, about the work of one run.</returns>
    /// <exception cref="DiagnosticException">The graph is too large to be analysed.</exception>
    public long Measure()
    {
        long elements = 0;
        long products = 0;
        for (int o = 0; o < view.Operators.Length; o++)
        {
            elements += view.Operators[o].Outputs.Sum(t => t < 0 ? 0 : Math.Max(0, view.Count(t)));
            products += LinearLayer.Of(view, o) is { } layer ? view.Count(layer.Output) * layer.Taps * layer.Inputs : 0;
            products += view.Operators[o] is { Options: Pool2DOptions pool, Outputs: [>= 0 and int pooled] }
                ? (long)Math.Min(MostProducts, (double)view.Count(pooled) * Math.Max(0, pool.FilterHeight) * Math.Max(0, pool.FilterWidth))
                : 0;
            if (elements > MostElements || products > MostProducts)
            {
                throw Refusal.Of(
                    "the model is too large for the analysis of values",
                    string.Create(CultureInfo.InvariantCulture, $"{elements} elements, {products} products"),
                    string.Create(CultureInfo.InvariantCulture, $"{MostElements} elements, {MostProducts} products at most"),
                    view.At(o));
            }
        }

        return elements + products;
    }

    /// <summary>The interval of a requantized interval, moved by the zero point and clamped; null on overflow.</summary>
    private (int Low, int High)? Requantized(FixedPoint factor, long low, long high, int zero, (int Low, int High) clamp) =>
        factor.TryImage(low, high, roundings, out long smallest, out long largest)
            ? ((int)Math.Clamp(smallest + zero, clamp.Low, clamp.High), (int)Math.Clamp(largest + zero, clamp.Low, clamp.High))
            : null;

    /// <summary>Rounded real bounds, widened where a runtime's formula is not known to the last bit.</summary>
    private static (int Low, int High) Rounded(double low, double high, int zero, (int Low, int High) clamp)
    {
        const double Doubt = 0.02;
        double smallest = Math.Clamp(Math.Ceiling(low - Doubt - 0.5) + zero, clamp.Low, clamp.High);
        double largest = Math.Clamp(Math.Floor(high + Doubt + 0.5) + zero, clamp.Low, clamp.High);
        return ((int)smallest, (int)Math.Max(smallest, largest));
    }

    /// <summary>Weights without their zero point, positive and negative parts apart.</summary>
    private sealed record SplitWeights(int[] Positive, int[] Negative, long[] Magnitude, long[] Bias);
}
