using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Optc.Report;

/// <summary>A column of a printed report.</summary>
/// <param name="Name">The name that the JSON form gives the same fact.</param>
/// <param name="IsNumber">Numbers stand at the right of their column.</param>
public sealed record ReportColumn(string Name, bool IsNumber = false);

/// <summary>A table of a report, ready to be printed: all cells are text in the invariant culture.</summary>
/// <param name="Name">The name of the list in the JSON form.</param>
/// <param name="Hidden">Rows that were left out at the end.</param>
public sealed record ReportTable(
    string Name, ImmutableArray<ReportColumn> Columns, ImmutableArray<ImmutableArray<string>> Rows, int Hidden = 0)
{
    private const int WidestCell = 40;
    private const string Cut = "...";
    private const string Gap = "  ";

    /// <summary>Says that rows are missing; <see langword="null"/> when none are.</summary>
    public string? Footnote => Hidden == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"... {Hidden} more, --all shows them");

    /// <summary>A table of the given rows, the first <paramref name="limit"/> of them.</summary>
    internal static ReportTable Of<T>(
        string name, IReadOnlyList<T> items, int limit, params ReadOnlySpan<(string Name, bool IsNumber, Func<T, string> Cell)> columns)
    {
        ImmutableArray<ReportColumn>.Builder heads = ImmutableArray.CreateBuilder<ReportColumn>();
        foreach ((string head, bool isNumber, _) in columns)
        {
            heads.Add(new(head, isNumber));
        }

        ImmutableArray<ImmutableArray<string>>.Builder rows = ImmutableArray.CreateBuilder<ImmutableArray<string>>();
        for (int i = 0; i < Math.Min(limit, items.Count); i++)
        {
            ImmutableArray<string>.Builder row = ImmutableArray.CreateBuilder<string>(columns.Length);
            foreach ((_, _, Func<T, string> cell) in columns)
            {
                row.Add(cell(items[i]));
            }

            rows.Add(row.MoveToImmutable());
        }

        return new(name, heads.ToImmutable(), rows.ToImmutable(), Math.Max(0, items.Count - limit));
    }

    /// <summary>Writes the table in columns for a font of constant width; long cells lose their beginning.</summary>
    public void Write(TextWriter writer)
    {
        int[] widths = [.. Columns.Select((c, i) => Rows.Select(r => Fit(r[i]).Length).Append(c.Name.Length).Max())];
        writer.Write(Name);
        writer.Write('\n');
        WriteRow(writer, widths, [.. Columns.Select(c => c.Name)]);
        foreach (ImmutableArray<string> row in Rows)
        {
            WriteRow(writer, widths, row);
        }

        if (Footnote is { } footnote)
        {
            writer.Write(Gap);
            writer.Write(footnote);
            writer.Write('\n');
        }
    }

    /// <summary>Writes the table in GitHub's Markdown, without its name; all cells whole.</summary>
    public void WriteMarkdown(TextWriter writer)
    {
        WriteMarkdownRow(writer, [.. Columns.Select(c => MarkdownCell(c.Name))]);
        WriteMarkdownRow(writer, [.. Columns.Select(c => c.IsNumber ? "---:" : "---")]);
        foreach (ImmutableArray<string> row in Rows)
        {
            WriteMarkdownRow(writer, [.. row.Select(MarkdownCell)]);
        }
    }

    /// <summary>Text on one line that no Markdown reader takes for anything else.</summary>
    internal static string MarkdownCell(string text)
    {
        StringBuilder cell = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            bool isInWord = i > 0 && i + 1 < text.Length && char.IsLetterOrDigit(text[i - 1]) && char.IsLetterOrDigit(text[i + 1]);
            cell.Append(c switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '\\' or '|' or '`' or '*' or '~' => $"\\{c}",
                ']' when i + 1 < text.Length && text[i + 1] == '(' => "\\]",
                '_' when !isInWord => "\\_",
                _ when char.IsControl(c) => " ",
                _ => c.ToString(),
            });
        }

        return cell.ToString();
    }

    private static void WriteMarkdownRow(TextWriter writer, ImmutableArray<string> cells)
    {
        writer.Write($"| {string.Join(" | ", cells)} |");
        writer.Write('\n');
    }

    private void WriteRow(TextWriter writer, int[] widths, ImmutableArray<string> cells)
    {
        string line = string.Concat(cells.Select((cell, i) =>
            Gap + (Columns[i].IsNumber ? Fit(cell).PadLeft(widths[i]) : Fit(cell).PadRight(widths[i]))));
        writer.Write(line.TrimEnd(' '));
        writer.Write('\n');
    }

    // Names of layers differ at their ends.
    private static string Fit(string cell) => cell.Length <= WidestCell ? cell : Cut + cell[^(WidestCell - Cut.Length)..];
}
