namespace Optc.Tests.Snapshots;

/// <summary>The folder that holds <c>Optimizer.sln</c>, above the test that runs.</summary>
public static class RepositoryFolder
{
    private static readonly Lazy<string?> Found = new(Find);

    /// <summary>Absolute path of the folder; null when the tests run outside of a working copy.</summary>
    public static string? PathOrNull => Found.Value;

    /// <summary>Absolute path of the folder.</summary>
    /// <exception cref="DirectoryNotFoundException">The tests run outside of a working copy.</exception>
    public static string Path =>
        PathOrNull ?? throw new DirectoryNotFoundException($"No Optimizer.sln above {AppContext.BaseDirectory}");

    private static string? Find()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder.FullName, "Optimizer.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName;
    }
}
