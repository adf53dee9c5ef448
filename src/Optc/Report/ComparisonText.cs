using System.Collections.Immutable;
using System.Globalization;
using static Optc.Report.ReportText;

namespace Optc.Report;

/// <summary>Prints a <see cref="Comparison"/> as tables.</summary>
public static class ComparisonText
{
    public static ReportText Of(Comparison comparison) => new(
    [
        .. new[]
        {
            ReportTable.Of<(string Name, string Value)>(
                "comparison",
                [
                    ("samples", Integer(comparison.Samples)),
                    ("roundingA", comparison.RoundingA),
                    ("roundingB", comparison.RoundingB),
                    ("bitExact", YesNo(comparison.BitExact)),
                ],
                int.MaxValue,
                ("name", false, f => f.Name),
                ("value", false, f => f.Value)),
            Differences("outputs", comparison.Outputs, isOutput: true),
            Differences("layers", comparison.Layers, isOutput: false),
            ReportTable.Of(
                "unmatched", comparison.Unmatched, int.MaxValue,
                ("model", false, u => u.Model),
                ("name", false, u => u.Name),
                ("op", false, u => u.Op),
                ("reason", false, u => u.Reason)),
        }.Where(t => !t.Rows.IsEmpty),
    ]);

    private static ReportTable Differences(string name, ImmutableArray<DifferenceEntry> entries, bool isOutput)
    {
        (string Name, bool IsNumber, Func<DifferenceEntry, string> Cell) last = isOutput
            ? ("argMaxAgreement", true, e => e.ArgMaxAgreement is { } percent ? Decimal(percent, 2) : "")
            : ("elements", true, e => Integer(e.Elements));
        return ReportTable.Of(
            name, entries, int.MaxValue,
            ("name", false, e => e.Name),
            ("op", false, e => e.Op ?? ""),
            ("typeA", false, e => e.TypeA),
            ("typeB", false, e => e.TypeB),
            ("sqnr", true, e => Decibel(e.Sqnr)),
            ("maxAbs", true, e => Real(e.MaxAbs)),
            ("meanAbs", true, e => Real(e.MeanAbs)),
            ("rmse", true, e => Real(e.Rmse)),
            ("bitExact", false, e => YesNo(e.BitExact)),
            ("maxCodeDifference", true, e => e.MaxCodeDifference is { } codes ? Integer(codes) : ""),
            last);
    }

    private static string YesNo(bool? value) => value switch
    {
        true => "yes",
        false => "no",
        null => "",
    };

    private static string Real(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    private static string Decibel(double value) => double.IsFinite(value) ? Decimal(value, 1) : Real(value);
}
