namespace Optc.Formats.EthosU;

/// <summary>A stretch of numbers that one way of coding serves.</summary>
/// <param name="Coding">Of indices: a number of <see cref="DivisorSearch"/>. Of runs: the divisor.</param>
/// <param name="End">Number of the first one behind it.</param>
internal readonly record struct DivisorStretch(int Coding, int End);
