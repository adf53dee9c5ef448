using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Channels;

namespace Optc.Passes.Prune;

/// <summary>Channels of some layers that can only go together: one of each layer that makes them, and their slices in all that read them.</summary>
/// <param name="Root">Number by which <see cref="ChannelGroups"/> knows it.</param>
/// <param name="Makers">The layers whose outputs it is, and which of their outputs; a layer can be there more than once.</param>
public sealed record TiedChannel(int Root, ImmutableArray<(Node Node, int Output)> Makers);

/// <summary>Channels that the same layers make. Any of them can be removed, but not all.</summary>
/// <param name="Name">Name of the first layer that makes them.</param>
/// <param name="Makers">Convolutions and dense layers, in execution order; several where sums tie their results.</param>
/// <param name="Channels">In the order of the first maker.</param>
/// <param name="WhyFixed">Why none of them can be removed; <see langword="null"/> when they can.</param>
public sealed record ChannelGroup(string Name, ImmutableArray<Node> Makers, ImmutableArray<TiedChannel> Channels, string? WhyFixed);

/// <summary>Which channels of a graph hang together: the ground on which layers are made narrower.</summary>
/// <remarks>It says what can be removed, not what should be; ops say themselves what they do with channels (<see cref="IShrinkable"/>).</remarks>
public sealed class ChannelGroups
{
    private ChannelGroups(Graph graph, ChannelTracer trace, ImmutableArray<ChannelGroup> all) => (Graph, Trace, All) = (graph, trace, all);

    public Graph Graph { get; }

    /// <summary>Every group in execution order of its first maker, also those that are fixed.</summary>
    public ImmutableArray<ChannelGroup> All { get; }

    internal ChannelTracer Trace { get; }

    /// <exception cref="OpRuleException">A node does not obey the rules of its op.</exception>
    public static ChannelGroups Of(Graph graph)
    {
        ChannelTracer trace = new(graph);
        Dictionary<Node, int> order = graph.Nodes.Select((n, i) => (n, i)).ToDictionary(p => p.n, p => p.i);
        ImmutableArray<TiedChannel> channels =
        [
            .. Enumerable.Range(0, trace.Count).GroupBy(trace.Root).Select(tied => new TiedChannel(
                tied.Key,
                [.. tied.Select(trace.MakerOf).Where(m => m is not null).Select(m => m!.Value).OrderBy(m => order[m.Node]).ThenBy(m => m.Output)])),
        ];

        // A channel without maker is a border of zeros, or what a tensor beside it brings along.
        return new(graph, trace,
        [
            .. channels.Where(c => !c.Makers.IsEmpty)
                .GroupBy(c => (Makers: string.Join(' ', c.Makers.Select(m => order[m.Node]).Distinct()), Reason: trace.WhyFixed(c.Root)))
                .Select(g => new ChannelGroup(
                    g.First().Makers[0].Node.Name,
                    [.. g.First().Makers.Select(m => m.Node).Distinct()],
                    [.. g.OrderBy(c => c.Makers[0].Output)],
                    g.Key.Reason))
                .OrderBy(g => order[g.Makers[0]]),
        ]);
    }

    /// <summary>The group whose first maker has this name.</summary>
    /// <exception cref="DiagnosticException">There is none, or it cannot be shrunk.</exception>
    public ChannelGroup Find(string layer)
    {
        ImmutableArray<ChannelGroup> found = [.. All.Where(g => g.Makers.Any(m => m.Name == layer))];
        return found switch
        {
            [] => throw new DiagnosticException(new Diagnostic(DiagnosticId.RuleMatchesNothing, "no layer of this name makes channels") { Found = $"'{layer}'" }),
            _ => found.FirstOrDefault(g => g.WhyFixed is null) ?? throw new DiagnosticException(
                new Diagnostic(DiagnosticId.InvalidOption, $"the channels of '{layer}' cannot be removed") { Found = found[0].WhyFixed }),
        };
    }
}
