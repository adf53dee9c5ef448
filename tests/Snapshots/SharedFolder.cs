namespace Optc.Tests.Snapshots;

/// <summary>
/// The folder of third-party models and data beside the working copy (<c>../shared</c> from <c>Optimizer.sln</c>), or
/// where the environment variable <c>OPTC_SHARED</c> says. It is no part of the project and may be missing.
/// </summary>
public static class SharedFolder
{
    private const string Variable = "OPTC_SHARED";

    private static readonly Lazy<string?> Found = new(Find);

    public static bool Exists => Found.Value is not null;

    /// <summary>Absolute path of the folder.</summary>
    /// <exception cref="DirectoryNotFoundException">It is missing.</exception>
    public static string Path => Found.Value ?? throw new DirectoryNotFoundException(MissingReason);

    /// <summary>
    /// Why a test that needs the folder is skipped; null when it can run, and also under continuous integration
    /// (<c>CI=true</c>), where it then fails instead of passing unseen.
    /// </summary>
    public static string? SkipReason => Exists || IsContinuousIntegration ? null : MissingReason;

    private static string MissingReason =>
        $"The folder of third-party models is missing: no 'shared' beside the working copy, and {Variable} names none.";

    private static bool IsContinuousIntegration =>
        string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase);

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
        {
            return Directory.Exists(given) ? System.IO.Path.GetFullPath(given) : null;
        }

        string? above = Directory.GetParent(RepositoryFolder.PathOrNull ?? AppContext.BaseDirectory)?.FullName;
        string? beside = above is null ? null : System.IO.Path.Combine(above, "shared");
        return Directory.Exists(beside) ? beside : null;
    }
}
