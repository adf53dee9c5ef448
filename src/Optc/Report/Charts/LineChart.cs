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
/// The same chart gives the same bytes: no script, no clock, no font of the machine is measured. Steps of the axes are 1, 2 or
/// 5 times a power of ten. Several panels stand one above the other over a common x axis.
/// </remarks>
/// <param name="Title">Above the panels.</param>
/// <param name="XTitle">Below the x axis.</param>
/// <param name="Panels">Title of the y axis and the lines of each panel, from top to bottom.</param>
public sealed record LineChart(string Title, string XTitle, ImmutableArray<(string YTitle, ImmutableArray<Series> Lines)> Panels)
{
    private const int Width = 720;
    private const int PanelHeight = 220;
    private const int Left = 76;
    private const int Right = 24;
    private const int Top = 72;
    private const int Gap = 48;
    private const int Bottom = 52;

    // More dots than these would hide their line.
    private const int MostDots = 60;

    // What a letter of the legend takes at most, on average; the font is the reader's.
    private const int LetterWidth = 8;

    private const int Colors = 4;

    private const string Style =
        """
        <style>
        .chart { --ink: #1f2328; --faint: #d8dee4; --paper: #ffffff; --c0: #0969da; --c1: #bc4c00; --c2: #1a7f37; --c3: #8250df; }
        @media (prefers-color-scheme: dark) {
          .chart { --ink: #e6edf3; --faint: #30363d; --paper: #0d1117; --c0: #58a6ff; --c1: #f0883e; --c2: #3fb950; --c3: #bc8cff; }
        }
        .chart text { fill: var(--ink); font: 13px system-ui, sans-serif; }
        .chart .title { font-size: 16px; font-weight: 600; }
        .chart .grid { stroke: var(--faint); stroke-width: 1; }
        .chart .axis { stroke: var(--ink); stroke-width: 1; }
        .chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
        </style>
        """;

    /// <summary>The picture.</summary>
    public string ToSvg()
    {
        int height = Top + (Panels.Length * (PanelHeight + Gap)) - Gap + Bottom;
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" width=\"{Width}\" height=\"{height}\" role=\"img\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<title>{Escape(Title)}</title>\n{Style}\n<rect width=\"{Width}\" height=\"{height}\" fill=\"var(--paper)\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"title\" x=\"{Left}\" y=\"28\">{Escape(Title)}</text>\n");
        Axis x = Axis.Over(Panels.SelectMany(p => p.Lines).SelectMany(l => l.Points).Select(p => p.X), whole: true);
        int color = 0;
        for (int panel = 0; panel < Panels.Length; panel++)
        {
            AppendPanel(svg, panel, x, isLast: panel == Panels.Length - 1, ref color);
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left + ((Width - Left - Right) / 2)}\" y=\"{height - 12}\" text-anchor=\"middle\">{Escape(XTitle)}</text>\n</svg>\n");
        return svg.ToString();
    }

    private void AppendPanel(StringBuilder svg, int panel, Axis x, bool isLast, ref int color)
    {
        (string title, ImmutableArray<Series> lines) = Panels[panel];
        int top = Top + (panel * (PanelHeight + Gap));
        Axis y = Axis.Over(lines.SelectMany(l => l.Points).Select(p => p.Y), whole: false);
        double X(double value) => Left + (x.Part(value) * (Width - Left - Right));
        double Y(double value) => top + ((1 - y.Part(value)) * PanelHeight);
        foreach (double tick in y.Ticks)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(tick):0.##}\" y2=\"{Y(tick):0.##}\"/>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{Y(tick) + 4:0.##}\" text-anchor=\"end\">{y.Label(tick)}</text>\n");
        }

        foreach (double tick in x.Ticks)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{X(tick):0.##}\" x2=\"{X(tick):0.##}\" y1=\"{top}\" y2=\"{top + PanelHeight}\"/>\n");
            if (isLast)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(tick):0.##}\" y=\"{top + PanelHeight + 18}\" text-anchor=\"middle\">{x.Label(tick)}</text>\n");
            }
        }

        svg.Append(CultureInfo.InvariantCulture, $"<path class=\"axis\" fill=\"none\" d=\"M{Left} {top}V{top + PanelHeight}H{Width - Right}\"/>\n");
        int middle = top + (PanelHeight / 2);
        svg.Append(CultureInfo.InvariantCulture, $"<text transform=\"translate(18 {middle}) rotate(-90)\" text-anchor=\"middle\">{Escape(title)}</text>\n");
        int legend = Left;
        foreach (Series line in lines)
        {
            string stroke = $"var(--c{color++ % Colors})";
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"line\" stroke=\"{stroke}\" x1=\"{legend}\" x2=\"{legend + 20}\" y1=\"{top - 16}\" y2=\"{top - 16}\"/>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{legend + 28}\" y=\"{top - 12}\">{Escape(line.Name)}</text>\n");
            legend += 52 + (LetterWidth * line.Name.Length);
            AppendLine(svg, line, stroke, X, Y);
        }
    }

    private static void AppendLine(StringBuilder svg, Series line, string stroke, Func<double, double> x, Func<double, double> y)
    {
        svg.Append(CultureInfo.InvariantCulture, $"<path class=\"line\" stroke=\"{stroke}\" d=\"{PathOf(line, x, y)}\"/>\n");
        foreach ((double px, double py) in line.Points.Where(p => double.IsFinite(p.Y)))
        {
            if (line.Points.Length <= MostDots)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{x(px):0.##}\" cy=\"{y(py):0.##}\" r=\"2.5\" fill=\"{stroke}\"/>\n");
            }

            if (px == line.Marked)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"line\" cx=\"{x(px):0.##}\" cy=\"{y(py):0.##}\" r=\"6\" stroke=\"{stroke}\"/>\n");
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

    private static string Escape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal);

    /// <summary>A range of round numbers.</summary>
    private sealed record Axis(double Low, double High, double Step)
    {
        private const int Intervals = 5;

        public IEnumerable<double> Ticks => Enumerable.Range(0, (int)Math.Round((High - Low) / Step) + 1).Select(i => Low + (i * Step));

        /// <param name="whole">Steps are whole numbers.</param>
        public static Axis Over(IEnumerable<double> values, bool whole)
        {
            double[] finite = [.. values.Where(double.IsFinite)];
            (double low, double high) = finite.Length == 0 ? (0, 1) : (finite.Min(), finite.Max());
            if (high - low < 1e-12 * Math.Max(1, Math.Abs(high)))
            {
                (low, high) = (low - 0.5, high + 0.5);
            }

            double rough = (high - low) / Intervals;
            double power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
            double step = power * ((rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
            step = whole ? Math.Max(1, step) : step;
            return new(Math.Floor(low / step) * step, Math.Ceiling(high / step) * step, step);
        }

        public double Part(double value) => (value - Low) / (High - Low);

        public string Label(double tick)
        {
            int decimals = Math.Clamp((int)Math.Ceiling(-Math.Log10(Step) - 1e-9), 0, 12);
            return tick.ToString($"F{decimals}", CultureInfo.InvariantCulture);
        }
    }
}
