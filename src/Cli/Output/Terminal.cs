using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Optc.Ir;
using Optc.Report;
using Spectre.Console;

namespace Optc.Cli.Output;

/// <summary>Where a command prints: results to standard output, everything else to standard error.</summary>
/// <remarks>
/// What is not a terminal gets plain text, one line for a row, without trailing blanks, so that a transcript is the same everywhere.
/// </remarks>
internal sealed class Terminal : IDisposable
{
    /// <summary>Columns of help that goes to a file or a pipe.</summary>
    public const int PlainWidth = 120;

    private const int NarrowestWidth = 40;

    // Of a terminal that does not tell.
    private const int UsualWidth = 80;

    private static readonly JsonWriterOptions JsonFormat = new()
    {
        Indented = true,
        NewLine = "\n",
        // The text goes to a terminal or a file, never into a web page: quotes and brackets stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly TextWriter _output;
    private readonly TextWriter _error;
    private readonly IAnsiConsole? _styled;
    private readonly bool _ownsWriters;
    private bool _wroteJson;

    /// <param name="output">Receives results.</param>
    /// <param name="error">Receives messages and progress.</param>
    /// <param name="width">Columns of the text.</param>
    public Terminal(TextWriter output, TextWriter error, int width = PlainWidth)
    {
        (_output, _error, Width) = (output, error, width);
        ShowsProgress = false;
    }

    private Terminal(TextWriter output, TextWriter error, int width, bool isStyled, bool showsProgress)
        : this(output, error, width)
    {
        ShowsProgress = showsProgress;
        _ownsWriters = true;
        if (isStyled)
        {
            _styled = AnsiConsole.Create(new() { Ansi = AnsiSupport.Yes, ColorSystem = ColorSystemSupport.Detect, Out = new AnsiConsoleOutput(output) });
            _styled.Profile.Width = width;
        }
    }

    /// <summary>Columns of running text.</summary>
    public int Width { get; }

    /// <summary>Columns of a table: those of the terminal; a file has no limit, so that a line is a row.</summary>
    public int TableWidth { get; private init; } = int.MaxValue;

    public bool IsJson { get; set; }

    public bool IsQuiet { get; set; }

    /// <summary>True when standard error is a terminal, on which a line can be written over.</summary>
    public bool ShowsProgress { get; }

    /// <summary>The terminal of this process.</summary>
    public static Terminal OfProcess()
    {
        UTF8Encoding utf8 = new(encoderShouldEmitUTF8Identifier: false);
        StreamWriter output = new(Console.OpenStandardOutput(), utf8, bufferSize: 1 << 16) { NewLine = "\n" };
        StreamWriter error = new(Console.OpenStandardError(), utf8) { NewLine = "\n", AutoFlush = true };
        bool isDumb = Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";
        bool isTerminal = !Console.IsOutputRedirected;
        bool isColoured = isTerminal && !isDumb && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        int width = !isTerminal ? PlainWidth : Console.WindowWidth > 0 ? Math.Max(NarrowestWidth, Console.WindowWidth) : UsualWidth;
        return new(output, error, width, isColoured, showsProgress: !Console.IsErrorRedirected && !isDumb)
        {
            TableWidth = isTerminal ? width : int.MaxValue,
        };
    }

    /// <summary>Help and version, which are text also when JSON was asked for.</summary>
    public void WriteHelp(string text) => _output.Write(text);

    /// <summary>Text as it is, to standard output; nothing when JSON was asked for.</summary>
    public void WriteText(string text)
    {
        if (!IsJson)
        {
            _output.Write(text);
        }
    }

    /// <summary>Lines of a table, to standard output; nothing when JSON was asked for.</summary>
    /// <param name="isHeading">Stands out where the terminal can show that.</param>
    public void WriteLines(IEnumerable<string> lines, bool isHeading)
    {
        foreach (string line in lines)
        {
            if (isHeading && _styled is not null && !IsJson)
            {
                _styled.Write(new Text(line, new(decoration: Decoration.Bold)));
                _output.Write('\n');
            }
            else
            {
                WriteText(line + "\n");
            }
        }
    }

    /// <summary>The tables of a report, to standard output; nothing when JSON was asked for.</summary>
    public void Write(ReportText report)
    {
        for (int i = 0; i < report.Tables.Length; i++)
        {
            ReportTable table = report.Tables[i];
            WriteText(i == 0 ? "" : "\n");
            WriteLines([table.Name.ToUpperInvariant()], isHeading: true);
            Grid grid = new([.. table.Columns.Select(c => c.IsNumber ? $">{c.Name}" : c.Name)]);
            foreach (ImmutableArray<string> row in table.Rows)
            {
                grid.Add(row.AsSpan());
            }

            grid.PrintTo(this);
            WriteText(table.Footnote is { } footnote ? $"{footnote}\n" : "");
        }
    }

    /// <summary>The result as JSON that is text already, with <c>errors</c> as one more member.</summary>
    public void WriteJson(Func<string> result, ImmutableArray<Diagnostic> errors) => WriteJson(writer =>
    {
        using JsonDocument document = JsonDocument.Parse(result());
        writer.WriteStartObject();
        foreach (JsonProperty member in document.RootElement.EnumerateObject())
        {
            member.WriteTo(writer);
        }

        DiagnosticJson.WriteErrors(writer, errors);
        writer.WriteEndObject();
    });

    /// <summary>The result as JSON that is text already, when that was asked for.</summary>
    public void WriteJson(Func<string> result)
    {
        if (IsJson)
        {
            _output.Write(result());
            _output.Write('\n');
            _wroteJson = true;
        }
    }

    /// <summary>The result as JSON, when that was asked for.</summary>
    public void WriteJson(Action<Utf8JsonWriter> write)
    {
        if (!IsJson)
        {
            return;
        }

        using MemoryStream bytes = new();
        using (Utf8JsonWriter writer = new(bytes, JsonFormat))
        {
            write(writer);
        }

        _output.Write(Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length));
        _output.Write('\n');
        _wroteJson = true;
    }

    /// <summary>A remark, to standard error, unless silence was asked for.</summary>
    public void Note(string text)
    {
        if (!IsQuiet)
        {
            _error.WriteLine(text);
        }
    }

    /// <summary>What is wrong with what the user gave: to standard error, and as JSON to standard output when that was asked for.</summary>
    public void Report(ImmutableArray<Diagnostic> diagnostics)
    {
        foreach (Diagnostic diagnostic in diagnostics)
        {
            _error.WriteLine(diagnostic.ToString());
        }

        // A command that has printed its result before it failed keeps its one JSON document.
        if (!_wroteJson)
        {
            WriteJson(writer => DiagnosticJson.Write(writer, diagnostics));
        }
    }

    /// <summary>A defect of optc itself.</summary>
    public void ReportBug(Exception problem)
    {
        _error.WriteLine("this is a bug in optc; please report it with the command line and these lines:");
        _error.WriteLine(problem.ToString());
    }

    /// <summary>Writes over the current line of standard error.</summary>
    public void OverwriteLine(string text)
    {
        const string clearToEnd = "\e[K";
        _error.Write($"\r{(text.Length < Width ? text : text[..(Width - 1)])}{clearToEnd}");
    }

    /// <summary>Makes sure that results have arrived.</summary>
    /// <exception cref="DiagnosticException">Standard output does not take them.</exception>
    public void Flush()
    {
        try
        {
            _output.Flush();
        }
        catch (IOException problem)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.OutputNotWritable, "the output cannot be written")
            {
                At = ["standard output"],
                Found = problem.Message,
            });
        }
    }

    public void Dispose()
    {
        if (!_ownsWriters)
        {
            return;
        }

        try
        {
            _output.Dispose();
        }
        catch (IOException)
        {
            // Flush has reported it; what is left in the buffer has no place to go.
        }

        _error.Dispose();
    }
}
