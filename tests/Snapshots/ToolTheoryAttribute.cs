using Xunit;

namespace Optc.Tests.Snapshots;

/// <summary>
/// A theory that needs a program; skipped with a reason where it is missing, but run (and so failed) under CI, where the
/// CI script installs it.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ToolTheoryAttribute : TheoryAttribute
{
    public ToolTheoryAttribute(string program)
    {
        Program = program;
        bool onCi = string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase);
        bool found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
        Skip = found || onCi ? null : $"The program '{program}' is not on the PATH.";
    }

    public string Program { get; }
}
