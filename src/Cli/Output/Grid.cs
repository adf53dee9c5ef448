using Spectre.Console;

namespace Optc.Cli.Output;

/// <summary>A table without lines, which reads the same on a terminal and in a file.</summary>
internal sealed class Grid
{
    private const int WidestWord = 48;
    private const string Cut = "...";

    private readonly Table _table = new Table().NoBorder();

    /// <param name="columns">Titles; one that begins with '>' is set to the right, for numbers.</param>
    public Grid(params ReadOnlySpan<string> columns)
    {
        foreach (string column in columns)
        {
            bool isRight = column.StartsWith('>');
            TableColumn cell = new(new Text(isRight ? column[1..] : column, new(decoration: Decoration.Bold)))
            {
                Alignment = isRight ? Justify.Right : Justify.Left,
                NoWrap = isRight,
                Padding = new(0, 0, 2, 0),
            };
            _table.AddColumn(cell);
        }
    }

    /// <summary>Adds a row; of a word that is too long, as converters make them of several names, the end is shown.</summary>
    public void Add(params ReadOnlySpan<string> cells) => _table.AddRow([.. cells.ToArray().Select(c => new Text(Fit(c)))]);

    public void PrintTo(Terminal terminal) => terminal.Write(_table);

    private static string Fit(string cell) => string.Join(' ', cell.Split(' ').Select(w => w.Length <= WidestWord ? w : Cut + w[^(WidestWord - Cut.Length)..]));
}
