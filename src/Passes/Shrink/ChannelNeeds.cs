using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Channels;

namespace Optc.Passes.Shrink;

/// <summary>Which channels of a graph the outputs depend on.</summary>
/// <remarks>
/// The least fixpoint: nothing is needed but what is fixed, then whatever makes something that is needed, until nothing is added. So chains of
/// dead channels go at once, and so do channels that only keep each other alive.
/// </remarks>
internal sealed class ChannelNeeds
{
    private readonly Graph _graph;

    // Of roots only; the others are asked by these.
    private readonly bool[] _needed;
    private readonly ImmutableArray<ChannelReader> _readers;

    private ChannelNeeds(Graph graph, ChannelTracer trace, BoundsAnalysis bounds, ShrinkRules rules)
    {
        (_graph, Trace) = (graph, trace);
        _readers = [.. trace.Slices.Where(s => s.Role is SliceRole.Reader).Select(s => Reader(s, bounds, rules))];
        _needed = [.. Enumerable.Range(0, trace.Count).Select(c => trace.WhyFixed(c) is not null)];
    }

    public ChannelTracer Trace { get; }

    /// <summary>The nodes that sum up channels, in execution order.</summary>
    public IReadOnlyList<ChannelReader> Readers => _readers;

    public static ChannelNeeds Of(Graph graph, BoundsAnalysis bounds, ShrinkRules rules)
    {
        ChannelNeeds needs = new(graph, new ChannelTracer(graph, exact: true), bounds, rules);
        do
        {
            needs.Spread();
        }
        while (needs.KeepOneOfEach());

        return needs;
    }

    public bool IsNeeded(int channel) => _needed[Trace.Root(channel)];

    /// <summary>True when a node needs an output channel of a reader.</summary>
    public bool IsOutputNeeded(ChannelReader reader, int output) => reader.Outputs is not { } outputs || IsNeeded(outputs[output]);

    private ChannelReader Reader(ChannelSlices slices, BoundsAnalysis bounds, ShrinkRules rules)
    {
        ImmutableArray<int>? outputs = Trace.Slices.FirstOrDefault(s => s.Node == slices.Node && s.Operand == slices.Operand && s.Role is SliceRole.Maker)?.Channels;
        Value x = ChannelReader.Source(slices);
        return new(slices, Trace.AxisOf(x)!, outputs, bounds.ProductsOf(slices.Node), bounds.Of(x), rules);
    }

    private void Spread()
    {
        bool grows = true;
        while (grows)
        {
            grows = false;
            for (int r = _readers.Length - 1; r >= 0; r--)
            {
                grows |= Spread(_readers[r]);
            }
        }
    }

    private bool Spread(ChannelReader reader)
    {
        bool grows = false;
        int[] outputs = [.. Enumerable.Range(0, reader.OutputCount).Where(o => IsOutputNeeded(reader, o))];
        for (int i = 0; i < reader.Inputs.Length; i++)
        {
            int root = Trace.Root(reader.Inputs[i]);
            if (!_needed[root] && Array.Exists(outputs, o => reader.WhyNot(o, i) is ShrinkRules.None))
            {
                _needed[root] = true;
                grows = true;
            }
        }

        return grows;
    }

    /// <summary>Runtimes refuse tensors without elements, and dense layers with scales for each output count their factor otherwise when one is left.</summary>
    private bool KeepOneOfEach()
    {
        // From the last tensor on: what it needs is kept before one of those that nobody needs is chosen.
        foreach (Value value in _graph.Values().Reverse())
        {
            if (Trace.AxisOf(value) is not { } axis)
            {
                continue;
            }

            int least = value.Producer is { Op: FullyConnected } dense && dense.Inputs[1]!.Type.Quant is { IsPerAxis: true } ? 2 : 1;
            int kept = axis.Channels.Count(IsNeeded);
            if (kept < least && Cheapest(axis) is { } root)
            {
                _needed[root] = true;
                return true;
            }
        }

        return false;
    }

    /// <summary>Of the channels that nobody needs the one that itself needs fewest, the first of several.</summary>
    private int? Cheapest(ChannelAxis axis)
    {
        bool[] before = [.. _needed];
        (int Root, int Count)? best = null;
        foreach (int root in axis.Channels.Where(c => !IsNeeded(c)).Select(Trace.Root).Distinct().ToArray())
        {
            _needed[root] = true;
            Spread();
            int count = _needed.Count(n => n);
            best = best is null || count < best.Value.Count ? (root, count) : best;
            before.CopyTo(_needed, 0);
        }

        return best?.Root;
    }
}
