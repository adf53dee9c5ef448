using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Clean;

/// <summary>Removes nodes whose results nobody reads, and graphs that nobody can call.</summary>
/// <remarks>
/// Constants have no place of their own in a graph and go with their last reader. Kept are nodes that change something
/// besides their results, nodes that hold state, and every input and output. A graph goes only if the module has
/// signatures (without them a runtime may enter any graph by its index), no signature begins there, and no operator
/// whose calls are known or unknown can reach it.
/// </remarks>
public sealed class RemoveDead : IPass
{
    public string Name => "remove-dead";

    public string Summary => "removes nodes whose results nobody reads, with their constants, and graphs that nobody can call";

    public void Run(Module module, PassContext context)
    {
        foreach (Graph graph in module.Graphs)
        {
            RemoveNodes(graph, context);
        }

        RemoveGraphs(module, context);
    }

    private void RemoveNodes(Graph graph, PassContext context)
    {
        Node[] before = [.. graph.Nodes];
        for (int i = before.Length - 1; i >= 0; i--)
        {
            GraphPatch.RemoveUnused(graph, before[i]);
        }

        HashSet<Node> left = [.. graph.Nodes];
        foreach (Node node in before)
        {
            if (!left.Contains(node))
            {
                context.Record(Name, node);
            }
            else if (node.Outputs.All(o => o.UseCount == 0 && !graph.IsOutput(o)))
            {
                context.Record(Name, node, node.Op.Schema.HasSideEffects ? "it has side effects" : "it keeps state in a variable");
            }
        }
    }

    private void RemoveGraphs(Module module, PassContext context)
    {
        HashSet<Graph> reached = [module.Main, .. module.Signatures.Select(s => s.Graph)];
        Stack<Graph> pending = new(reached);
        while (pending.TryPop(out Graph? graph))
        {
            foreach (string name in graph.Nodes.Select(n => n.Op).OfType<ICallsGraphs>().SelectMany(op => op.Callees))
            {
                if (module.FindGraph(name) is { } called && reached.Add(called))
                {
                    pending.Push(called);
                }
            }
        }

        bool opaque = module.Graphs.Any(g => g.Nodes.Any(n => n.Op is OpaqueTfLite));
        foreach (Graph graph in module.Graphs.Where(g => !reached.Contains(g)))
        {
            string? reason = module.Signatures.IsEmpty ? "without signatures any graph may be an entry point"
                : opaque ? "an operator that is not understood may call it"
                : null;
            if (reason is null)
            {
                GraphPatch.RemoveGraph(module, graph);
            }

            context.Record(new PassEvent(Name, graph.Name, "graph", reason));
        }
    }
}
