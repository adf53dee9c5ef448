using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Optc.Report.Charts;

namespace Optc.Report.Compression;

/// <summary>Builds a page that needs nothing but itself: style and pictures inside, no script. It is HTML and well-formed XML alike.</summary>
internal sealed class HtmlPage
{
    private const string Style =
        """
        :root { color-scheme: light dark; --bad: #cf222e; --shade: #f6f8fa; }
        @media (prefers-color-scheme: dark) { :root { --bad: #ff7b72; --shade: #161b22; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
        main { max-width: 1240px; margin: 0 auto; padding: 24px 20px 64px; }
        h1 { font-size: 26px; line-height: 1.25; margin: 0 0 12px; overflow-wrap: anywhere; }
        h2 { font-size: 19px; margin: 40px 0 12px; padding-top: 12px; border-top: 1px solid var(--faint); overflow-wrap: anywhere; }
        h3 { font-size: 15px; margin: 20px 0 8px; overflow-wrap: anywhere; }
        p { margin: 0 0 12px; max-width: 75ch; overflow-wrap: anywhere; }
        .quiet { color: var(--quiet); }
        .verdict { max-width: none; font-size: 17px; padding: 12px 16px; background: var(--shade); border-left: 4px solid var(--c2); }
        .verdict.broken { border-left-color: var(--bad); }
        .scroll { overflow-x: auto; margin: 0 0 12px; }
        .scroll:focus-visible { outline: 2px solid var(--c0); }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { padding: 5px 12px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--faint); }
        thead th { vertical-align: bottom; border-bottom: 2px solid var(--quiet); }
        th.number, td.number { text-align: right; }
        td.number { white-space: nowrap; }
        tbody th { font-weight: 400; position: sticky; left: 0; background: var(--paper); }
        .result { background: var(--shade); font-weight: 600; }
        .bad { color: var(--bad); font-weight: 700; }
        details { margin: 0 0 12px; }
        summary { cursor: pointer; color: var(--c0); padding: 4px 0; }
        figure { margin: 0; }
        .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 260px), 1fr)); gap: 12px; margin: 0 0 12px; }
        .charts.large { grid-template-columns: repeat(auto-fill, minmax(min(100%, 360px), 1fr)); }
        .chart { display: block; width: 100%; height: auto; }
        .charts .chart { max-width: 480px; }
        .wide .chart { max-width: 760px; min-width: 540px; }
        pre { overflow-x: auto; padding: 12px; background: var(--shade); font: 13px/1.45 ui-monospace, monospace; }
        @media (max-width: 600px) {
          main { padding: 16px 12px 48px; }
          h1 { font-size: 21px; }
          th, td { padding: 4px 8px; }
          tbody th { max-width: 10em; }
        }
        @media print { .scroll { overflow: visible; } }
        """;

    private const int ShortestPiece = 4;
    private const int LongestPiece = 24;

    private readonly StringBuilder _page = new();

    public HtmlPage(string title)
    {
        _page.Append("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n");
        _page.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
        _page.Append(CultureInfo.InvariantCulture, $"<title>{Escape(title)}</title>\n<style>\n{SvgPicture.Style}\n{Style}\n</style>\n</head>\n<body>\n<main>\n");
        _page.Append(CultureInfo.InvariantCulture, $"<h1>{Escape(title)}</h1>\n");
    }

    public override string ToString() => $"{_page}</main>\n</body>\n</html>\n";

    public void Paragraph(string text, string? style = null) =>
        _page.Append(CultureInfo.InvariantCulture, $"<p{Class(style)}>{Escape(text)}</p>\n");

    public void Heading(string text, int level = 2) => _page.Append(CultureInfo.InvariantCulture, $"<h{level}>{Escape(text)}</h{level}>\n");

    public void List(IEnumerable<string> items) =>
        _page.Append(CultureInfo.InvariantCulture, $"<ul>\n{string.Concat(items.Select(i => $"<li>{Escape(i)}</li>\n"))}</ul>\n");

    public void Preformatted(string text) => _page.Append(CultureInfo.InvariantCulture, $"<pre tabindex=\"0\">{Lines(text)}</pre>\n");

    /// <summary>Small pictures side by side, as many as fit.</summary>
    public void Charts(IEnumerable<string> pictures, bool areLarge = false) =>
        _page.Append(CultureInfo.InvariantCulture, $"<div class=\"charts{(areLarge ? " large" : "")}\">\n{string.Concat(pictures.Select(p => $"<figure>\n{p}</figure>\n"))}</div>\n");

    /// <summary>A picture that is scrolled rather than made too small to be read.</summary>
    public void WideChart(string picture) => _page.Append(CultureInfo.InvariantCulture, $"<figure class=\"wide scroll\" tabindex=\"0\">\n{picture}</figure>\n");

    /// <summary>A table; what goes beyond some rows is folded away.</summary>
    /// <param name="visible">Rows that are always shown, the rest opens by a click.</param>
    /// <param name="lastIsResult">Sets off the last column.</param>
    public void Table(ReportTable table, int visible, bool lastIsResult = false)
    {
        ImmutableArray<ImmutableArray<string>> rows = table.Rows;

        // A fold that hides a row or two costs more room than it saves.
        int shown = rows.Length <= visible + (visible / 4) ? rows.Length : visible;
        if (shown > 0)
        {
            Rows(table, rows[..shown], lastIsResult);
        }

        if (shown < rows.Length)
        {
            _page.Append(CultureInfo.InvariantCulture, $"<details>\n<summary>{rows.Length - shown:N0} {(shown == 0 ? "" : "more ")}rows: {Escape(table.Name)}</summary>\n");
            Rows(table, rows[shown..], lastIsResult);
            _page.Append("</details>\n");
        }
    }

    private void Rows(ReportTable table, ImmutableArray<ImmutableArray<string>> rows, bool lastIsResult)
    {
        string[] styles = [.. table.Columns.Select((c, i) => string.Join(' ', new[]
        {
            c.IsNumber ? "number" : null,
            lastIsResult && i > 1 && i == table.Columns.Length - 1 ? "result" : null,
        }.OfType<string>()))];
        _page.Append(CultureInfo.InvariantCulture, $"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{Escape(table.Name)}\">\n<table>\n<thead><tr>");
        for (int i = 0; i < styles.Length; i++)
        {
            _page.Append(CultureInfo.InvariantCulture, $"<th scope=\"col\"{Class(styles[i])}>{Breakable(table.Columns[i].Name.Replace('-', '\u2011'))}</th>");
        }

        _page.Append("</tr></thead>\n<tbody>\n");
        foreach (ImmutableArray<string> row in rows)
        {
            _page.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\">{Breakable(row[0])}</th>");
            for (int i = 1; i < row.Length; i++)
            {
                string style = row[i] == ReportNumbers.YesNo(false) ? $"{styles[i]} bad".TrimStart() : styles[i];
                _page.Append(CultureInfo.InvariantCulture, $"<td{Class(style)}>{Breakable(row[i])}</td>");
            }

            _page.Append("</tr>\n");
        }

        _page.Append("</tbody>\n</table>\n</div>\n");
    }

    private static string Class(string? style) => string.IsNullOrEmpty(style) ? "" : $" class=\"{style}\"";

    private static string Escape(string text) => SvgPicture.Escape(text);

    /// <summary>Text that may be broken behind the separators of names, and in the middle of words that would be too wide for a column.</summary>
    private static string Breakable(string cell)
    {
        // A unit stays with its number.
        string text = cell.Replace(" %", "\u00A0%", StringComparison.Ordinal);
        StringBuilder pieces = new();
        int start = 0;
        for (int i = 0; i < text.Length; i++)
        {
            bool isEnd = text[i] is '/' or '_' or '.' or ':' or ';' && i + 1 < text.Length && i - start >= ShortestPiece;
            if (isEnd || (i - start >= LongestPiece && !char.IsHighSurrogate(text[i])))
            {
                pieces.Append(Escape(text[start..(i + 1)])).Append("<wbr/>");
                start = i + 1;
            }
            else if (text[i] == ' ')
            {
                pieces.Append(Escape(text[start..(i + 1)]));
                start = i + 1;
            }
        }

        return pieces.Append(Escape(text[start..])).ToString();
    }

    /// <summary>Text whose line ends and tabs stay.</summary>
    private static string Lines(string text) =>
        string.Join('\n', text.ReplaceLineEndings("\n").Replace("\t", "    ", StringComparison.Ordinal).Split('\n').Select(Escape));
}
