using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Bounds;

namespace Optc.Passes.Shrink;

/// <summary>What every element of every 8-bit tensor of a graph can be, whatever the inputs: an interval of raw integers.</summary>
/// <remarks>
/// Bounds hold under every rounding that is asked for at once, also if a runtime mixes them. An operator without a rule can give anything.
/// For an input that is one point the bounds under a single rounding are what the interpreter computes.
/// </remarks>
public sealed class BoundsAnalysis : IDisposable
{
    /// <summary>Products that an enumeration of all inputs may take.</summary>
    private const long EnumerationBudget = 4_000_000_000;
    private const int MaximumCombinations = 1 << 16;

    private readonly Graph _graph;
    private readonly Dictionary<Node, NodeBounds> _nodes = [];
    private readonly Dictionary<Value, ElementBounds> _bounds = [];
    private readonly Dictionary<Node, (long Low, long High)[]> _sums = [];
    private readonly Dictionary<Node, ProductSum> _productSums = [];
    private long _products;

    /// <summary>Prepares the nodes of a graph.</summary>
    /// <param name="roundings">Those that bounds hold under.</param>
    public BoundsAnalysis(Graph graph, Roundings roundings = Roundings.All)
    {
        (_graph, Roundings) = (graph, roundings);
        foreach (Node node in graph.Nodes)
        {
            if (Prepare(node) is { } bounds)
            {
                _nodes.Add(node, bounds);
            }
        }
    }

    public Roundings Roundings { get; }

    /// <summary>Whether bounds are those of all inputs one by one, which knows what intervals do not: that values depend on each other.</summary>
    public bool IsEnumeration { get; private set; }

    /// <summary>Number of inputs that were enumerated, or 0.</summary>
    public int Combinations { get; private set; }

    /// <summary>Bounds of a value; its full range where nothing is known, <see langword="null"/> unless it is 8-bit and of known shape.</summary>
    public ElementBounds? Of(Value value) => _bounds.GetValueOrDefault(value) ?? ElementBounds.Full(value.Type);

    /// <summary>Whether there is a rule for a node, so that something is known of its results.</summary>
    public bool HasRule(Node node) => _nodes.ContainsKey(node);

    /// <summary>Smallest and largest sum of each output channel of a convolution or dense layer; <see langword="null"/> for other nodes.</summary>
    public ImmutableArray<(long Low, long High)>? SumsOf(Node node) => _sums.TryGetValue(node, out (long, long)[]? sums) ? [.. sums] : null;

    /// <summary>The sums that a node takes; <see langword="null"/> when it takes none, or none that is known.</summary>
    public ProductSum? ProductsOf(Node node) => _productSums.GetValueOrDefault(node);

    /// <summary>Bounds over all inputs: one by one if there are few enough, else by intervals.</summary>
    public void Run(bool mayEnumerate = true, CancellationToken cancellation = default)
    {
        if (mayEnumerate && CombinationCount() is { } count)
        {
            Enumerate(count, cancellation);
            return;
        }

        Run(_ => null, cancellation);
    }

    /// <summary>Bounds over those inputs that lie between bounds of theirs.</summary>
    /// <param name="known">Bounds of an input of the graph, or of a result of a node without a rule, if they are known.</param>
    public void Run(Func<Value, ElementBounds?> known, CancellationToken cancellation = default)
    {
        _bounds.Clear();
        foreach (Value value in _graph.Inputs.Concat(_graph.Nodes.Where(n => !_nodes.ContainsKey(n)).SelectMany(n => n.Outputs)))
        {
            if (known(value) is { } bounds)
            {
                _bounds[value] = bounds;
            }
        }

        foreach (Node node in _graph.Nodes)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!_nodes.TryGetValue(node, out NodeBounds? rule))
            {
                continue;
            }

            ElementBounds[] operands = [.. node.Inputs.OfType<Value>().Where(v => v.Constant is null).Select(v => Of(v)!)];
            ElementBounds?[] results = rule.Of(operands);
            for (int i = 0; i < results.Length; i++)
            {
                if (results[i] is { } bounds)
                {
                    _bounds[node.Outputs[i]] = bounds;
                }
            }

            if (rule.Sums is { } sums)
            {
                _sums[node] = [.. sums];
            }
        }
    }

    public void Dispose()
    {
        foreach (IDisposable node in _nodes.Values.OfType<IDisposable>())
        {
            node.Dispose();
        }
    }

    private NodeBounds? Prepare(Node node)
    {
        if (node.Inputs.OfType<Value>().Any(v => v.Constant is null && (v.IsVariable || ElementBounds.Full(v.Type) is null)))
        {
            return null;
        }

        OpOperands operands = new(
            [.. node.Inputs.Select(v => v is null ? null : v.Type with { Shape = ElementBounds.Known(v.Type.Shape) ?? v.Type.Shape })],
            [.. node.Inputs.Select(v => v?.Constant)],
            [.. node.Outputs.Select(v => v.Type with { Shape = ElementBounds.Known(v.Type.Shape) ?? v.Type.Shape })]);
        try
        {
            if (node.Op is ISumsProducts products)
            {
                if (products.Sums(operands) is not { } sum || ElementBounds.Known(node.Output.Type.Shape) is not { } shape
                    || sum.Geometry.OutputLength != shape.ElementCount)
                {
                    return null;
                }

                _productSums.Add(node, sum);
                _products += sum.Geometry.Products;
                return new ProductBounds(sum, shape, Roundings);
            }

            return node.Op is IBoundsOutputs op && op.Bounds(operands) is { } rule ? KernelBounds.TryCreate(node, rule, Roundings) : null;
        }
        catch (OpRuleException)
        {
            // What the op does not take has no bounds; that it cannot run is not ours to say.
            return null;
        }
    }

    private int? CombinationCount()
    {
        long count = 1;
        foreach (Value input in _graph.Inputs)
        {
            // A batch that is not known repeats what one sample is.
            if (ElementBounds.Full(input.Type) is not { } full || full.Low.Length > 2)
            {
                return null;
            }

            for (int i = 0; i < full.Low.Length; i++)
            {
                count *= full.High[i] - full.Low[i] + 1;
            }
        }

        long elements = _graph.Values().Sum(v => v.Constant is null && ElementBounds.Known(v.Type.Shape) is { } shape ? shape.ElementCount : 0);
        return count <= MaximumCombinations && count * (_products + (100 * elements)) <= EnumerationBudget ? (int)count : null;
    }

    private void Enumerate(int count, CancellationToken cancellation)
    {
        Dictionary<Value, ElementBounds> all = [];
        Dictionary<Node, (long Low, long High)[]> allSums = [];
        for (int combination = 0; combination < count; combination++)
        {
            int rest = combination;
            Run(
                input =>
                {
                    if (!_graph.Inputs.Contains(input))
                    {
                        return null;
                    }

                    ElementBounds point = ElementBounds.Full(input.Type)!;
                    for (int i = 0; i < point.Low.Length; i++)
                    {
                        int codes = point.High[i] - point.Low[i] + 1;
                        point.Low[i] += rest % codes;
                        point.High[i] = point.Low[i];
                        rest /= codes;
                    }

                    return point;
                },
                cancellation);
            foreach ((Value value, ElementBounds bounds) in _bounds)
            {
                if (all.TryGetValue(value, out ElementBounds? known))
                {
                    known.Include(bounds);
                }
                else
                {
                    all.Add(value, bounds.Copy());
                }
            }

            foreach ((Node node, (long Low, long High)[] sums) in _sums)
            {
                allSums[node] = allSums.TryGetValue(node, out (long Low, long High)[]? known)
                    ? [.. known.Zip(sums, (a, b) => (Math.Min(a.Low, b.Low), Math.Max(a.High, b.High)))]
                    : sums;
            }
        }

        (IsEnumeration, Combinations) = (true, count);
        foreach ((Value value, ElementBounds bounds) in all)
        {
            _bounds[value] = bounds;
        }

        foreach ((Node node, (long, long)[] sums) in allSums)
        {
            _sums[node] = sums;
        }
    }
}
