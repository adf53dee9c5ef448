using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Optc.Report.Charts;

/// <summary>How numbers are distributed over a range: a filled outline of equal bins.</summary>
/// <remarks>
/// A bin that towers over all others (the zeros of a pruned layer) is cut at the top and labelled with its share, so that the rest can be seen.
/// </remarks>
/// <param name="Title">Above the panel.</param>
/// <param name="Note">Beside the title, in a quieter color.</param>
/// <param name="Low">Lower end of the first bin.</param>
/// <param name="High">Upper end of the last bin.</param>
/// <param name="Counts">Of each bin.</param>
public sealed record DistributionChart(string Title, string Note, double Low, double High, ImmutableArray<long> Counts)
{
    private const int Width = 340;
    private const int Height = 190;
    private const int Left = 14;
    private const int Right = 14;
    private const int Top = 62;
    private const int Bottom = 28;

    // The tallest bin is cut when it is this much taller than the next.
    private const double Towering = 2;

    // What is left above the next tallest bin then.
    private const double Headroom = 1.15;

    /// <summary>Color of the bins, a number of the palette.</summary>
    public int Color { get; init; }

    /// <summary>Draws bars with gaps between them, for whole numbers; otherwise an outline.</summary>
    public bool Bars { get; init; }

    /// <summary>The picture.</summary>
    public string ToSvg(ChartPlace place = ChartPlace.File)
    {
        long total = Counts.Sum();
        long[] tallest = [.. Counts.OrderDescending().Take(2)];
        bool isCut = tallest.Length == 2 && tallest[1] > 0 && tallest[0] > Towering * tallest[1];
        double limit = Math.Max(1, isCut ? Headroom * tallest[1] : tallest.FirstOrDefault());
        double bin = (double)(Width - Left - Right) / Counts.Length;
        SvgPicture svg = new(Width, Height, Title, Described(total), place);
        svg.Text(Left, 20, SvgPicture.Fit(Title, Width - Left), style: "title").Text(Left, 38, SvgPicture.Fit(Note, Width - Left), style: "quiet");
        svg.Area(Bars ? BarsPath(limit, bin) : OutlinePath(limit, bin), SvgPicture.Color(Color));
        (Axis axis, double[] ticks) = Axis.Between(Low, High);
        foreach (double tick in ticks)
        {
            double x = Left + (axis.Part(tick) * (Width - Left - Right));
            svg.Line(x, Height - Bottom, x, Height - Bottom + 4, "axis").Text(x, Height - 8, axis.Label(tick), "middle");
        }

        svg.Line(Left, Height - Bottom, Width - Right, Height - Bottom, "axis");
        if (isCut)
        {
            double x = Left + ((Counts.IndexOf(tallest[0]) + 0.5) * bin);
            string share = string.Create(CultureInfo.InvariantCulture, $"{100.0 * tallest[0] / total:0.#} %");
            bool isRight = x > Width / 2;
            svg.Text(x + (isRight ? -6 : 6), Top + 2, share, isRight ? "end" : "start");
        }

        return svg.ToString();
    }

    private static double Y(long count, double limit) => Height - Bottom - (Math.Min(count / limit, 1) * (Height - Bottom - Top));

    private string OutlinePath(double limit, double bin)
    {
        StringBuilder path = new();
        path.Append(CultureInfo.InvariantCulture, $"M{Left} {Height - Bottom}");
        for (int i = 0; i < Counts.Length; i++)
        {
            path.Append(CultureInfo.InvariantCulture, $"V{Y(Counts[i], limit):0.##}H{Left + ((i + 1) * bin):0.##}");
        }

        return path.Append(CultureInfo.InvariantCulture, $"V{Height - Bottom}Z").ToString();
    }

    private string BarsPath(double limit, double bin)
    {
        // A bar of a single code has to be seen among 255 places.
        double width = Math.Max(0.8 * bin, 1.2);
        StringBuilder path = new();
        for (int i = 0; i < Counts.Length; i++)
        {
            if (Counts[i] > 0)
            {
                double x = Left + ((i + 0.5) * bin) - (width / 2);
                path.Append(CultureInfo.InvariantCulture, $"M{x:0.##} {Height - Bottom}V{Y(Counts[i], limit):0.##}h{width:0.##}V{Height - Bottom}Z");
            }
        }

        return path.ToString();
    }

    private string Described(long total)
    {
        int occupied = Counts.Count(c => c > 0);
        int first = Counts.Index().FirstOrDefault(c => c.Item > 0).Index;
        int last = Counts.Index().LastOrDefault(c => c.Item > 0).Index;
        double bin = (High - Low) / Counts.Length;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Note}. {total} numbers in {occupied} of {Counts.Length} bins, from {Low + (first * bin):G4} to {Low + ((last + 1) * bin):G4}.");
    }
}
