using System.Text;
using System.Text.RegularExpressions;

namespace Optc.Cli.Output;

/// <summary>A table without lines, which reads the same on a terminal and in a file.</summary>
/// <remarks>
/// Where the rows are wider than the terminal, columns without content go first; then words of the last column go to further
/// lines; then titles are split where a new word begins; then names are cut; then each row takes several lines, the further
/// ones indented.
/// </remarks>
internal sealed partial class Grid
{
    private const int WidestWord = 48;
    private const int NarrowestName = 24;
    private const int NarrowestText = 24;
    private const int Indent = 4;
    private const string Cut = "...";
    private const string Gap = "  ";

    private readonly List<Column> _columns = [];

    /// <param name="columns">Titles; one that begins with '>' is set to the right, for numbers.</param>
    public Grid(params ReadOnlySpan<string> columns)
    {
        foreach (string column in columns)
        {
            _columns.Add(column.StartsWith('>') ? new([column[1..]], IsRight: true, []) : new([column], IsRight: false, []));
        }
    }

    private int RowCount => _columns[0].Cells.Count;

    /// <summary>Adds a row; of a word that is too long, as converters make them of several names, the end is shown.</summary>
    public void Add(params ReadOnlySpan<string> cells)
    {
        for (int i = 0; i < _columns.Count; i++)
        {
            _columns[i].Cells.Add(string.Join(' ', cells[i].Split(' ').Select(w => Fit(w, WidestWord))));
        }
    }

    public void PrintTo(Terminal terminal)
    {
        (IReadOnlyList<string> header, IReadOnlyList<string> body) = Layout(terminal.TableWidth);
        terminal.WriteLines(header, isHeading: true);
        terminal.WriteLines(body, isHeading: false);
    }

    /// <summary>The lines of the titles and those of the rows.</summary>
    /// <param name="width">Columns of the terminal; no limit for <see cref="int.MaxValue"/>.</param>
    public (IReadOnlyList<string> Header, IReadOnlyList<string> Body) Layout(int width)
    {
        List<Column> columns = [.. _columns];
        if (WidthOf(columns) > width)
        {
            columns.RemoveAll(c => c.Cells.TrueForAll(cell => cell.Length == 0));
        }

        int last = columns.Count - 1;
        int before = WidthOf(columns[..last]) + (last > 0 ? Gap.Length : 0);
        if (WidthOf(columns) > width
            && width - before >= NarrowestText
            && !columns[last].IsRight
            && columns[last].Cells.Exists(c => c.Contains(' ', StringComparison.Ordinal)))
        {
            return Wrapped(columns, width - before, before);
        }

        if (WidthOf(columns) > width)
        {
            columns = [.. columns.Select(c => c.WithSplitTitle())];
        }

        int excess = WidthOf(columns) - width;
        if (excess > 0 && columns[0].Width > NarrowestName)
        {
            List<Column> cut = [columns[0].CutTo(Math.Max(NarrowestName, columns[0].Width - excess)), .. columns[1..]];
            columns = Groups(cut, width).Count < Groups(columns, width).Count ? cut : columns;
        }

        return Lines(Groups(columns, width));
    }

    private static int WidthOf(List<Column> columns) => columns.Sum(c => c.Width) + (Gap.Length * Math.Max(0, columns.Count - 1));

    private static string Fit(string word, int width) => word.Length <= width ? word : Cut + word[^Math.Max(0, width - Cut.Length)..];

    /// <summary>Columns that stand in one line.</summary>
    private static List<List<Column>> Groups(List<Column> columns, int width)
    {
        List<List<Column>> groups = [[]];
        foreach (Column column in columns)
        {
            List<Column> grown = [.. groups[^1], column];
            if (groups[^1].Count > 0 && WidthOf(grown) + (groups.Count > 1 ? Indent : 0) > width)
            {
                groups.Add([column]);
            }
            else
            {
                groups[^1] = grown;
            }
        }

        return groups;
    }

    private (IReadOnlyList<string> Header, IReadOnlyList<string> Body) Lines(List<List<Column>> groups)
    {
        List<string> header = [];
        List<string> body = [];
        for (int group = 0; group < groups.Count; group++)
        {
            int height = groups[group].Max(c => c.Titles.Length);
            for (int line = -height; line < 0; line++)
            {
                header.Add(Line(groups[group], line, group));
            }
        }

        for (int row = 0; row < RowCount; row++)
        {
            for (int group = 0; group < groups.Count; group++)
            {
                body.Add(Line(groups[group], row, group));
            }
        }

        return (header, body);
    }

    private static string Line(List<Column> columns, int row, int group) =>
        (new string(' ', group == 0 ? 0 : Indent) + string.Join(Gap, columns.Select(c => c.At(row)))).TrimEnd();

    private (IReadOnlyList<string> Header, IReadOnlyList<string> Body) Wrapped(List<Column> columns, int width, int indent)
    {
        List<string> header = [string.Join(Gap, columns.Select(c => c.At(-1))).TrimEnd()];
        List<string> body = [];
        for (int row = 0; row < RowCount; row++)
        {
            string start = string.Join(Gap, columns[..^1].Select(c => c.At(row)).Append(""));
            foreach (string line in Words(columns[^1].Cells[row], width))
            {
                body.Add((start + line).TrimEnd());
                start = new(' ', indent);
            }
        }

        return (header, body);
    }

    private static List<string> Words(string text, int width)
    {
        List<string> lines = [];
        StringBuilder line = new();
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                lines.Add(line.ToString());
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        lines.Add(line.ToString());
        return lines;
    }

    /// <param name="Titles">Lines of the title.</param>
    private sealed partial record Column(string[] Titles, bool IsRight, List<string> Cells)
    {
        public int Width => Math.Max(Titles.Max(t => t.Length), Cells.Count == 0 ? 0 : Cells.Max(c => c.Length));

        public Column CutTo(int width) => this with { Cells = [.. Cells.Select(c => Fit(c, width))] };

        /// <summary>The title over several lines, as in <c>distinct / Per / Channel</c>.</summary>
        public Column WithSplitTitle() => this with { Titles = [.. Titles.SelectMany(t => NewWord().Split(t))] };

        /// <param name="row">Index of the row; of the lines of the title from the last one on: -1, -2, ...</param>
        public string At(int row)
        {
            string cell = row >= 0 ? Cells[row] : row < -Titles.Length ? "" : Titles[^-row];
            return IsRight ? cell.PadLeft(Width) : cell.PadRight(Width);
        }

        [GeneratedRegex("(?<=[a-z])(?=[A-Z])")]
        private static partial Regex NewWord();
    }
}
