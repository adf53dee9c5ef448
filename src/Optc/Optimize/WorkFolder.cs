using System.Text.RegularExpressions;
using Optc.Ir;

namespace Optc.Optimize;

/// <summary>The folder in which runs of recipes keep finished stages and checkpoints, see <see cref="OptimizationOptions.WorkFolder"/>.</summary>
public static partial class WorkFolder
{
    /// <summary>Deletes what runs have left in a folder, and the folder when nothing else is in it; nothing when there is none.</summary>
    /// <exception cref="DiagnosticException">A file cannot be deleted.</exception>
    public static void Clear(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        try
        {
            foreach (string file in Directory.EnumerateFiles(folder).Where(f => OwnFile().IsMatch(Path.GetFileName(f))).ToArray())
            {
                File.Delete(file);
            }

            if (!Directory.EnumerateFileSystemEntries(folder).Any())
            {
                Directory.Delete(folder);
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.OutputNotWritable, "the work folder cannot be cleared") { At = [folder], Found = problem.Message });
        }
    }

    [GeneratedRegex(@"^[0-9a-f]{16}\.(tflite|json|checkpoint\.npz)$", RegexOptions.CultureInvariant)]
    private static partial Regex OwnFile();
}
