using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Optc.Ir;

namespace Optc.Cli.CommandLine;

/// <summary>Turns what the parser found wrong into diagnostics.</summary>
internal static partial class UsageErrors
{
    public static ImmutableArray<Diagnostic> Of(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string place = PathOf(parsed.CommandResult);
        string[] messages = [.. parsed.Errors.Select(e => WithoutType(e.Message.TrimEnd('.'))).Distinct()];

        // An unknown verb is reported as that and, once more, as a missing one.
        bool isVerbUnknown = command is RootCommand && parsed.UnmatchedTokens.Count > 0;
        return
        [
            .. messages.Take(isVerbUnknown ? 1 : messages.Length).Select(m => isVerbUnknown ? $"unknown verb '{parsed.UnmatchedTokens[0]}'" : Lower(m))
                .Select(message => new Diagnostic(DiagnosticId.CommandLine, message)
                {
                    At = [place],
                    Hint = Suggestion(message, command) ?? $"'{place} --help' shows what it takes",
                }),
        ];
    }

    /// <summary>Makes an argument refuse words that look like options, which the parser would take as its value.</summary>
    public static void RefuseOptions(Argument argument) => argument.Validators.Add(result =>
    {
        foreach (Token token in result.Tokens.Where(t => t.Value.Length > 1 && t.Value.StartsWith('-')))
        {
            result.AddError($"unknown option '{token.Value}'");
        }
    });

    private static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "optc";

    /// <summary>Says what a number has to be, where the parser names a type of .NET.</summary>
    private static string WithoutType(string message) => UnreadableNumber().Match(message) is { Success: true } match
        ? $"{match.Groups["option"].Value} is '{match.Groups["text"].Value}', but has to be {(match.Groups["type"].Value switch
        {
            "Int32" or "Int64" => "a whole number",
            "UInt32" or "UInt64" => "a whole number, 0 or more",
            _ => "a number",
        })}"
        : message;

    [GeneratedRegex("^Cannot parse argument '(?<text>.*)' for option '(?<option>[^']*)' as expected type '.*System\\.(?<type>U?Int32|U?Int64|Single|Double)'?.*$", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex UnreadableNumber();

    private static string Lower(string message) =>
        message.Length > 1 && char.IsUpper(message[0]) && !char.IsUpper(message[1]) ? char.ToLowerInvariant(message[0]) + message[1..] : message;

    private static string? Suggestion(string message, Command command)
    {
        // Of all messages only those about unknown words, ours and the parser's, quote something that may be misspelt.
        if (!message.StartsWith("un", StringComparison.Ordinal) || message.Split('\'') is not [_, var unknown, ..])
        {
            return null;
        }

        IEnumerable<string> known = unknown.StartsWith('-')
            ? HelpPage.OptionsOf(command).SelectMany(o => o.Aliases.Prepend(o.Name))
            : command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name);
        (string Name, int Distance)[] near =
        [
            .. known.Select(name => (Name: name, Distance: Distance(unknown, name)))
                .Where(c => c.Distance > 0 && c.Distance <= Math.Max(1, c.Name.Length / 3))
                .OrderBy(c => c.Distance).ThenBy(c => c.Name, StringComparer.Ordinal),
        ];
        return near is [var first, ..] ? $"did you mean '{first.Name}'?" : null;
    }

    /// <summary>Number of single-character insertions, deletions and replacements between two words (Levenshtein).</summary>
    private static int Distance(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[to.Length];
    }
}
