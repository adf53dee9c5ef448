using Optc.Ir;

namespace Optc.Cli.Output;

/// <summary>A folder that a verb writes into and makes if it is missing.</summary>
internal static class OutputFolder
{
    /// <exception cref="DiagnosticException">The disk refuses it.</exception>
    public static void Create(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.OutputNotWritable, "the folder cannot be made")
            {
                At = [path],
                Found = problem.Message,
            });
        }
    }
}
