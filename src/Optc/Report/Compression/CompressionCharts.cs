using System.Collections.Immutable;
using System.Globalization;
using Optc.Report.Charts;
using Optc.Training;
using static Optc.Report.Compression.ReportNumbers;

namespace Optc.Report.Compression;

/// <summary>The pictures of a <see cref="CompressionReport"/>.</summary>
internal static class CompressionCharts
{
    private const int MostCodeBins = 256;

    // As many parts as the palette has colors; every use of a byte is in one of them.
    private static readonly ImmutableArray<(string Name, ImmutableArray<string> Uses)> Parts =
    [
        ("weights", ["weights"]),
        ("biases", ["biases"]),
        ("scales, zero points", ["scales", "zero points"]),
        ("names", ["names"]),
        ("other constants, metadata", ["other constants", "metadata", "recorded ranges", "sparse indices"]),
        ("structure", ["shapes", "operator options", "operator tables", "tensor tables", "buffer tables", "graph tables", "vtables", "head", "padding", "unused"]),
    ];

    public static StackedBarChart? Uses(CompressionReport report)
    {
        ImmutableArray<StackedBar> bars =
        [
            .. CompressionTables.Forms(report).Select(f => new StackedBar(
                f.Name, [.. Parts.Select(p => f.Form.Uses.Where(u => p.Uses.Contains(u.Use)).Sum(u => u.Bytes))])),
        ];
        return bars.IsEmpty ? null : new("Where the bytes of the files went", "bytes", [.. Parts.Select(p => p.Name)], bars);
    }

    /// <summary>One picture for each float model, all over the same range.</summary>
    public static IEnumerable<DistributionChart> Values(KernelEntry kernel) => kernel.Values.Select(v => new DistributionChart(
        v.Stage, $"{Percent(v.Elements == 0 ? 0 : 100.0 * v.Zeros / v.Elements, 1)} zeros", kernel.Low, kernel.High, v.Counts));

    /// <summary>One picture for each integer model, a bar for each code.</summary>
    public static IEnumerable<DistributionChart> Codes(KernelEntry kernel)
    {
        int[] all = [.. kernel.Codes.SelectMany(c => c.Counts).Select(c => c.Code)];
        (int low, int high) = all.Length == 0 ? (0, 0) : (all.Min(), all.Max());
        int perBin = ((high - low) / MostCodeBins) + 1;
        int bins = ((high - low) / perBin) + 1;
        foreach (KernelCodes codes in kernel.Codes)
        {
            long[] counts = new long[bins];
            foreach (CodeCount code in codes.Counts)
            {
                counts[(code.Code - low) / perBin] += code.Count;
            }

            long zeros = codes.Counts.FirstOrDefault(c => c.Code == 0)?.Count ?? 0;
            yield return new(codes.Stage, $"{Integer(codes.Counts.Length)} distinct codes, {Percent(codes.Elements == 0 ? 0 : 100.0 * zeros / codes.Elements, 1)} zeros", low - 0.5, low + ((double)bins * perBin) - 0.5, [.. counts])
            {
                Color = 1,
                Bars = true,
            };
        }
    }

    public static IEnumerable<LineChart> Training(CompressionReport report) => report.Stages
        .Where(s => !s.Curve.IsEmpty)
        .Select(s => LearningCurve.ChartOf(s.Curve, report.Metric, s.Name) with { Width = 460, PanelHeight = 130 });

    public static ScatterChart? Pareto(CompressionReport report) => report.Pareto.IsEmpty ? null : new(
        string.Create(CultureInfo.InvariantCulture, $"{report.Metric} against size, {report.Pareto.Length} trials"),
        $"{report.ParetoMeasure}, bytes",
        report.MetricIsShare ? $"{report.Metric}, %" : report.Metric,
        [.. report.Pareto.Select(p => new ScatterPoint(p.Name, p.CodedBytes, report.MetricIsShare ? 100 * p.Score : p.Score, p.OnFront, p.Chosen))]);
}
