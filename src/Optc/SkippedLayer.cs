namespace Optc;

/// <summary>A layer that a stage left as it was.</summary>
/// <param name="Layer">Name of the layer.</param>
/// <param name="Stage">Name of the stage, or what it does.</param>
/// <param name="Reason">Why.</param>
public sealed record SkippedLayer(string Layer, string Stage, string Reason);
