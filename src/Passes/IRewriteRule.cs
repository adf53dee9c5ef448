using Optc.Ir;

namespace Optc.Passes;

/// <summary>Looks at one node and either collects a change or says why not.</summary>
/// <remarks>
/// A rule never makes the graph worse by the cost in the report, never fires twice on its own output, does not compute
/// what another pass computes, and its tests show where it must not fire.
/// </remarks>
public interface IRewriteRule
{
    string Name { get; }

    /// <summary>One sentence for <c>docs/passes.md</c>.</summary>
    string Summary { get; }

    /// <summary>True when the rule has an opinion on nodes of this op.</summary>
    bool Concerns(IOp op);

    /// <param name="node">A node of <paramref name="graph"/> whose op the rule concerns.</param>
    /// <param name="patch">Collects the change; it is applied only if the result says so.</param>
    Rewrite Apply(Graph graph, Node node, GraphPatch patch);
}

/// <summary>A rule for the nodes of one op.</summary>
public abstract class RewriteRule<TOp> : IRewriteRule
    where TOp : class, IOp
{
    public abstract string Name { get; }

    public abstract string Summary { get; }

    public bool Concerns(IOp op) => op is TOp;

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch) => Apply(graph, node, (TOp)node.Op, patch);

    protected abstract Rewrite Apply(Graph graph, Node node, TOp op, GraphPatch patch);
}
