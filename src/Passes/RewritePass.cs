using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Passes;

/// <summary>Applies rules to every node, in order, until none fires any more.</summary>
public sealed class RewritePass(string name, string summary, params ImmutableArray<IRewriteRule> rules) : IPass
{
    // Each sweep that changes something removes or simplifies nodes; a rule set that needs more sweeps feeds itself.
    private const int MaximumSweeps = 100;

    public string Name => name;

    public string Summary => summary;

    public ImmutableArray<IRewriteRule> Rules => rules;

    /// <exception cref="InvalidOperationException">The rules never come to rest, which is a defect of theirs.</exception>
    public void Run(Module module, PassContext context)
    {
        foreach (Graph graph in module.Graphs)
        {
            int sweep = 0;
            while (Sweep(module, graph, context, last: false))
            {
                if (++sweep == MaximumSweeps)
                {
                    throw new InvalidOperationException($"The rules of '{name}' do not come to rest.");
                }
            }

            Sweep(module, graph, context, last: true);
        }
    }

    private bool Sweep(Module module, Graph graph, PassContext context, bool last)
    {
        bool changed = false;
        foreach (Node node in graph.Nodes.ToArray())
        {
            context.Cancellation.ThrowIfCancellationRequested();
            foreach (IRewriteRule rule in rules)
            {
                if (!rule.Concerns(node.Op) || !graph.Contains(node))
                {
                    continue;
                }

                GraphPatch patch = new();
                Rewrite rewrite = rule.Apply(graph, node, patch);
                if (rewrite.Changed)
                {
                    patch.ApplyTo(module, graph, node);
                    context.Record(rule.Name, node);
                    changed = true;
                    continue;
                }

                patch.Discard();
                if (last)
                {
                    context.Record(rule.Name, node, rewrite.Reason);
                }
            }
        }

        return changed;
    }
}
