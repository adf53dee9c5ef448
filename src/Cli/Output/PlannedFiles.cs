using System.Collections.Immutable;
using Optc.Files;
using Optc.Ir;

namespace Optc.Cli.Output;

/// <summary>The files that a command is going to write: checked together before the work, written together after it.</summary>
internal sealed class PlannedFiles
{
    private readonly ImmutableArray<string> _paths;
    private readonly bool _force;

    /// <param name="inputs">Files that are never replaced, whatever <paramref name="force"/> says.</param>
    /// <exception cref="DiagnosticException">Files cannot be written where they are planned; all of them are listed.</exception>
    public PlannedFiles(IEnumerable<string> paths, bool force, params ReadOnlySpan<string?> inputs)
    {
        (_paths, _force) = ([.. paths], force);
        string[] read = [.. inputs.ToArray().OfType<string>().Select(Path.GetFullPath)];
        ImmutableArray<Diagnostic> problems =
        [
            .. _paths.Where(p => p.Length == 0).Select(p => Problem(p, "an empty name", "the name of a file")),
            .. _paths.Where(p => p.Length > 0 && read.Contains(Path.GetFullPath(p)))
                .Select(p => Problem(p, "the file that is read", "another file; optc never replaces what it reads")),
            .. _paths.Where(p => p.Length > 0).GroupBy(Path.GetFullPath).Where(g => g.Count() > 1)
                .Select(g => Problem(g.First(), "a name that two outputs would have", "a name for each")),
        ];
        if (!problems.IsEmpty)
        {
            throw new DiagnosticException(problems);
        }

        OutputFiles.RequireFree(_paths, force);
    }

    /// <summary>Writes the content of each path, in the order in which they were planned: all files or none.</summary>
    public void Write(params ImmutableArray<Action<Stream>> contents) =>
        OutputFiles.Write([.. _paths.Zip(contents)], _force);

    private static Diagnostic Problem(string path, string found, string expected) =>
        new(DiagnosticId.OutputNotWritable, "the output cannot be written") { At = [path], Found = found, Expected = expected };
}
