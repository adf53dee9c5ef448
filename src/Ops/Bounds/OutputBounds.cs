namespace Optc.Ops.Bounds;

/// <summary>How bounds of results follow from bounds of operands.</summary>
/// <param name="Rule">What is computed.</param>
/// <param name="Freedom">How far runtimes differ in the result of the same operands.</param>
public sealed record OutputBounds(BoundsRule Rule, RoundingFreedom Freedom);

/// <summary>How bounds of results follow from bounds of operands.</summary>
public enum BoundsRule
{
    /// <summary>Results grow with every operand element: the smallest come of all smallest operands.</summary>
    Ends,

    /// <summary>Results grow or fall with each operand, whatever the others are: the ends come of some corner.</summary>
    Corners,

    /// <summary>Each result is a function of one element of the only operand: all 256 are computed.</summary>
    Codes,
}

/// <summary>How far runtimes differ in results of the same operands.</summary>
public enum RoundingFreedom
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Within rounding of the real result: float kernel, plus or minus 0.02 steps before it is rounded.</summary>
    NearReal,

    /// <summary>As <see cref="NearReal"/>, of an op that changes nothing but scale and zero point.</summary>
    NearOperand,

    /// <summary>A mean, rounded up or down.</summary>
    EitherSideOfMean,

    /// <summary>A table of a function, off by one step at most.</summary>
    OneStep,
}
