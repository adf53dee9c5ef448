using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Channels;
using Optc.Passes.Clean;
using Optc.Passes.Prune;

namespace Optc.Passes.Shrink;

/// <summary>Takes channels out of which no output depends, and moves constants into the biases of what reads them.</summary>
/// <remarks>
/// Every sum of a kept channel stays the same integer, so that its rounding does not matter: the terms that go are zero, or their sum is in the
/// bias. Tied ops treat each channel apart. So every kept element keeps its value, in the order of execution.
/// </remarks>
internal sealed class RemoveConstantChannels
{
    private readonly TrackedGraph _graph;
    private readonly BoundsAnalysis _bounds;
    private readonly ChannelNeeds _needs;
    private readonly Dictionary<Value, Dictionary<int, (ShrinkRules Rule, int? Constant)>> _reasons = [];
    private readonly List<ChangedBias> _biases = [];
    private readonly SortedSet<string> _warnings = new(StringComparer.Ordinal);
    private readonly IReadOnlyDictionary<int, int>? _merged;

    private RemoveConstantChannels(TrackedGraph graph, BoundsAnalysis bounds, ShrinkRules rules, IReadOnlyDictionary<int, int>? merged)
    {
        (_graph, _bounds, _merged) = (graph, bounds, merged);
        _needs = ChannelNeeds.Of(graph.Graph, bounds, rules);
    }

    /// <summary>The graph without them; the record holds channels, biases and warnings.</summary>
    /// <param name="bounds">Of this graph.</param>
    /// <param name="merged">For channels that equal others, by their roots, which.</param>
    public static (TrackedGraph Graph, ShrinkRecord Record) Apply(
        TrackedGraph graph, BoundsAnalysis bounds, ShrinkRules rules, IReadOnlyDictionary<int, int>? merged = null) =>
        new RemoveConstantChannels(graph, bounds, rules, merged).Run();

    private (TrackedGraph Graph, ShrinkRecord Record) Run()
    {
        ChannelTracer trace = _needs.Trace;
        Dictionary<Node, int[]> changed = [];
        foreach (ChannelReader reader in _needs.Readers)
        {
            if (Fold(reader) is { } bias)
            {
                changed.Add(reader.Node, bias);
            }
        }

        ExplainReshaped();
        ImmutableArray<NarrowedValue> narrowed = Narrowed();
        if (narrowed.IsEmpty)
        {
            return (_graph, new() { Warnings = [.. _warnings] });
        }

        foreach (string warning in ChannelWarnings.Of(_graph.Graph, trace, _needs))
        {
            _warnings.Add(warning);
        }

        // Channels are numbered alike after biases have changed; their roots are those of before.
        bool[] removed = [.. Enumerable.Range(0, trace.Count).Select(c => !_needs.IsNeeded(c))];
        TrackedGraph folded = _graph.With(_graph.Module.Clone());
        foreach ((Node node, Node copy) in _graph.Graph.Nodes.ToArray().Zip(folded.Graph.Nodes.ToArray()))
        {
            if (changed.TryGetValue(node, out int[]? bias))
            {
                SetBias(folded, copy, bias);
            }
        }

        ChannelTracer again = new(folded.Graph, exact: true);
        return again.Count == trace.Count
            ? (folded.With(RemoveChannels.Apply(folded.Module, again, c => removed[c])), new()
            {
                Channels = narrowed,
                Biases = [.. _biases],
                Warnings = [.. _warnings],
            })
            : throw new InvalidOperationException("A changed bias changes how channels are numbered.");
    }

    /// <summary>New bias of a reader; <see langword="null"/> when it stays.</summary>
    private int[]? Fold(ChannelReader reader)
    {
        int[] gone = [.. Enumerable.Range(0, reader.Inputs.Length).Where(i => !_needs.IsNeeded(reader.Inputs[i]))];
        Value x = ChannelReader.Source(_needs.Trace.Slices.First(s => s.Node == reader.Node && s.Role is SliceRole.Reader));
        int[]? bias = null;
        for (int o = 0; o < reader.OutputCount; o++)
        {
            if (!_needs.IsOutputNeeded(reader, o))
            {
                continue;
            }

            List<FoldedTerm> terms = [];
            foreach (int i in gone)
            {
                ShrinkRules why = reader.WhyNot(o, i);
                Explain(x, reader.Places[i], why, reader.Constants[i]);
                if (why is ShrinkRules.Fold or ShrinkRules.FoldPadded && reader.Term(o, i) is { } term)
                {
                    terms.Add(term);
                }
            }

            if (terms.Sum(t => t.Sum) is not 0 and long sum)
            {
                bias ??= [.. reader.Sum!.Bias];
                int old = bias[o];
                bias[o] = checked((int)(old + sum));
                _biases.Add(new(_graph.Original(reader.Node), o, old, bias[o], [.. terms]));
            }
        }

        return bias;
    }

    /// <summary>Of several reasons the one that claims most is told.</summary>
    private void Explain(Value value, int place, ShrinkRules rule, int? constant)
    {
        if (!_reasons.TryGetValue(value, out Dictionary<int, (ShrinkRules Rule, int? Constant)>? places))
        {
            _reasons.Add(value, places = []);
        }

        if (!places.TryGetValue(place, out (ShrinkRules Rule, int? Constant) known) || known.Rule < rule)
        {
            places[place] = (rule, rule is ShrinkRules.Unread ? null : constant);
        }
    }

    /// <summary>What is read under another shape goes for the same reasons, which must be told of it should the reshape go.</summary>
    private void ExplainReshaped()
    {
        foreach (Node node in _graph.Graph.Nodes.Reverse().Where(n => Identity.Reshapes(n.Op)))
        {
            Value x = node.Inputs[0]!;
            if (!_reasons.TryGetValue(node.Output, out Dictionary<int, (ShrinkRules Rule, int? Constant)>? read)
                || _needs.Trace.AxisOf(x) is not { } axis || _needs.Trace.AxisOf(node.Output) is not { } result || _bounds.Of(x) is not { } bounds)
            {
                continue;
            }

            int?[] constants = bounds.Constants(axis.Axis);
            foreach ((int place, (ShrinkRules rule, int? constant)) in read)
            {
                int from = Array.IndexOf([.. axis.Channels], result.Channels[place]);
                if (rule is not ShrinkRules.Unread && from >= 0 && constants[from] == constant)
                {
                    Explain(x, from, rule, constant);
                }
            }
        }
    }

    private ImmutableArray<NarrowedValue> Narrowed()
    {
        List<NarrowedValue> narrowed = [];
        foreach (Value value in _graph.Graph.Nodes.SelectMany(n => n.Outputs))
        {
            if (_needs.Trace.AxisOf(value) is not { } axis)
            {
                continue;
            }

            ImmutableArray<(long Low, long High)>? sums = _bounds.SumsOf(value.Producer!);
            DroppedChannel[] dropped =
            [
                .. Enumerable.Range(0, axis.Count).Where(i => !_needs.IsNeeded(axis.Channels[i])).Select(i =>
                    TwinOf(axis, i) is { } twin ? new DroppedChannel(i, "duplicate", Of: twin)
                    : _reasons.TryGetValue(value, out Dictionary<int, (ShrinkRules Rule, int? Constant)>? places) && places.TryGetValue(i, out (ShrinkRules Rule, int? Constant) why)
                        ? new DroppedChannel(i, NameOf(why.Rule), why.Constant, why.Constant is null || sums is null ? null : sums.Value[i])
                        : new DroppedChannel(i, NameOf(ShrinkRules.Unread))),
            ];
            if (dropped.Length > 0)
            {
                narrowed.Add(new(_graph.Name(value), value.Producer!.Name, axis.Axis, axis.Count, [.. dropped]));
            }
        }

        return [.. narrowed];
    }

    /// <summary>Place of the channel that readers count for this one.</summary>
    private int? TwinOf(ChannelAxis axis, int place) =>
        _merged is not null && _merged.TryGetValue(_needs.Trace.Root(axis.Channels[place]), out int kept)
        && Enumerable.Range(0, axis.Count).FirstOrDefault(i => _needs.Trace.Root(axis.Channels[i]) == kept, -1) is >= 0 and int twin
            ? twin
            : null;

    private static string NameOf(ShrinkRules rule) => rule switch
    {
        ShrinkRules.Dead => "dead",
        ShrinkRules.Fold => "fold",
        ShrinkRules.FoldPadded => "fold-padded",
        _ => "unread",
    };

    private static void SetBias(TrackedGraph graph, Node node, int[] bias)
    {
        const int biasOperand = 2;
        GraphPatch patch = new();
        if (node.Input(biasOperand) is { } old)
        {
            patch.SetInput(node, biasOperand, GraphPatch.Constant(TensorData.FromInts(old.Type.Shape, bias), old.Name, old.Type.Quant));
            patch.ApplyTo(graph.Module, graph.Graph, node);
            return;
        }

        (QuantParams x, QuantParams w) = (node.Inputs[0]!.Type.Quant!, node.Inputs[1]!.Type.Quant!);
        QuantParams quant = new([.. w.Scales.Select(s => s * x.Scale)], [.. new long[w.Scales.Length]]);
        Value made = GraphPatch.Constant(TensorData.FromInts([bias.Length], bias), $"{node.Name}/bias", quant);
        patch.Replace(node.Output, patch.Add(node.Op, [node.Inputs[0], node.Inputs[1], made], node.Output, node.Name));
        graph.Apply(patch, node, gone => new(graph.Original(gone), "unused"));
    }
}
