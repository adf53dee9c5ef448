using System.Globalization;
using System.Text;
using static Optc.Report.Compression.ReportNumbers;

namespace Optc.Report.Compression;

/// <summary>Prints a <see cref="CompressionReport"/> as GitHub-flavoured Markdown, without pictures.</summary>
public static class CompressionMarkdown
{
    // Longer tables are folded.
    private const int ShortTable = 40;

    /// <summary>The report; lines end in <c>\n</c>.</summary>
    public static string Of(CompressionReport report)
    {
        StringBuilder page = new();
        page.Append(CultureInfo.InvariantCulture, $"# {ReportTable.MarkdownCell($"Compression of {report.Title}")}\n\n");
        page.Append(CultureInfo.InvariantCulture, $"**{ReportTable.MarkdownCell(report.Verdict)}**\n\n");
        if (report.Samples is { } samples)
        {
            page.Append(CultureInfo.InvariantCulture, $"Scores on {Integer(samples)} samples.\n\n");
        }

        foreach (string note in report.Notes)
        {
            page.Append(CultureInfo.InvariantCulture, $"* {ReportTable.MarkdownCell(note)}\n");
        }

        page.Append(report.Notes.IsEmpty ? "" : "\n");
        ReportTable[] tables =
        [
            CompressionTables.Stages(report),
            CompressionTables.CoderNames(report),
            CompressionTables.Modes(report),
            CompressionTables.InvariantKinds(report),
            CompressionTables.Invariants(report),
            CompressionTables.Uses(report),
            CompressionTables.Layers(report),
            CompressionTables.LayerStages(report),
            CompressionTables.Skipped(report),
            CompressionTables.Codes(report),
            CompressionTables.Agreement(report),
            CompressionTables.Training(report),
            CompressionTables.Pareto(report),
        ];
        foreach (ReportTable table in tables)
        {
            Append(page, table);
        }

        if (report.Reproduction is { } reproduction)
        {
            page.Append("## Reproduction\n\n");
            Append(page, CompressionTables.Run(reproduction), "###");
            Append(page, CompressionTables.Hashes(reproduction), "###");
            if (reproduction.Recipe is { } recipe)
            {
                page.Append("### Effective recipe\n\n");
                string fence = new('`', Math.Max(3, LongestRun(recipe, '`') + 1));
                page.Append(CultureInfo.InvariantCulture, $"{fence}yaml\n{recipe.ReplaceLineEndings("\n").TrimEnd('\n')}\n{fence}\n\n");
            }
        }

        return page.ToString().TrimEnd('\n') + "\n";
    }

    private static void Append(StringBuilder page, ReportTable table, string level = "##")
    {
        if (table.Rows.IsEmpty)
        {
            return;
        }

        page.Append(CultureInfo.InvariantCulture, $"{level} {ReportTable.MarkdownCell(table.Name)}\n\n");
        bool isFolded = table.Rows.Length > ShortTable;
        page.Append(isFolded ? string.Create(CultureInfo.InvariantCulture, $"<details><summary>{table.Rows.Length} rows</summary>\n\n") : "");
        using (StringWriter writer = new(page, CultureInfo.InvariantCulture))
        {
            table.WriteMarkdown(writer);
        }

        page.Append(isFolded ? "\n</details>\n\n" : "\n");
    }

    private static int LongestRun(string text, char letter)
    {
        (int longest, int run) = (0, 0);
        foreach (char c in text)
        {
            run = c == letter ? run + 1 : 0;
            longest = Math.Max(longest, run);
        }

        return longest;
    }
}
