using Optc.Ir;
using Optc.Ops.Bounds;

namespace Optc.Passes.Shrink;

/// <summary>Makes a quantized model smaller so that no output changes for any input.</summary>
/// <remarks>
/// First what does nothing goes, then bounds of every element are found, then channels that no output depends on go, and what does nothing
/// since. Graphs beside the main graph stay as they are, and so do inputs, outputs, variables, and whatever an op reads that does not tell
/// channels apart.
/// </remarks>
public static class Shrinking
{
    /// <summary>A smaller copy of a module, and what was done to its main graph.</summary>
    /// <param name="rules">What may be done.</param>
    /// <param name="roundings">Ways of rounding under which outputs stay the same.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static (Module Module, ShrinkRecord Record, bool IsEnumeration) Apply(
        Module module, ShrinkRules rules, Roundings roundings = Roundings.All, CancellationToken cancellation = default)
    {
        TrackedGraph graph = new(module);
        GraphCleanup.Run(graph, rules, isLast: false);
        bool isEnumeration = false;
        ShrinkRecord record = new();
        if ((rules & ShrinkRules.Channels) != 0)
        {
            using BoundsAnalysis bounds = new(graph.Graph, roundings);
            bounds.Run(rules.HasFlag(ShrinkRules.Enumeration), cancellation);
            isEnumeration = bounds.IsEnumeration;
            if (rules.HasFlag(ShrinkRules.Duplicate) && rules.HasFlag(ShrinkRules.Unread) && EqualChannels.Apply(graph, bounds, rules) is { } equal)
            {
                // The values are the same, but their readers weigh them otherwise.
                using BoundsAnalysis again = new(equal.Graph.Graph, roundings);
                again.Run(rules.HasFlag(ShrinkRules.Enumeration), cancellation);
                (graph, record) = RemoveConstantChannels.Apply(equal.Graph, again, rules, equal.Merged);
                record = record with { Duplicates = [.. equal.Records] };
            }
            else
            {
                (graph, record) = RemoveConstantChannels.Apply(graph, bounds, rules);
            }
        }

        GraphCleanup.Run(graph, rules, isLast: true);
        return (
            graph.Module,
            record with { Operators = [.. graph.Kept()], Removed = [.. graph.Removed.OrderBy(r => r.Original)] },
            isEnumeration);
    }
}
