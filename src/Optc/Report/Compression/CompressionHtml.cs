using Optc.Report.Charts;
using static Optc.Report.Compression.ReportNumbers;

namespace Optc.Report.Compression;

/// <summary>Prints a <see cref="CompressionReport"/> as one self-contained page: style and pictures inside, no script, for light and dark, wide and narrow.</summary>
public static class CompressionHtml
{
    private const int ShortTable = 16;

    /// <summary>The page, which is well-formed XML too; lines end in <c>\n</c>.</summary>
    public static string Of(CompressionReport report)
    {
        bool isBroken = report.AllInvariantsHold == false || report.Agreement.Any(a => a.Holds == false);
        HtmlPage page = new($"Compression of {report.Title}");
        page.Paragraph(report.Verdict, isBroken ? "verdict broken" : "verdict");
        if (report.Samples is { } samples)
        {
            page.Paragraph($"Scores on {Integer(samples)} samples.", "quiet");
        }

        if (!report.Notes.IsEmpty)
        {
            page.List(report.Notes);
        }

        page.Heading("Stages");
        page.Table(CompressionTables.Stages(report), int.MaxValue / 2, lastIsResult: true);
        if (CompressionTables.CoderNames(report).Rows.Length > 0)
        {
            page.Paragraph($"Sizes of weights are those of the integer weights alone: {string.Join("; ", report.Coders.Select(c => $"{c.Name}: {c.Description}"))}.", "quiet");
        }

        Section(page, CompressionTables.Modes(report));
        Section(page, CompressionTables.InvariantKinds(report));
        if (!report.Invariants.IsEmpty)
        {
            page.Table(CompressionTables.Invariants(report), Math.Min(ShortTable, report.Invariants.Count(i => !i.Holds)));
        }

        Bytes(page, report);
        Section(page, CompressionTables.Layers(report));
        if (!report.Layers.IsEmpty)
        {
            page.Table(CompressionTables.LayerStages(report), 0);
        }

        Section(page, CompressionTables.Skipped(report));
        Kernel(page, report);
        Section(page, CompressionTables.Agreement(report));
        Training(page, report);
        if (CompressionCharts.Pareto(report) is { } pareto)
        {
            page.Heading("Accuracy against size");
            page.WideChart(pareto.ToSvg(ChartPlace.Page));
            page.Table(CompressionTables.Pareto(report), 0);
        }

        if (report.Reproduction is { } reproduction)
        {
            page.Heading("Reproduction");
            page.Table(CompressionTables.Run(reproduction), ShortTable);
            if (!reproduction.Hashes.IsEmpty)
            {
                page.Table(CompressionTables.Hashes(reproduction), ShortTable);
            }

            if (reproduction.Recipe is { } recipe)
            {
                page.Heading("Effective recipe", 3);
                page.Preformatted(recipe);
            }
        }

        return page.ToString();
    }

    private static void Section(HtmlPage page, ReportTable table)
    {
        if (!table.Rows.IsEmpty)
        {
            page.Heading(table.Name);
            page.Table(table, ShortTable);
        }
    }

    private static void Bytes(HtmlPage page, CompressionReport report)
    {
        if (CompressionCharts.Uses(report) is { } uses)
        {
            page.Heading("Where the bytes went");
            page.WideChart(uses.ToSvg(ChartPlace.Page));
            page.Table(CompressionTables.Uses(report), 0);
        }
    }

    private static void Kernel(HtmlPage page, CompressionReport report)
    {
        if (report.Kernel is not { } kernel)
        {
            return;
        }

        page.Heading($"The weights of {kernel.Layer} through the stages");
        if (!kernel.Values.IsEmpty)
        {
            page.Heading("Density of the float values", 3);
            page.Charts(CompressionCharts.Values(kernel).Select(c => c.ToSvg(ChartPlace.Page)));
        }

        if (!kernel.Codes.IsEmpty)
        {
            page.Heading("Integer codes", 3);
            page.Charts(CompressionCharts.Codes(kernel).Select(c => c.ToSvg(ChartPlace.Page)));
            page.Table(CompressionTables.Codes(report), 0);
        }
    }

    private static void Training(HtmlPage page, CompressionReport report)
    {
        ReportTable table = CompressionTables.Training(report);
        if (!table.Rows.IsEmpty)
        {
            page.Heading("Training");
            page.Charts(CompressionCharts.Training(report).Select(c => c.ToSvg(ChartPlace.Page)), areLarge: true);
            page.Table(table, ShortTable);
        }
    }
}
