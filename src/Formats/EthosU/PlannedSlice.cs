namespace Optc.Formats.EthosU;

/// <summary>A slice of a planned section.</summary>
/// <param name="End">Weights of the stream before its end.</param>
internal readonly record struct PlannedSlice(int End, int Coding, int RunDivisor);
