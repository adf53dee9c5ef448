namespace Optc.Shrink;

/// <summary>One thing that was removed.</summary>
/// <param name="Rule">Rule by which it may go.</param>
/// <param name="Layer">Name of the layer, or empty for the file.</param>
/// <param name="What">What went, in words.</param>
/// <param name="Count">How many of them.</param>
/// <param name="Bytes">Bytes of constants that went with it, of the rule <c>container</c> bytes of the file.</param>
/// <param name="Reason">Why no output changes.</param>
public sealed record ShrinkStep(string Rule, string Layer, string What, int Count, long Bytes, string Reason);
