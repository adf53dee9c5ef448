using System.Collections.Immutable;
using System.Text;

namespace Optc.Ir;

/// <summary>One problem, as data. The terminal and <c>--json</c> are two printers of it.</summary>
/// <param name="Message">What is wrong, in the words of the user's format; no type names, no full stop.</param>
public sealed record Diagnostic(DiagnosticId Id, string Message)
{
    /// <summary>From the file inwards: file, subgraph, operator, operand.</summary>
    public ImmutableArray<string> At { get; init; } = [];

    public string? Found { get; init; }

    public string? Expected { get; init; }

    /// <summary>Something the user can do or type.</summary>
    public string? Hint { get; init; }

    /// <summary>The same problem seen from one level further out.</summary>
    public Diagnostic Inside(string outer) => this with { At = At.Insert(0, outer) };

    public override string ToString()
    {
        StringBuilder text = new($"error {Id}: {Message}");
        ReadOnlySpan<(string Label, string? Content)> lines =
        [
            ("at", At.IsEmpty ? null : string.Join(" > ", At)),
            ("found", Found),
            ("expected", Expected),
            ("hint", Hint),
        ];
        foreach ((string label, string? content) in lines)
        {
            if (content is not null)
            {
                text.Append('\n').Append("  ").Append(label.PadRight(9)).Append(' ').Append(content);
            }
        }

        return text.ToString();
    }
}
