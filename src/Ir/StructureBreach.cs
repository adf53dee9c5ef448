namespace Optc.Ir;

/// <summary>Something of a weight's structure that does not hold.</summary>
public sealed record StructureBreach(string What, string Expected, string Found);
