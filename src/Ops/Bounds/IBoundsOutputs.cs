using Optc.Ir;

namespace Optc.Ops.Bounds;

/// <summary>An op on 8-bit elements of which smallest and largest results follow from smallest and largest operands, element by element.</summary>
/// <remarks>
/// The kernels themselves compute the ends, so that bounds and execution cannot disagree. What sums products says so by
/// <see cref="ISumsProducts"/> instead.
/// </remarks>
public interface IBoundsOutputs
{
    /// <summary>How the bounds follow; <see langword="null"/> when they do not, and results can be anything.</summary>
    OutputBounds? Bounds(OpOperands operands);
}
