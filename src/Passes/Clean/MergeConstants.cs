using Optc.Ir;

namespace Optc.Passes.Clean;

/// <summary>Lets the nodes of a graph share constants of equal type, parameters and bytes.</summary>
/// <remarks>A constant that is an output of the graph keeps its own name.</remarks>
public sealed class MergeConstants : IPass
{
    public string Name => "merge-constants";

    public string Summary => "makes one constant of those with the same type, parameters and bytes";

    public void Run(Module module, PassContext context)
    {
        foreach (Graph graph in module.Graphs)
        {
            Merge(module, graph, context);
        }
    }

    private void Merge(Module module, Graph graph, PassContext context)
    {
        HashSet<Value> seen = new(ConstantEquality.Instance);
        foreach (Node node in graph.Nodes.ToArray())
        {
            GraphPatch patch = new();
            bool changed = false;
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                if (node.Inputs[i] is not { Constant: not null } value || graph.IsOutput(value) || seen.Add(value))
                {
                    continue;
                }

                seen.TryGetValue(value, out Value? first);
                if (first != value)
                {
                    patch.SetInput(node, i, first);
                    changed = true;
                }
            }

            if (changed)
            {
                patch.ApplyTo(module, graph, node);
                context.Record(Name, node);
            }
        }
    }
}
