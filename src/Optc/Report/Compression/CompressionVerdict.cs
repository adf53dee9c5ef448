using System.Globalization;
using static Optc.Report.Compression.ReportNumbers;

namespace Optc.Report.Compression;

/// <summary>Says in plain words what came of a compression.</summary>
internal static class CompressionVerdict
{
    // More distinct codes than these are no clustering.
    private const int MostClusters = 64;

    private const double FewestZeros = 1;

    public static string Of(CompressionReport report)
    {
        List<string> sentences = [.. Broken(report), Result(report)];
        if (Packed(report) is { } packed)
        {
            sentences.Add(packed);
        }

        if (report.AllInvariantsHold == true)
        {
            sentences.Add(report.Invariants.Length == 1 ? "The invariant that was checked holds." : $"All {Integer(report.Invariants.Length)} invariants hold.");
        }

        return string.Join(' ', sentences);
    }

    private static IEnumerable<string> Broken(CompressionReport report)
    {
        int broken = report.Invariants.Count(i => !i.Holds);
        if (broken > 0)
        {
            InvariantResult first = report.Invariants.First(i => !i.Holds);
            yield return $"BROKEN: {Integer(broken)} of {Integer(report.Invariants.Length)} invariants do not hold; {first.What} of {first.Layer}: expected {first.Expected}, found {first.Found}.";
        }

        int apart = report.Agreement.Count(a => a.Holds == false);
        if (apart > 0)
        {
            yield return $"BROKEN: in {Integer(apart)} of {Integer(report.Agreement.Length)} layers the integer model is further from the fake-quantized one than it may be.";
        }
    }

    private static string Result(CompressionReport report)
    {
        (StageEntry first, StageEntry last) = (report.Stages[0], report.Stages[^1]);
        List<string> parts = [];
        if (Size(last) is { } now)
        {
            parts.Add(report.Stages.Length > 1 && Size(first) is { } before
                ? $"{Integer(now.Bytes)} bytes of {now.What} instead of {Integer(before.Bytes)}{(before.What == now.What ? "" : $" of {before.What}")}{Less(now.Bytes, before.Bytes)}"
                : $"{Integer(now.Bytes)} bytes of {now.What}");
        }

        if (last.Int8 is { UncodedBytes: > 0 and var uncoded })
        {
            parts.Add($"{Integer(uncoded)} bytes of weights that are not coded");
        }

        if (Scores(report, first, last) is { } scores)
        {
            parts.Add(scores);
        }

        return $"{string.Join(": ", new[] { Structure(report), string.Join(", ", parts) }.Where(s => s.Length > 0))}.";
    }

    private static (long Bytes, string What)? Size(StageEntry stage) => stage switch
    {
        { Int8.Coded: [{ } size, ..] } => (size.Bytes, $"coded weights ({size.Coder})"),
        { Int8: { } form } => (form.WeightBytes, "weights"),
        { Float: { } form } => (form.WeightBytes, "float weights"),
        _ => null,
    };

    private static string Less(long now, long before) => before == 0 || now == before
        ? ""
        : $" ({Decimal(100.0 * Math.Abs(before - now) / before, 0)} % {(now < before ? "less" : "more")})";

    /// <summary>E.g. <c>8 codes and 50 % zeros in every layer</c>.</summary>
    private static string Structure(CompressionReport report)
    {
        StageEntry last = report.Stages[^1];
        string form = last.Int8 is null ? "float" : "int8";
        (LayerEntry Layer, LayerStage Weights)[] all =
        [
            .. report.Layers.SelectMany(l => l.Stages.Where(s => s.Stage == last.Name && s.Form == form && s.Elements > 0).TakeLast(1).Select(s => (l, s))),
        ];
        LayerStage[] compressed = [.. all.Where(a => a.Layer.Skipped.IsEmpty).Select(a => a.Weights)];
        if (compressed.Length == 0)
        {
            return all.Length == 0 ? "No layer has weights" : "No layer went through all steps";
        }

        List<string> facts = [];
        (long fewest, long most) = (compressed.Min(c => c.Distinct), compressed.Max(c => c.Distinct));
        if (most <= MostClusters)
        {
            facts.Add(fewest == most ? $"{Integer(most)} codes" : $"at most {Integer(most)} codes");
        }

        (double low, double high) = (compressed.Min(c => c.ZeroPercent), compressed.Max(c => c.ZeroPercent));
        if (low >= FewestZeros)
        {
            (string from, string to) = (Decimal(low, 0), Decimal(high, 0));
            facts.Add(from == to ? $"{from} % zeros" : $"{from} to {to} % zeros");
        }

        if (facts.Count == 0)
        {
            facts.Add(last.Int8 is null ? "float weights" : "integer weights");
        }

        string where = compressed.Length == all.Length
            ? "in every layer"
            : string.Create(CultureInfo.InvariantCulture, $"in {compressed.Length} of {all.Length} layers");
        string text = $"{string.Join(" and ", facts)} {where}";
        return char.ToUpperInvariant(text[0]) + text[1..];
    }

    private static string? Scores(CompressionReport report, StageEntry first, StageEntry last)
    {
        (double Score, string Form)? before = First([(first.FloatScore, "float"), (first.Int8Score, "int8"), (first.FakeQuantScore, "fake int8")]);
        (double Score, string Form)? now = First([(last.Int8Score, "int8"), (last.FakeQuantScore, "fake int8"), (last.FloatScore, "float")]);
        if (now is not { } result)
        {
            return null;
        }

        string after = $"{Score(report, result.Score)} ({result.Form})";
        if (before is not { } start || (report.Stages.Length == 1 && start.Form == result.Form))
        {
            return $"{report.Metric} {after}";
        }

        double points = 100 * (result.Score - start.Score);
        string change = !report.MetricIsShare || !double.IsFinite(points) ? ""
            : Decimal(points, 2) == Decimal(0, 2) ? ", unchanged"
            : $", {Decimal(Math.Abs(points), 2)} points {(points < 0 ? "lower" : "higher")}";
        return $"{report.Metric} {Score(report, start.Score)} ({start.Form}) → {after}{change}";

        static (double Score, string Form)? First(ReadOnlySpan<(double? Score, string Form)> candidates)
        {
            foreach ((double? score, string form) in candidates)
            {
                if (score is { } number)
                {
                    return (number, form);
                }
            }

            return null;
        }
    }

    /// <summary>File and gzip of the integer models.</summary>
    private static string? Packed(CompressionReport report) =>
        report.Stages.Length > 1
        && report.Stages[0].Int8 is { GzipBytes: { } before }
        && report.Stages[^1].Int8 is { FileBytes: { } file, GzipBytes: { } now }
            ? $"The int8 file has {Integer(file)} bytes, {Integer(now)} by gzip instead of {Integer(before)}{Less(now, before)}."
            : null;
}
