using System.Collections.Immutable;
using System.Globalization;

namespace Optc.Report.Charts;

/// <summary>A bar of parts that stand one behind the other.</summary>
/// <param name="Parts">As many as the chart has parts; 0 or more.</param>
public sealed record StackedBar(string Name, ImmutableArray<long> Parts);

/// <summary>Horizontal bars on one scale, each of coloured parts, the name above the bar.</summary>
/// <param name="Parts">Names of the parts, for the legend.</param>
/// <param name="Unit">Of the numbers, e.g. <c>bytes</c>.</param>
public sealed record StackedBarChart(string Title, string Unit, ImmutableArray<string> Parts, ImmutableArray<StackedBar> Bars)
{
    private const int Width = 640;
    private const int Margin = 14;
    private const int TitleHeight = 32;
    private const int LegendTop = 20;
    private const int LegendLine = 22;
    private const int RowHeight = 48;
    private const int BarHeight = 20;
    private const int Swatch = 12;

    /// <summary>The picture; a page says itself what it shows, a file has the title in it.</summary>
    public string ToSvg(ChartPlace place = ChartPlace.File)
    {
        (int X, int Line)[] legend = Legend();
        int title = place is ChartPlace.File ? TitleHeight : 0;
        int top = title + LegendTop + (LegendLine * (legend.Length == 0 ? 0 : legend[^1].Line + 1));
        int height = top + (RowHeight * Bars.Length) + Margin;
        string described = string.Join("; ", Bars.Select(b => $"{b.Name}: {string.Join(", ", b.Parts.Select((p, i) => $"{Number(p)} {Unit} of {Parts[i]}"))}"));
        SvgPicture svg = new(Width, height, Title, described, place);
        if (place is ChartPlace.File)
        {
            svg.Text(Margin, 28, Title, style: "title");
        }

        for (int i = 0; i < Parts.Length; i++)
        {
            int y = title + LegendTop + (LegendLine * legend[i].Line);
            svg.Box(legend[i].X, y - Swatch, Swatch, Swatch, SvgPicture.Color(i)).Text(legend[i].X + Swatch + 6, y - 1, Parts[i]);
        }

        long longest = Math.Max(1, Bars.IsEmpty ? 1 : Bars.Max(b => b.Parts.Sum()));
        for (int row = 0; row < Bars.Length; row++)
        {
            double y = top + (RowHeight * row) + 18;
            long total = Bars[row].Parts.Sum();
            string sum = $"{Number(total)} {Unit}";
            svg.Text(Margin, y, SvgPicture.Fit(Bars[row].Name, Width - (2 * Margin) - (SvgPicture.LetterWidth * (sum.Length + 2))));
            svg.Text(Width - Margin, y, sum, "end", "quiet");
            double x = Margin;
            for (int part = 0; part < Parts.Length; part++)
            {
                double width = (double)Bars[row].Parts[part] / longest * (Width - (2 * Margin));
                if (Bars[row].Parts[part] > 0)
                {
                    svg.Box(x, y + 6, width, BarHeight, SvgPicture.Color(part), $"{Parts[part]}: {Number(Bars[row].Parts[part])} {Unit}");
                }

                x += width;
            }
        }

        return svg.ToString();
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Places of the legend's entries, on as many lines as they need.</summary>
    private (int X, int Line)[] Legend()
    {
        (int X, int Line)[] places = new (int, int)[Parts.Length];
        (int x, int line) = (Margin, 0);
        for (int i = 0; i < places.Length; i++)
        {
            int width = Swatch + 24 + (SvgPicture.LetterWidth * Parts[i].Length);
            (x, line) = x > Margin && x + width > Width - Margin ? (Margin, line + 1) : (x, line);
            places[i] = (x, line);
            x += width;
        }

        return places;
    }
}
