using System.Collections.Immutable;
using Optc.Formats.Npy;
using Optc.Ir;

namespace Optc.Data;

/// <summary>A folder that holds a folder of samples for each class.</summary>
/// <param name="Samples">Class by class, in ordinal order of the names.</param>
/// <param name="Labels">i32 [N]: position of the class in <paramref name="ClassNames"/>.</param>
internal sealed record ClassFolder(DataColumn Samples, DataColumn Labels, ImmutableArray<string> ClassNames)
{
    /// <summary>Opens the folder; <see langword="null"/> when the path is no folder, or one without folders.</summary>
    /// <exception cref="DiagnosticException">Classes without samples (all of them), or samples beside the classes.</exception>
    public static ClassFolder? TryOpen(string path)
    {
        if (!Directory.Exists(path))
        {
            return null;
        }

        string[] folders = DataFile.Guard(path, () => Directory.GetDirectories(path).Where(f => !Path.GetFileName(f).StartsWith('.')).ToArray());
        Array.Sort(folders, StringComparer.Ordinal);
        ImmutableArray<string>[] files = [.. folders.Select(DataFile.SamplesOf)];
        if (Array.TrueForAll(files, f => f.IsEmpty) && (folders.Length == 0 || !DataFile.SamplesOf(path).IsEmpty))
        {
            return null;
        }

        if (DataFile.SamplesOf(path) is [var stray, ..])
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "samples stand beside folders of classes")
            {
                At = [path],
                Found = $"'{Path.GetFileName(stray)}' beside '{Path.GetFileName(folders[0])}'",
                Expected = "either a file for each sample, or a folder for each class",
            });
        }

        ImmutableArray<Diagnostic> empty = [.. folders.Where((_, i) => files[i].IsEmpty).Select(Empty)];
        if (!empty.IsEmpty)
        {
            throw new DiagnosticException(empty);
        }

        int[] labels = [.. files.SelectMany((f, label) => Enumerable.Repeat(label, f.Length))];
        ImmutableArray<string> all = [.. files.SelectMany(f => f)];
        return new(
            new FolderColumn(Path.GetFileName(Path.TrimEndingDirectorySeparator(path)), all, DataFile.ReadTensor(all[0]).DType),
            new MemoryColumn("y", NpyArray.Of<int>(labels, labels.Length)),
            [.. folders.Select(f => Path.GetFileName(f))]);
    }

    private static Diagnostic Empty(string folder) => new(DiagnosticId.UnusableData, "a class has no samples")
    {
        At = [folder],
        Found = "no .npy or .wav file",
        Hint = "remove the folder, or put samples into it; a name that begins with a dot is passed over",
    };
}
