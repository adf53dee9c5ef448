using System.Collections.Immutable;
using System.Globalization;
using Optc.Formats.WeightCoding;
using Optc.Training;
using static Optc.Report.Compression.ReportNumbers;

namespace Optc.Report.Compression;

/// <summary>The tables of a <see cref="CompressionReport"/>, for every form it is printed in.</summary>
internal static class CompressionTables
{
    private const int MostCodesListed = 32;

    /// <summary>A column for each stage; rows that are empty in all of them are left out.</summary>
    public static ReportTable Stages(CompressionReport report)
    {
        StageEntry first = report.Stages[0];
        (string Name, Func<StageEntry, string> Cell)[] rows =
        [
            ("mode", s => s.Mode ?? None),
            ($"{report.Metric}, float", s => Score(report, s.FloatScore)),
            ($"{report.Metric}, fake int8", s => Score(report, s.FakeQuantScore)),
            ($"{report.Metric}, int8", s => Score(report, s.Int8Score)),
            ("float file, bytes", s => Integer(s.Float?.FileBytes)),
            ("float file, gzip", s => Integer(s.Float?.GzipBytes)),
            ("int8 file, bytes", s => Integer(s.Int8?.FileBytes)),
            ("int8 file, gzip", s => Integer(s.Int8?.GzipBytes)),
            .. Against(report, "int8 gzip", s => Change(s.Int8?.GzipBytes, first.Int8?.GzipBytes)),
            ("weights", s => Integer((s.Int8 ?? s.Float)?.Weights)),
            ("zeros", s => Percent((s.Int8 ?? s.Float)?.ZeroPercent, 1)),
            ("int8 weights, bytes", s => Integer(s.Int8?.WeightBytes)),
            .. report.Coders.SelectMany(c => (IEnumerable<(string, Func<StageEntry, string>)>)
            [
                ($"weights by {c.Name}, bytes", s => Integer(Coded(s.Int8, c.Name)?.Bytes)),
                ($"{c.Name} bits per weight", s => Decimal(Coded(s.Int8, c.Name)?.BitsPerWeight, 2)),
                .. Against(report, c.Name, s => Change(Coded(s.Int8, c.Name)?.Bytes, Coded(first.Int8, c.Name)?.Bytes)),
            ]),
            ("not coded, bytes", s => s.Int8 is { UncodedBytes: > 0 and var bytes } ? Integer(bytes) : None),
        ];
        return new(
            "Stages",
            [new(""), .. report.Stages.Select(s => new ReportColumn(s.Name, IsNumber: true))],
            [
                .. rows.Select(r => (ImmutableArray<string>)[r.Name, .. report.Stages.Select(r.Cell)]).Where(r => r.Skip(1).Any(c => c != None)),
            ]);
    }

    /// <summary>What the stages turned out to be.</summary>
    public static ReportTable Modes(CompressionReport report) => ReportTable.Of(
        "Modes", [.. report.Stages.Where(s => s.Mode is not null)], int.MaxValue,
        ("stage", false, s => s.Name),
        ("mode", false, s => s.Mode!),
        ("because", false, s => s.ModeReason ?? None));

    /// <summary>What the names of the coders stand for.</summary>
    public static ReportTable CoderNames(CompressionReport report) => ReportTable.Of(
        "Coders", report.Stages.Any(s => s.Int8 is { Coded.Length: > 0 }) ? report.Coders : [], int.MaxValue,
        ("coder", false, c => c.Name),
        ("counts", false, c => c.Description));

    /// <summary>What the bytes of each file are for.</summary>
    public static ReportTable Uses(CompressionReport report)
    {
        (string Name, FormEntry Form)[] forms = [.. Forms(report)];
        string[] uses = [.. forms.SelectMany(f => f.Form.Uses).Where(u => u.Bytes > 0).Select(u => u.Use).Distinct()];
        string[] ordered = [.. forms.Take(1).SelectMany(f => f.Form.Uses).Select(u => u.Use).Where(uses.Contains)];
        return new(
            "Where the bytes went",
            [new("bytes"), .. forms.Select(f => new ReportColumn(f.Name, IsNumber: true))],
            forms.Length == 0 ? [] :
            [
                .. ordered.Select(use => (ImmutableArray<string>)[use, .. forms.Select(f => Integer(f.Form.Uses.FirstOrDefault(u => u.Use == use)?.Bytes))]),
                ["file", .. forms.Select(f => Integer(f.Form.FileBytes))],
            ]);
    }

    /// <summary>The models whose files could be measured, float before integer.</summary>
    public static IEnumerable<(string Name, FormEntry Form)> Forms(CompressionReport report) => report.Stages
        .SelectMany(s => new[] { ($"{s.Name}, float", s.Float), ($"{s.Name}, int8", s.Int8) })
        .Where(f => f.Item2 is { FileBytes: not null })
        .Select(f => (f.Item1, f.Item2!));

    /// <summary>The weights of the last stage beside those of the first.</summary>
    public static ReportTable Layers(CompressionReport report)
    {
        StageEntry last = report.Stages[^1];
        string form = last.Int8 is null ? "float" : "int8";
        (LayerEntry Layer, LayerStage? First, LayerStage Last)[] layers =
        [
            .. report.Layers.SelectMany(l => l.Stages.Where(s => s.Stage == last.Name && s.Form == form).TakeLast(1).Select(s => (
                l, l.Stages.FirstOrDefault(f => f.Stage == report.Stages[0].Name && f.Form == form), s))),
        ];
        bool hasFirst = report.Stages.Length > 1 && report.Stages[0].Int8 is not null && last.Int8 is not null;
        return ReportTable.Of<(LayerEntry Layer, LayerStage? First, LayerStage Last)>(
            $"Layers of {last.Name}, {form}", layers, int.MaxValue,
        [
            ("layer", false, l => l.Layer.Layer),
            ("op", false, l => l.Layer.Op),
            ("shape", false, l => l.Layer.Shape is { } dims ? string.Join('×', dims) : None),
            ("weights", true, l => Integer(l.Last.Elements)),
            ("zeros", true, l => Percent(l.Last.ZeroPercent, 1)),
            ("codes", true, l => Integer(l.Last.Distinct)),
            ("entropy, bits", true, l => Decimal(l.Last.Entropy, 2)),
            .. hasFirst
                ? report.Coders.Take(1).Select(c => Column($"{report.Stages[0].Name} {c.Name}, bytes", l => Integer(Coded(l.First, c.Name)?.Bytes)))
                : [],
            .. report.Coders.Take(last.Int8 is null ? 0 : int.MaxValue).Select(c => Column($"{c.Name}, bytes", l => Integer(Coded(l.Last, c.Name)?.Bytes))),
            .. report.Coders.Take(last.Int8 is null ? 0 : 1).Select(c => Column($"{c.Name}, bits/weight", l => Decimal(Coded(l.Last, c.Name)?.BitsPerWeight, 2))),
            ("SQNR, dB", true, l => Decimal(l.Last.Sqnr, 1)),
            ("left alone by", false, l => LeftAlone(l.Layer)),
        ]);

        static (string, bool, Func<(LayerEntry Layer, LayerStage? First, LayerStage Last), string>) Column(
            string name, Func<(LayerEntry Layer, LayerStage? First, LayerStage Last), string> cell) => (name, true, cell);
    }

    /// <summary>Each weight tensor in every model.</summary>
    public static ReportTable LayerStages(CompressionReport report) => ReportTable.Of<(string Layer, LayerStage Weights)>(
            "Layers through the stages", [.. report.Layers.SelectMany(l => l.Stages.Select(s => (l.Layer, s)))], int.MaxValue,
        [
            ("layer", false, r => r.Layer),
            ("stage", false, r => r.Weights.Stage),
            ("type", false, r => r.Weights.Type),
            ("zeros", true, r => Percent(r.Weights.ZeroPercent, 1)),
            ("distinct", true, r => Integer(r.Weights.Distinct)),
            ("entropy, bits", true, r => Decimal(r.Weights.Entropy, 2)),
            .. report.Coders.Where(_ => report.Stages.Any(s => s.Int8 is not null)).Select(c => ((string, bool, Func<(string Layer, LayerStage Weights), string>))
                ($"{c.Name}, bytes", true, r => Integer(Coded(r.Weights, c.Name)?.Bytes))),
            ("SQNR, dB", true, r => Decimal(r.Weights.Sqnr, 1)),
            ("left alone because", false, r => r.Weights.Skipped ?? None),
        ]);

    public static ReportTable Skipped(CompressionReport report) => ReportTable.Of(
        "Layers left alone", report.Skipped, int.MaxValue,
        ("layer", false, s => s.Layer),
        ("stage", false, s => s.Stage),
        ("reason", false, s => s.Reason));

    /// <summary>The codes of the largest layer.</summary>
    public static ReportTable Codes(CompressionReport report) => ReportTable.Of(
        $"Codes of {report.Kernel?.Layer}", report.Kernel?.Codes ?? [], int.MaxValue,
        ("stage", false, c => c.Stage),
        ("weights", true, c => Integer(c.Elements)),
        ("distinct", true, c => Integer(c.Counts.Length)),
        ("codes and how often", false, Listed));

    public static ReportTable Training(CompressionReport report) => ReportTable.Of(
        "Training", [.. report.Stages.Where(s => !s.Curve.IsEmpty)], int.MaxValue,
        ("stage", false, s => s.Name),
        ("epochs", true, s => Integer(s.Curve.Length)),
        ("first loss", true, s => Short(s.Curve[0].Loss)),
        ("last loss", true, s => Short(s.Curve[^1].Loss)),
        ($"best {report.Metric}", true, s => Score(report, Best(s.Curve)?.Score)),
        ("in epoch", true, s => Integer(Best(s.Curve)?.Epoch)));

    public static ReportTable Pareto(CompressionReport report) => ReportTable.Of(
        "Accuracy against size", report.Pareto, int.MaxValue,
        ("trial", false, p => p.Name),
        ($"{report.ParetoMeasure}, bytes", true, p => Integer(p.CodedBytes)),
        (report.Metric, true, p => Score(report, p.Score)),
        ("on the front", false, p => p.OnFront ? "yes" : "no"),
        ("chosen", false, p => p.Chosen ? "chosen" : ""));

    /// <summary>Each kind of invariant with the number of layers.</summary>
    public static ReportTable InvariantKinds(CompressionReport report) => ReportTable.Of(
        "Invariants", [.. report.Invariants.GroupBy(i => i.What)], int.MaxValue,
        ("invariant", false, g => g.Key),
        ("expected", false, g => g.Select(i => i.Expected).Distinct().Count() == 1 ? g.First().Expected : "as of each layer"),
        ("layers", true, g => Integer(g.Count())),
        ("hold", true, g => Integer(g.Count(i => i.Holds))),
        ("all hold", false, g => YesNo(g.All(i => i.Holds))));

    /// <summary>Broken ones first.</summary>
    public static ReportTable Invariants(CompressionReport report) => ReportTable.Of(
        "Invariants of each layer", [.. report.Invariants.OrderBy(i => i.Holds)], int.MaxValue,
        ("layer", false, i => i.Layer),
        ("invariant", false, i => i.What),
        ("expected", false, i => i.Expected),
        ("found", false, i => i.Found),
        ("holds", false, i => YesNo(i.Holds)));

    public static ReportTable Agreement(CompressionReport report) => ReportTable.Of(
        "Fake-quantized against integer", report.Agreement, int.MaxValue,
        ("layer", false, a => a.Layer),
        ("largest difference", true, a => Short(a.MaxDifference)),
        ("tolerance", true, a => Short(a.Tolerance)),
        ("SQNR, dB", true, a => Decimal(a.Sqnr, 1)),
        ("within", false, a => YesNo(a.Holds)));

    public static ReportTable Hashes(Reproduction reproduction) => ReportTable.Of(
        "Files", reproduction.Hashes, int.MaxValue,
        ("what", false, h => h.What),
        ("file", false, h => h.Name),
        ("SHA-256", false, h => h.Sha256));

    /// <summary>The facts that are always there, as names and values.</summary>
    public static ReportTable Run(Reproduction reproduction) => ReportTable.Of(
        "Run",
        [
            .. new (string Name, string? Value)[]
            {
                ("version", reproduction.Version),
                ("seed", reproduction.Seed?.ToString(CultureInfo.InvariantCulture)),
                ("command", reproduction.Command),
            }.Where(f => f.Value is not null),
        ],
        int.MaxValue,
        ("name", false, f => f.Name),
        ("value", false, f => f.Value!));

    /// <summary>The epoch whose weights were kept.</summary>
    internal static EpochRecord? Best(ImmutableArray<EpochRecord> curve) => curve.LastOrDefault(e => e.Best);

    private static WeightCost? Coded(FormEntry? form, string coder) => form?.Coded.FirstOrDefault(c => c.Coder == coder);

    private static WeightCost? Coded(LayerStage? weights, string coder) => weights?.Coded.FirstOrDefault(c => c.Coder == coder);

    /// <summary>A row of changes against the first stage, where there is another.</summary>
    private static IEnumerable<(string Name, Func<StageEntry, string> Cell)> Against(CompressionReport report, string what, Func<StageEntry, string> change) =>
        report.Stages.Length > 1 ? [($"{what} against {report.Stages[0].Name}", s => s == report.Stages[0] ? None : change(s))] : [];

    private static string LeftAlone(LayerEntry layer) =>
        layer.Skipped.IsEmpty ? None : string.Join(", ", layer.Skipped.Select(s => s.Stage).Distinct());

    private static string Listed(KernelCodes codes) => codes.Counts.Length > MostCodesListed
        ? string.Create(CultureInfo.InvariantCulture, $"{codes.Counts[0].Code} to {codes.Counts[^1].Code}")
        : string.Join(", ", codes.Counts.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Code}: {c.Count}")));
}
