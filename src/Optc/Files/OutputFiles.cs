using System.Collections.Immutable;
using Optc.Backends;
using Optc.Ir;

namespace Optc.Files;

/// <summary>Writes files whole or not at all.</summary>
/// <remarks>
/// All content goes to temporary files beside the targets, which are then renamed: a run that ends early leaves no half
/// file, and of several files either all are new or, but for a failure between two renames, none.
/// </remarks>
public static class OutputFiles
{
    /// <summary>Writes a set of files into a folder, which must exist.</summary>
    /// <param name="overwrite">Replaces what is there; otherwise an existing file is an error and nothing is written.</param>
    /// <exception cref="DiagnosticException">A target exists, or cannot be written; all that exist are listed.</exception>
    public static void Write(string folder, ArtifactSet artifacts, bool overwrite = false) =>
        Write([.. artifacts.Files.Select(a => (Path.Combine(folder, a.Name), a.Write))], overwrite);

    /// <inheritdoc cref="Write(string, ArtifactSet, bool)"/>
    public static void Write(string path, Action<Stream> content, bool overwrite = false) => Write([(path, content)], overwrite);

    /// <inheritdoc cref="Write(string, ArtifactSet, bool)"/>
    /// <param name="files">Path and content of each.</param>
    public static void Write(ImmutableArray<(string Path, Action<Stream> Content)> files, bool overwrite = false)
    {
        RequireFree([.. files.Select(f => f.Path)], overwrite);
        List<(string Temporary, string Path)> written = [];
        string current = "";
        try
        {
            foreach ((string path, Action<Stream> content) in files)
            {
                current = path;
                string temporary = TemporaryFor(path);
                using FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write);
                written.Add((temporary, path));
                content(stream);
            }

            foreach ((string temporary, string path) in written)
            {
                current = path;
                File.Move(temporary, path, overwrite);
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw NotWritable(current, problem);
        }
        finally
        {
            written.ForEach(f => File.Delete(f.Temporary));
        }
    }

    /// <summary>Checks before long work that its results will find their place.</summary>
    /// <exception cref="DiagnosticException">Targets exist, or have no folder; all of them are listed.</exception>
    public static void RequireFree(ImmutableArray<string> paths, bool overwrite = false)
    {
        ImmutableArray<Diagnostic> problems =
        [
            .. paths.Where(p => !overwrite && File.Exists(p)).Select(p => new Diagnostic(DiagnosticId.OutputExists, "the output exists")
            {
                At = [p],
                Hint = "--force overwrites it",
            }),
            .. paths.Where(Directory.Exists).Select(p => new Diagnostic(DiagnosticId.OutputNotWritable, "the output is a folder") { At = [p], Expected = "the name of a file" }),
            .. paths.Where(p => !Directory.Exists(FolderOf(p))).Select(p => new Diagnostic(DiagnosticId.OutputNotWritable, "the folder of the output does not exist")
            {
                At = [p],
                Expected = "a folder that exists",
            }),
        ];
        if (!problems.IsEmpty)
        {
            throw new DiagnosticException(problems);
        }
    }

    private static string FolderOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path)) ?? Path.GetFullPath(path);

    private static string TemporaryFor(string path) =>
        Path.Combine(FolderOf(path), $".{Path.GetFileName(path)}.{Path.GetRandomFileName()}.tmp");

    private static DiagnosticException NotWritable(string path, Exception problem) =>
        new(new Diagnostic(DiagnosticId.OutputNotWritable, "the output cannot be written")
        {
            At = [path],
            Found = problem is UnauthorizedAccessException ? "no permission to write there" : problem.Message,
        });
}
