using System.Collections.Immutable;
using Optc.Files;
using Optc.Ir;

namespace Optc.Cli.Output;

/// <summary>The files that a command is going to write: checked together before the work, written together after it.</summary>
internal sealed class PlannedFiles
{
    private readonly ImmutableArray<string> _paths;
    private readonly bool _force;
    private readonly string? _folder;

    /// <summary>Files of a folder that is made, when they are written, if it is missing.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="names">Names of the files in it.</param>
    /// <inheritdoc cref="PlannedFiles(IEnumerable{string}, bool, ReadOnlySpan{string?})"/>
    public PlannedFiles(string folder, IEnumerable<string> names, bool force, params ReadOnlySpan<string?> inputs)
        : this(names.Select(n => Path.Combine(folder, n)), force, isFolderMade: true, inputs)
    {
        if (folder.Length == 0 || File.Exists(folder))
        {
            throw new DiagnosticException(Problem(folder, folder.Length == 0 ? "an empty name" : "a file of that name", "a folder, or a name that is free"));
        }

        _folder = folder;
    }

    /// <param name="inputs">Files that are never replaced, whatever <paramref name="force"/> says.</param>
    /// <exception cref="DiagnosticException">Files cannot be written where they are planned; all of them are listed.</exception>
    public PlannedFiles(IEnumerable<string> paths, bool force, params ReadOnlySpan<string?> inputs)
        : this(paths, force, isFolderMade: false, inputs)
    {
    }

    private PlannedFiles(IEnumerable<string> paths, bool force, bool isFolderMade, ReadOnlySpan<string?> inputs)
    {
        (_paths, _force) = ([.. paths], force);
        string[] read = [.. inputs.ToArray().OfType<string>().Select(Path.GetFullPath)];
        ImmutableArray<Diagnostic> problems =
        [
            .. _paths.Where(p => read.Contains(Path.GetFullPath(p)))
                .Select(p => Problem(p, "the file that is read", "another file; optc never replaces what it reads")),
            .. _paths.GroupBy(Path.GetFullPath).Where(g => g.Count() > 1)
                .Select(g => Problem(g.First(), "a name that two outputs would have", "a name for each")),
        ];
        if (!problems.IsEmpty)
        {
            throw new DiagnosticException(problems);
        }

        if (!isFolderMade || Array.Exists([.. _paths], File.Exists))
        {
            OutputFiles.RequireFree(_paths, force);
        }
    }

    public ImmutableArray<string> Paths => _paths;

    /// <summary>Writes the content of each path, in the order in which they were planned: all files or none.</summary>
    public void Write(params ImmutableArray<Action<Stream>> contents)
    {
        if (_folder is not null)
        {
            OutputFolder.Create(_folder);
        }

        OutputFiles.Write([.. _paths.Zip(contents)], _force);
    }

    private static Diagnostic Problem(string path, string found, string expected) =>
        new(DiagnosticId.OutputNotWritable, "the output cannot be written") { At = [path], Found = found, Expected = expected };
}
