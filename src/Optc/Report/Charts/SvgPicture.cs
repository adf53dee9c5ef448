using System.Globalization;
using System.Text;

namespace Optc.Report.Charts;

/// <summary>Whether a picture brings its colors along or takes those of the page it stands in.</summary>
public enum ChartPlace
{
    /// <summary>A file of its own.</summary>
    File,

    /// <summary>Inside of a page that has <see cref="SvgPicture.Style"/> once.</summary>
    Page,
}

/// <summary>Builds a static SVG picture with the colors that all charts share.</summary>
/// <remarks>The same content gives the same bytes: no script, no clock, no font of the machine is measured.</remarks>
public sealed class SvgPicture
{
    /// <summary>How many colors there are: <c>--c0</c>, <c>--c1</c> and so on.</summary>
    internal const int Colors = 6;

    /// <summary>What a letter takes at most, on average; the font is the reader's.</summary>
    internal const int LetterWidth = 8;

    private readonly StringBuilder _svg = new();

    /// <param name="title">Read out by screen readers, and drawn by the chart itself if it wants to.</param>
    /// <param name="description">What there is to see, in words.</param>
    internal SvgPicture(int width, int height, string title, string description, ChartPlace place)
    {
        _svg.Append(CultureInfo.InvariantCulture, $"<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n");
        _svg.Append(CultureInfo.InvariantCulture, $"<title>{Escape(title)}</title>\n");
        _svg.Append(description.Length == 0 ? "" : $"<desc>{Escape(description)}</desc>\n");
        _svg.Append(place is ChartPlace.File ? $"<style>\n{Style}\n</style>\n" : "");
        _svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{width}\" height=\"{height}\" fill=\"var(--paper)\"/>\n");
    }

    /// <summary>Colors and fonts of all charts, for light and dark pages.</summary>
    public static string Style =>
        """
        :root, .chart { --ink: #1f2328; --quiet: #59636e; --faint: #d8dee4; --paper: #ffffff; --c0: #0969da; --c1: #bc4c00; --c2: #1a7f37; --c3: #8250df; --c4: #9a6700; --c5: #6e7781; }
        @media (prefers-color-scheme: dark) {
          :root, .chart { --ink: #e6edf3; --quiet: #9198a1; --faint: #30363d; --paper: #0d1117; --c0: #58a6ff; --c1: #f0883e; --c2: #3fb950; --c3: #bc8cff; --c4: #d29922; --c5: #8b949e; }
        }
        .chart text { fill: var(--ink); font: 13px system-ui, sans-serif; }
        .chart .title { font-size: 16px; font-weight: 600; }
        .chart .quiet { fill: var(--quiet); }
        .chart .grid { stroke: var(--faint); stroke-width: 1; }
        .chart .axis { stroke: var(--ink); stroke-width: 1; }
        .chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
        """;

    /// <summary>The finished picture.</summary>
    public override string ToString() => $"{_svg}</svg>\n";

    internal static string Color(int number) => $"var(--c{(number % Colors).ToString(CultureInfo.InvariantCulture)})";

    /// <summary>Text for element content and attributes; what XML cannot hold becomes U+FFFD.</summary>
    internal static string Escape(string text)
    {
        StringBuilder escaped = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            escaped.Append(rune.Value switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                '\t' or '\n' or '\r' => " ",
                < ' ' or 0xFFFE or 0xFFFF => "\uFFFD",
                _ => rune.ToString(),
            });
        }

        return escaped.ToString();
    }

    /// <summary>Text that ends before it grows wider than some pixels.</summary>
    internal static string Fit(string text, int width)
    {
        int letters = Math.Max(1, width / LetterWidth);
        return text.Length <= letters ? text : $"…{text[^(letters - 1)..]}";
    }

    internal SvgPicture Text(double x, double y, string text, string anchor = "start", string? style = null)
    {
        string kind = style is null ? "" : $" class=\"{style}\"";
        string side = anchor == "start" ? "" : $" text-anchor=\"{anchor}\"";
        _svg.Append(CultureInfo.InvariantCulture, $"<text{kind} x=\"{x:0.##}\" y=\"{y:0.##}\"{side}>{Escape(text)}</text>\n");
        return this;
    }

    /// <summary>Text from bottom to top, around a point.</summary>
    internal SvgPicture TurnedText(double x, double y, string text)
    {
        _svg.Append(CultureInfo.InvariantCulture, $"<text transform=\"translate({x:0.##} {y:0.##}) rotate(-90)\" text-anchor=\"middle\">{Escape(text)}</text>\n");
        return this;
    }

    internal SvgPicture Line(double x1, double y1, double x2, double y2, string style, string? stroke = null)
    {
        string color = stroke is null ? "" : $" stroke=\"{stroke}\"";
        _svg.Append(CultureInfo.InvariantCulture, $"<line class=\"{style}\"{color} x1=\"{x1:0.##}\" x2=\"{x2:0.##}\" y1=\"{y1:0.##}\" y2=\"{y2:0.##}\"/>\n");
        return this;
    }

    /// <summary>The left and the lower side of a panel.</summary>
    internal SvgPicture Frame(double left, double top, double right, double bottom)
    {
        _svg.Append(CultureInfo.InvariantCulture, $"<path class=\"axis\" fill=\"none\" d=\"M{left:0.##} {top:0.##}V{bottom:0.##}H{right:0.##}\"/>\n");
        return this;
    }

    internal SvgPicture Path(string path, string stroke)
    {
        _svg.Append(CultureInfo.InvariantCulture, $"<path class=\"line\" stroke=\"{stroke}\" d=\"{path}\"/>\n");
        return this;
    }

    internal SvgPicture Area(string path, string fill)
    {
        _svg.Append(CultureInfo.InvariantCulture, $"<path fill=\"{fill}\" d=\"{path}\"/>\n");
        return this;
    }

    /// <param name="note">Shown when the pointer rests on it.</param>
    internal SvgPicture Box(double x, double y, double width, double height, string fill, string? note = null)
    {
        string end = note is null ? "/>" : $"><title>{Escape(note)}</title></rect>";
        _svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x:0.##}\" y=\"{y:0.##}\" width=\"{width:0.##}\" height=\"{height:0.##}\" fill=\"{fill}\"{end}\n");
        return this;
    }

    internal SvgPicture Dot(double x, double y, double radius, string fill, string? note = null)
    {
        string end = note is null ? "/>" : $"><title>{Escape(note)}</title></circle>";
        _svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{x:0.##}\" cy=\"{y:0.##}\" r=\"{radius:0.##}\" fill=\"{fill}\"{end}\n");
        return this;
    }

    internal SvgPicture Ring(double x, double y, string stroke)
    {
        _svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"line\" cx=\"{x:0.##}\" cy=\"{y:0.##}\" r=\"6\" stroke=\"{stroke}\"/>\n");
        return this;
    }
}
