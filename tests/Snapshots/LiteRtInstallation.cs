namespace Optc.Tests.Snapshots;

/// <summary>Node and the packages of <c>tests/Conformance/node</c>, by which tests run the real LiteRT.</summary>
public static class LiteRtInstallation
{
    /// <summary>Folder of <c>run.mjs</c>.</summary>
    public static string Folder => Path.Combine(RepositoryFolder.Path, "tests", "Conformance", "node");

    /// <summary>
    /// Why a test that needs LiteRT is skipped; null when it can run, and also under continuous integration, where it then
    /// fails instead of passing unseen.
    /// </summary>
    public static string? SkipReason
    {
        get
        {
            if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase))
            {
                return null;
            }

            string[] path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
            return !path.Any(folder => File.Exists(Path.Combine(folder, "node"))) ? "The program 'node' is not on the PATH."
                : !Directory.Exists(Path.Combine(Folder, "node_modules")) ? "LiteRT is missing: run 'npm ci' in tests/Conformance/node."
                : null;
        }
    }
}
