using Optc.Passes.Shrink;

namespace Optc.Shrink;

/// <summary>One way to write a model smaller.</summary>
/// <param name="Name"><c>container</c>, <c>operators</c> or <c>channels</c>.</param>
internal sealed record ShrinkCandidate(string Name, Model Model, byte[] File, ShrinkRecord Record, bool IsEnumeration, long Weights, long Macs);
