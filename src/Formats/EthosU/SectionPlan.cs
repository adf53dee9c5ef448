namespace Optc.Formats.EthosU;

/// <summary>A way to code a section as one slice.</summary>
/// <param name="Setup">Meaning of the indices.</param>
/// <param name="HasRuns">Zeros are coded as runs.</param>
/// <param name="Coding">Of the indices, a number of <see cref="DivisorSearch"/>.</param>
/// <param name="Bits">Estimate of its length, with header and setup.</param>
internal sealed record SectionPlan(PaletteSetup Setup, bool HasRuns, int Coding, long Bits);
