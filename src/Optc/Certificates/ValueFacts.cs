using System.Globalization;
using Optc.Ir;

namespace Optc.Certificates;

/// <summary>What the values of the original can be, found when it is first asked for.</summary>
/// <param name="enumerates">Run all inputs instead of bounding them; only for inputs of 65,536 values together.</param>
internal sealed class ValueFacts(GraphView view, Roundings roundings, bool enumerates)
{
    private const long MostInputs = 1L << 16;
    private const long MostProducts = 1L << 33;

    private readonly Dictionary<int, Bounds> _bounds = [];
    private readonly Dictionary<(int Op, int Channel), (long Low, long High)> _accumulators = [];
    private BoundsEngine? _engine;
    private bool _isReady;

    public bool Enumerates => enumerates;

    /// <summary>Bounds of a tensor; null for one that is not of small integers.</summary>
    /// <exception cref="DiagnosticException">The graph is too large, or its inputs too many.</exception>
    public Bounds? this[int tensor]
    {
        get
        {
            Prepare();
            return _engine is not null ? _engine[tensor] : _bounds.GetValueOrDefault(tensor);
        }
    }

    /// <summary>Bounds of the accumulator of a channel of a linear layer; null where nothing is known of it.</summary>
    public (long Low, long High)? Accumulator(int op, int channel)
    {
        Prepare();
        return _engine is not null
            ? _engine.Accumulator(op, channel)
            : _accumulators.TryGetValue((op, channel), out (long Low, long High) bounds) ? bounds : null;
    }

    /// <summary>Why bounds may not be used: shapes that a caller can change; null when they can be.</summary>
    /// <remarks>
    /// A free batch is none: every element of it is computed alike. Height, width and length are, since padding moves with them.
    /// </remarks>
    public string? Objection => view.Graph.Inputs
        .Where(t => view.Tensor(t).ShapeSignature.Skip(1).Any(d => d < 0))
        .Select(t => $"input '{view.Tensor(t).Name}' has a size that callers choose").FirstOrDefault();

    private void Prepare()
    {
        if (_isReady)
        {
            return;
        }

        _isReady = true;
        if (!enumerates)
        {
            _engine = new(view, roundings);
            _engine.Run();
            return;
        }

        (int Tensor, int Elements, int Low, int Values)[] domain = [.. view.Graph.Inputs.Select(Domain)];
        double combinations = domain.Aggregate(1.0, (n, d) => n * Math.Pow(d.Values, d.Elements));
        if (combinations > MostInputs)
        {
            throw Refusal.Of(
                "the method 'enumeration' does not fit the inputs",
                string.Create(CultureInfo.InvariantCulture, $"{combinations:G6} combinations of input values"),
                "65536 at most",
                view.Place);
        }

        double work = combinations * (double)new BoundsEngine(view, roundings).Measure();
        if (work > MostProducts)
        {
            throw Refusal.Of("the model is too large to be run on all inputs", $"{work.ToString("G3", CultureInfo.InvariantCulture)} products", "8.6e9 at most", view.Place);
        }

        Enumerate(domain, (int)combinations);
    }

    private void Enumerate((int Tensor, int Elements, int Low, int Values)[] domain, int combinations)
    {
        int[] tensors = [.. view.Operators.SelectMany(o => o.Outputs).Where(t => t >= 0), .. view.Graph.Inputs];
        int[] layers = [.. Enumerable.Range(0, view.Operators.Length).Where(o => LinearLayer.Of(view, o) is not null)];
        foreach (Roundings one in (ReadOnlySpan<Roundings>)[Roundings.Double, Roundings.Single, Roundings.Float32])
        {
            if ((roundings & one) == 0)
            {
                continue;
            }

            BoundsEngine engine = new(view, one);
            for (int n = 0; n < combinations; n++)
            {
                int rest = n;
                Dictionary<int, Bounds> inputs = [];
                foreach ((int tensor, int elements, int low, int values) in domain)
                {
                    int[] point = new int[elements];
                    for (int i = 0; i < elements; i++)
                    {
                        (rest, point[i]) = (rest / values, low + (rest % values));
                    }

                    inputs[tensor] = new(point, point);
                }

                engine.Run(inputs);
                foreach (int tensor in tensors)
                {
                    if (engine[tensor] is { } bounds)
                    {
                        _bounds[tensor] = _bounds.TryGetValue(tensor, out Bounds? known) ? known.Union(bounds) : bounds;
                    }
                }

                Collect(engine, layers);
            }
        }
    }

    private void Collect(BoundsEngine engine, int[] layers)
    {
        foreach (int op in layers)
        {
            for (int channel = 0; engine.Accumulator(op, channel) is var (low, high); channel++)
            {
                _accumulators[(op, channel)] = _accumulators.TryGetValue((op, channel), out (long Low, long High) known)
                    ? (Math.Min(known.Low, low), Math.Max(known.High, high))
                    : (low, high);
            }
        }
    }

    private (int Tensor, int Elements, int Low, int Values) Domain(int tensor) =>
        Quantization.Range(view.Tensor(tensor).Type) is { } range && view.Count(tensor) is >= 0 and <= 16 and long count
            ? (tensor, (int)count, range.Low, range.High - range.Low + 1)
            : throw Refusal.Of(
                "the method 'enumeration' does not fit the inputs",
                $"an input of type {view.Tensor(tensor).Type} and {view.Count(tensor).ToString(CultureInfo.InvariantCulture)} elements",
                "few integers of 8 or 16 bits",
                [.. view.Place, view.Name(tensor)]);
}
