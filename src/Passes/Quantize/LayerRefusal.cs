using Optc.Ir;

namespace Optc.Passes.Quantize;

/// <summary>A layer that was to become integer cannot, with the grids that it got; planning starts again without it.</summary>
internal sealed class LayerRefusal(Node node, string reason) : Exception(reason)
{
    public Node Node { get; } = node;
}
