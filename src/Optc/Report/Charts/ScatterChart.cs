using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Optc.Report.Charts;

/// <summary>A point of a scatter plot.</summary>
/// <param name="OnFront">Whether the line of the front goes through it.</param>
/// <param name="Marked">Gets a ring and its name.</param>
public sealed record ScatterPoint(string Name, double X, double Y, bool OnFront = false, bool Marked = false);

/// <summary>Points, and as a stair the front of those that no other point beats. Points that are no finite numbers are left out.</summary>
public sealed record ScatterChart(string Title, string XTitle, string YTitle, ImmutableArray<ScatterPoint> Points)
{
    private const int Width = 640;
    private const int PanelHeight = 252;
    private const int TitleHeight = 32;
    private const int Left = 76;
    private const int Right = 40;
    private const int LegendHeight = 40;
    private const int Bottom = 56;

    /// <summary>The picture; a page says itself what it shows, a file has the title in it.</summary>
    public string ToSvg(ChartPlace place = ChartPlace.File)
    {
        ScatterPoint[] points = [.. Points.Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y))];
        ScatterPoint[] front = [.. points.Where(p => p.OnFront).OrderBy(p => p.X)];
        int top = LegendHeight + (place is ChartPlace.File ? TitleHeight : 0);
        int bottom = top + PanelHeight;
        string described = $"{points.Length.ToString(CultureInfo.InvariantCulture)} points; on the front: {string.Join(", ", front.Select(Described))}";
        SvgPicture svg = new(Width, bottom + Bottom, Title, described, place);
        Axis x = Axis.Over(points.Select(p => p.X), whole: false);
        Axis y = Axis.Over(points.Select(p => p.Y), whole: false);
        double X(double value) => Left + (x.Part(value) * (Width - Left - Right));
        double Y(double value) => top + ((1 - y.Part(value)) * PanelHeight);
        if (place is ChartPlace.File)
        {
            svg.Text(Left, 28, SvgPicture.Fit(Title, Width - Left), style: "title");
        }

        svg.Dot(Left + 6, top - 20, 4, SvgPicture.Color(0)).Text(Left + 16, top - 16, "on the front");
        svg.Dot(Left + 126, top - 20, 4, SvgPicture.Color(5)).Text(Left + 136, top - 16, "beaten by another");
        foreach (double tick in y.Ticks)
        {
            svg.Line(Left, Y(tick), Width - Right, Y(tick), "grid").Text(Left - 8, Y(tick) + 4, y.Label(tick), "end");
        }

        foreach (double tick in x.Ticks)
        {
            svg.Line(X(tick), top, X(tick), bottom, "grid").Text(X(tick), bottom + 18, x.Label(tick), "middle");
        }

        svg.Frame(Left, top, Width - Right, bottom).TurnedText(18, (top + bottom) / 2, YTitle);
        svg.Text((Left + Width - Right) / 2, bottom + Bottom - 12, XTitle, "middle");
        if (front.Length > 1)
        {
            StringBuilder stair = new();
            stair.Append(CultureInfo.InvariantCulture, $"M{X(front[0].X):0.##} {Y(front[0].Y):0.##}");
            foreach (ScatterPoint point in front.Skip(1))
            {
                stair.Append(CultureInfo.InvariantCulture, $"H{X(point.X):0.##}V{Y(point.Y):0.##}");
            }

            svg.Path(stair.ToString(), SvgPicture.Color(0));
        }

        foreach (ScatterPoint point in points.OrderBy(p => p.OnFront))
        {
            svg.Dot(X(point.X), Y(point.Y), 4, SvgPicture.Color(point.OnFront ? 0 : 5), Described(point));
        }

        foreach (ScatterPoint point in points.Where(p => p.Marked))
        {
            bool isRight = X(point.X) > Width / 2;
            svg.Ring(X(point.X), Y(point.Y), SvgPicture.Color(1));
            svg.Text(X(point.X) + (isRight ? -12 : 12), Y(point.Y) + 18, SvgPicture.Fit(point.Name, Width / 2), isRight ? "end" : "start");
        }

        return svg.ToString();
    }

    private static string Described(ScatterPoint point) => string.Create(CultureInfo.InvariantCulture, $"{point.Name} ({point.X:N0}, {point.Y:G4})");
}
