using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Optc.Report.Charts;

/// <summary>One line of a chart.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Points">x and y; a point whose y is no finite number is left out and breaks the line.</param>
/// <param name="Marked">x of the point that gets a ring, if any.</param>
public sealed record Series(string Name, ImmutableArray<(double X, double Y)> Points, double? Marked = null);

/// <summary>A line chart as a static SVG picture, for light and dark pages.</summary>
/// <remarks>
/// The same chart gives the same bytes. Several panels stand one above the other over a common x axis.
/// </remarks>
/// <param name="Title">Above the panels.</param>
/// <param name="XTitle">Below the x axis.</param>
/// <param name="Panels">Title of the y axis and the lines of each panel, from top to bottom.</param>
public sealed record LineChart(string Title, string XTitle, ImmutableArray<(string YTitle, ImmutableArray<Series> Lines)> Panels)
{
    private const int Left = 76;
    private const int Right = 24;
    private const int Top = 72;
    private const int Gap = 48;
    private const int Bottom = 52;

    // More dots than these would hide their line.
    private const int MostDots = 60;

    /// <summary>Pixels of the whole picture.</summary>
    public int Width { get; init; } = 720;

    /// <summary>Pixels of each panel.</summary>
    public int PanelHeight { get; init; } = 220;

    /// <summary>The picture.</summary>
    public string ToSvg(ChartPlace place = ChartPlace.File)
    {
        int height = Top + (Panels.Length * (PanelHeight + Gap)) - Gap + Bottom;
        SvgPicture svg = new(Width, height, Title, string.Join("; ", Panels.Select(p => $"{p.YTitle} over {XTitle}: {string.Join(", ", p.Lines.Select(l => l.Name))}")), place);
        svg.Text(Left, 28, SvgPicture.Fit(Title, Width - Left), style: "title");
        Axis x = Axis.Over(Panels.SelectMany(p => p.Lines).SelectMany(l => l.Points).Select(p => p.X), whole: true);
        int color = 0;
        for (int panel = 0; panel < Panels.Length; panel++)
        {
            AppendPanel(svg, panel, x, isLast: panel == Panels.Length - 1, ref color);
        }

        return svg.Text(Left + ((Width - Left - Right) / 2), height - 12, XTitle, "middle").ToString();
    }

    private void AppendPanel(SvgPicture svg, int panel, Axis x, bool isLast, ref int color)
    {
        (string title, ImmutableArray<Series> lines) = Panels[panel];
        int top = Top + (panel * (PanelHeight + Gap));
        Axis y = Axis.Over(lines.SelectMany(l => l.Points).Select(p => p.Y), whole: false);
        double X(double value) => Left + (x.Part(value) * (Width - Left - Right));
        double Y(double value) => top + ((1 - y.Part(value)) * PanelHeight);
        foreach (double tick in y.Ticks)
        {
            svg.Line(Left, Y(tick), Width - Right, Y(tick), "grid").Text(Left - 8, Y(tick) + 4, y.Label(tick), "end");
        }

        foreach (double tick in x.Ticks)
        {
            svg.Line(X(tick), top, X(tick), top + PanelHeight, "grid");
            if (isLast)
            {
                svg.Text(X(tick), top + PanelHeight + 18, x.Label(tick), "middle");
            }
        }

        svg.Frame(Left, top, Width - Right, top + PanelHeight).TurnedText(18, top + (PanelHeight / 2), title);
        int legend = Left;
        foreach (Series line in lines)
        {
            string stroke = SvgPicture.Color(color++);
            svg.Line(legend, top - 16, legend + 20, top - 16, "line", stroke).Text(legend + 28, top - 12, line.Name);
            legend += 52 + (SvgPicture.LetterWidth * line.Name.Length);
            AppendLine(svg, line, stroke, X, Y);
        }
    }

    private static void AppendLine(SvgPicture svg, Series line, string stroke, Func<double, double> x, Func<double, double> y)
    {
        svg.Path(PathOf(line, x, y), stroke);
        foreach ((double px, double py) in line.Points.Where(p => double.IsFinite(p.Y)))
        {
            if (line.Points.Length <= MostDots)
            {
                svg.Dot(x(px), y(py), 2.5, stroke);
            }

            if (px == line.Marked)
            {
                svg.Ring(x(px), y(py), stroke);
            }
        }
    }

    private static string PathOf(Series line, Func<double, double> x, Func<double, double> y)
    {
        StringBuilder path = new();
        bool drawing = false;
        foreach ((double px, double py) in line.Points)
        {
            if (double.IsFinite(py))
            {
                path.Append(CultureInfo.InvariantCulture, $"{(drawing ? 'L' : 'M')}{x(px):0.##} {y(py):0.##}");
            }

            drawing = double.IsFinite(py);
        }

        return path.ToString();
    }
}
