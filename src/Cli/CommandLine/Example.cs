namespace Optc.Cli.CommandLine;

/// <summary>A command line to copy.</summary>
/// <param name="Purpose">What it is for; no full stop.</param>
/// <param name="Line">The line, from <c>optc</c> on.</param>
internal sealed record Example(string Purpose, string Line);
