namespace Optc.Passes.Shrink;

/// <summary>Carries bounds through one node, as often as one likes.</summary>
internal abstract class NodeBounds
{
    /// <summary>Bounds of the results.</summary>
    /// <param name="inputs">Those of the operands that are computed, in order.</param>
    /// <returns><see langword="null"/> for a result of which nothing is known.</returns>
    public abstract ElementBounds?[] Of(ReadOnlySpan<ElementBounds> inputs);

    /// <summary>Smallest and largest sum of each output channel in the last call; <see langword="null"/> when the node sums no products.</summary>
    public virtual (long Low, long High)[]? Sums => null;
}
