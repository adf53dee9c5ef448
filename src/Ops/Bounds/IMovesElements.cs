using Optc.Ir;

namespace Optc.Ops.Bounds;

/// <summary>An op that copies elements and computes none: every runtime gives the same.</summary>
public interface IMovesElements : IBoundsOutputs
{
    OutputBounds? IBoundsOutputs.Bounds(OpOperands operands) => new(BoundsRule.Ends, RoundingFreedom.None);
}
