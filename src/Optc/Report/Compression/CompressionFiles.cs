using System.Text;
using Optc.Backends;
using Optc.Files;
using Optc.Ir;

namespace Optc.Report.Compression;

/// <summary>The files that a <see cref="CompressionReport"/> is published as.</summary>
public static class CompressionFiles
{
    /// <summary>Names of the files, in the order of <see cref="Of"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = ["report.html", "report.md", "report.json"];

    /// <summary>The page, and the same as Markdown and JSON.</summary>
    public static ArtifactSet Of(CompressionReport report) => new(
    [
        new(Names[0], s => s.Write(Encoding.UTF8.GetBytes(CompressionHtml.Of(report)))),
        new(Names[1], s => s.Write(Encoding.UTF8.GetBytes(CompressionMarkdown.Of(report)))),
        new(Names[2], s => ReportJson.Write(report, s)),
    ]);

    /// <summary>Writes them into a folder, which is made if it is missing.</summary>
    /// <exception cref="DiagnosticException">A file exists and may not be overwritten, or cannot be written.</exception>
    internal static void Write(CompressionReport report, string folder, bool overwrite)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.OutputNotWritable, "the folder of the report cannot be made") { At = [folder], Found = problem.Message });
        }

        OutputFiles.Write(folder, Of(report), overwrite);
    }
}
