using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;

namespace Optc.Passes.Shrink;

/// <summary>Channels that always equal another one: their readers count the other one for both.</summary>
/// <remarks>
/// Channels get numbers by what makes them: equal weights over equal inputs, equal bias and scale. Source: global value numbering; Alpern,
/// Wegman and Zadeck, "Detecting equality of variables in programs", 1988.
/// </remarks>
internal sealed class EqualChannels
{
    private const int LargestWeight = 127;

    private readonly TrackedGraph _graph;
    private readonly ChannelTracer _trace;
    private readonly BoundsAnalysis _bounds;
    private readonly Dictionary<Value, int[]> _numbers = [];
    private readonly Dictionary<(Node, string), int> _known = [];
    private readonly Dictionary<Node, int[]> _weights = [];
    private readonly Dictionary<int, int> _merged = [];
    private readonly List<MergedWeights> _records = [];
    private int _next;

    private readonly ChannelNeeds _needs;

    private EqualChannels(TrackedGraph graph, BoundsAnalysis bounds, ShrinkRules rules)
    {
        (_graph, _bounds) = (graph, bounds);
        _needs = ChannelNeeds.Of(graph.Graph, bounds, rules);
        _trace = _needs.Trace;
    }

    /// <summary>A graph in which nobody reads channels that equal others, and by which channel each of these is replaced.</summary>
    /// <returns><see langword="null"/> when there are none.</returns>
    public static (TrackedGraph Graph, IReadOnlyDictionary<int, int> Merged, IReadOnlyList<MergedWeights> Records)? Apply(
        TrackedGraph graph, BoundsAnalysis bounds, ShrinkRules rules)
    {
        EqualChannels equal = new(graph, bounds, rules);
        foreach (Node node in graph.Graph.Nodes)
        {
            foreach (Value output in node.Outputs)
            {
                if (equal._trace.AxisOf(output) is { } axis)
                {
                    equal._numbers[output] = equal.Number(node, output, axis);
                }
            }
        }

        equal.Merge();
        return equal._merged.Count == 0 ? null : (equal.Rewritten(), equal._merged, equal._records);
    }

    private int[] Number(Node node, Value output, ChannelAxis axis)
    {
        if (_bounds.ProductsOf(node) is { } sum && axis.Count == sum.Outputs)
        {
            int[] inputs = _numbers.TryGetValue(node.Inputs[0]!, out int[]? known) && known.Length == sum.Inputs ? known : Unique(sum.Inputs, -sum.Inputs);
            return [.. Enumerable.Range(0, axis.Count).Select(o => Of(node, Products(node, sum, inputs, o)))];
        }

        Value[] computed = [.. node.Inputs.OfType<Value>().Where(v => v.Constant is null)];
        bool isPlain = node.Outputs.Length == 1 && computed.Length > 0
            && computed.All(v => _numbers.TryGetValue(v, out int[]? known) && known.Length == axis.Count)
            && !_trace.Slices.Any(s => s.Node == node) && axis.Channels.Distinct().Count() == axis.Count;
        return isPlain
            ? [.. Enumerable.Range(0, axis.Count).Select(c => Of(node, Key(computed.Select(v => _numbers[v][c]))))]
            : Unique(axis.Count, _next += axis.Count);
    }

    private static int[] Unique(int count, int from) => [.. Enumerable.Range(from - count, count)];

    private int Of(Node node, string key)
    {
        if (!_known.TryGetValue((node, key), out int number))
        {
            _known.Add((node, key), number = _next++);
        }

        return number;
    }

    /// <summary>Weights for each number of an input and tap, bias and scale.</summary>
    private static string Products(Node node, ProductSum sum, int[] inputs, int output)
    {
        SortedDictionary<(int Tap, int Number), int> weights = [];
        for (int t = 0; t < sum.Taps; t++)
        {
            (int first, int count) = sum.IsDepthwise ? (output / (sum.Outputs / sum.Inputs), 1) : (0, sum.Inputs);
            for (int i = first; i < first + count; i++)
            {
                weights[(t, inputs[i])] = weights.GetValueOrDefault((t, inputs[i])) + sum.Weight(t, i, output);
            }
        }

        QuantParams? quant = node.Inputs[1]!.Type.Quant;
        int scale = quant is { IsPerAxis: true } ? BitConverter.SingleToInt32Bits(quant.Scales[output]) : 0;
        return Key(weights.Where(w => w.Value != 0).SelectMany(w => (int[])[w.Key.Tap, w.Key.Number, w.Value]).Append(sum.Bias[output]).Append(scale));
    }

    private static string Key(IEnumerable<int> numbers) => new(MemoryMarshal.Cast<int, char>(numbers.ToArray()));

    private void Merge()
    {
        // Only what is alone in each of its tensors can be told to be another one.
        ILookup<int, (Value Value, int Place)> members = _numbers.Keys
            .SelectMany(v => _trace.AxisOf(v)!.Channels.Select((c, place) => (Root: _trace.Root(c), Value: v, Place: place)))
            .ToLookup(m => m.Root, m => (m.Value, m.Place));
        Dictionary<string, int> first = [];
        foreach (IGrouping<int, (Value Value, int Place)> channel in members.OrderBy(m => m.Key))
        {
            if (_trace.WhyFixed(channel.Key) is not null || !_needs.IsNeeded(channel.Key) || channel.Select(m => m.Value).Distinct().Count() < channel.Count())
            {
                continue;
            }

            string key = string.Join(' ', channel.Select(m => $"{_graph.Name(m.Value)}={_numbers[m.Value][m.Place]}"));
            if (!first.TryAdd(key, channel.Key))
            {
                TryMerge(first[key], channel.Key);
            }
        }
    }

    private void TryMerge(int kept, int added)
    {
        List<(Node Node, int[] Weights, int Kept, int Added)> changes = [];
        foreach (ChannelSlices slices in _trace.Slices.Where(s => s.Role is SliceRole.Reader))
        {
            int[] places = [.. Enumerable.Range(0, slices.Channels.Length).Where(i => _trace.Root(slices.Channels[i]) == added)];
            int[] others = [.. Enumerable.Range(0, slices.Channels.Length).Where(i => _trace.Root(slices.Channels[i]) == kept)];
            if (places.Length == 0)
            {
                continue;
            }

            Value weights = slices.Node.Inputs[slices.Operand]!;
            if (places.Length > 1 || others.Length != 1 || _bounds.ProductsOf(slices.Node) is not { } sum || weights.UseCount > 1 || weights.Type.DType is not DType.I8
                || weights.Type.Quant is not { } quant || quant.ZeroPoints.Any(z => z != 0))
            {
                return;
            }

            int[] changed = [.. _weights.GetValueOrDefault(slices.Node) ?? sum.Weights];
            ChannelReader reader = _needs.Readers.First(r => r.Node == slices.Node);
            for (int row = 0; row < sum.Taps; row++)
            {
                for (int o = 0; o < sum.Outputs; o++)
                {
                    if (!_needs.IsOutputNeeded(reader, o))
                    {
                        continue;
                    }

                    int from = (((row * sum.Inputs) + places[0]) * sum.Outputs) + o;
                    int to = (((row * sum.Inputs) + others[0]) * sum.Outputs) + o;
                    changed[to] += changed[from];
                    changed[from] = 0;
                    if (Math.Abs(changed[to]) > LargestWeight)
                    {
                        return;
                    }
                }
            }

            changes.Add((slices.Node, changed, others[0], places[0]));
        }

        if (changes.Count == 0)
        {
            return;
        }

        _merged.Add(added, kept);
        foreach ((Node node, int[] weights, int to, int from) in changes)
        {
            _weights[node] = weights;
            _records.Add(new(_graph.Original(node), to, from));
        }
    }

    private TrackedGraph Rewritten()
    {
        TrackedGraph copy = _graph.With(_graph.Module.Clone());
        foreach ((Node node, Node target) in _graph.Graph.Nodes.ToArray().Zip(copy.Graph.Nodes.ToArray()))
        {
            if (!_weights.TryGetValue(node, out int[]? weights))
            {
                continue;
            }

            Value old = node.Inputs[1]!;
            int outputs = _bounds.ProductsOf(node)!.Outputs;
            int depth = weights.Length / outputs;
            sbyte[] codes = new sbyte[weights.Length];
            for (int k = 0; k < weights.Length; k++)
            {
                codes[(k % outputs * depth) + (k / outputs)] = (sbyte)weights[k];
            }

            GraphPatch patch = new();
            patch.SetInput(target, 1, GraphPatch.Constant(TensorData.From<sbyte>(DType.I8, old.Type.Shape, codes), old.Name, old.Type.Quant));
            patch.ApplyTo(copy.Module, copy.Graph, target);
        }

        return copy;
    }
}
