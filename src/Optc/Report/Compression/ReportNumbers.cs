using System.Globalization;

namespace Optc.Report.Compression;

/// <summary>Numbers as readers of a page want them.</summary>
internal static class ReportNumbers
{
    /// <summary>Stands where there is nothing.</summary>
    public const string None = "–";

    /// <summary>E.g. <c>22,287</c>.</summary>
    public static string Integer(long? number) => number?.ToString("N0", CultureInfo.InvariantCulture) ?? None;

    /// <summary>E.g. <c>-1.25</c>; <c>∞</c> and <c>NaN</c> as such.</summary>
    public static string Decimal(double? number, int digits) => number switch
    {
        null => None,
        double.PositiveInfinity => "∞",
        double.NegativeInfinity => "-∞",
        { } x when double.IsNaN(x) => "NaN",
        { } x => WithoutNegativeZero(x.ToString($"N{digits}", CultureInfo.InvariantCulture)),
    };

    /// <summary>A number of any size by its four leading digits.</summary>
    public static string Short(double? number) => number switch
    {
        { } x when double.IsFinite(x) => x.ToString("G4", CultureInfo.InvariantCulture),
        _ => Decimal(number, 0),
    };

    public static string Percent(double? number, int digits) => Decimal(number, digits) is var text && number is { } x && double.IsFinite(x) ? $"{text} %" : text;

    /// <summary>A score of the report's metric: percent for shares.</summary>
    public static string Score(CompressionReport report, double? score, int digits = 2) =>
        report.MetricIsShare ? Percent(100 * score, digits) : Short(score);

    /// <summary>How a size compares with that of the first stage, e.g. <c>-70.4 %</c>.</summary>
    public static string Change(long? bytes, long? first) => bytes is { } now && first is { } before and > 0
        ? $"{(now > before ? "+" : "")}{Percent(100.0 * (now - before) / before, 1)}"
        : None;

    public static string YesNo(bool? value) => value switch
    {
        true => "yes",
        false => "NO",
        null => None,
    };

    private static string WithoutNegativeZero(string text) => text.StartsWith('-') && text.AsSpan().IndexOfAnyInRange('1', '9') < 0 ? text[1..] : text;
}
