using Optc.Ir;

namespace Optc.Ops.Bounds;

/// <summary>An op whose results are rounded sums of products of its first operand with constant weights.</summary>
public interface ISumsProducts
{
    /// <summary>The sums; <see langword="null"/> when weights are computed or the element types are not 8-bit.</summary>
    /// <param name="operands">Types with known shapes.</param>
    ProductSum? Sums(OpOperands operands);
}
