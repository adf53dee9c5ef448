using System.CommandLine;
using System.Globalization;
using System.Text;

namespace Optc.Cli.CommandLine;

/// <summary>The help of a command, from its declarations; <c>docs/cli.md</c> is made of the same parts.</summary>
internal static class HelpPage
{
    private const int Indent = 2;
    private const int Gap = 3;
    private const int WidestName = 32;

    public static string Of(Command command, int width)
    {
        StringBuilder page = new();
        page.Append(CultureInfo.InvariantCulture, $"usage: {Usage(command)}\n\n");
        AppendWrapped(page, command.Description!, 0, width);
        AppendRows(page, "Verbs", [.. command.Subcommands.Where(c => !c.Hidden).Select(c => (c.Name, c.Description!))], width);
        AppendRows(page, "Arguments", [.. command.Arguments.Select(a => (NameOf(a), a.Description!))], width);
        AppendRows(page, "Options", [.. OptionsOf(command).Select(o => (NameOf(o), DescriptionOf(o)))], width);
        if (command is Verb verb)
        {
            page.Append("\nExamples\n");
            foreach (Example example in verb.Examples)
            {
                AppendWrapped(page, $"# {example.Purpose}", Indent, width);
                page.Append(' ', Indent).Append(example.Line).Append('\n');
            }
        }
        else
        {
            page.Append("\n'optc VERB --help' shows the options of a verb, with examples.\n");
        }

        return page.ToString();
    }

    /// <summary>The options of a command, then those that every command has.</summary>
    public static IEnumerable<Option> OptionsOf(Command command) =>
        command.Options.Concat(command.Parents.OfType<Command>().SelectMany(c => c.Options).Where(o => o.Recursive)).Where(o => !o.Hidden);

    public static string Usage(Command command)
    {
        if (command is RootCommand)
        {
            return "optc VERB [arguments] [options]";
        }

        IEnumerable<string> words =
        [
            "optc", command.Name,
            .. command.Arguments.Select(NameOf),
            .. command.Options.Where(o => o.Required).Select(o => $"{ShortNameOf(o)} {o.HelpName}"),
            "[options]",
        ];
        return string.Join(' ', words);
    }

    public static string NameOf(Argument argument) => argument.HelpName ?? argument.Name.ToUpperInvariant();

    public static string NameOf(Option option)
    {
        string names = string.Join(", ", option.Aliases.Append(option.Name).Distinct().OrderBy(n => n.Length).ThenBy(n => n, StringComparer.Ordinal));
        return option.HelpName is null ? names : $"{names} {option.HelpName}";
    }

    public static string DescriptionOf(Option option)
    {
        string? note = option switch
        {
            { Required: true } => "Required.",
            { HasDefaultValue: true } when option.ValueType != typeof(bool) && option.GetDefaultValue() is { } value =>
                string.Create(CultureInfo.InvariantCulture, $"Default: {value}."),
            _ => null,
        };
        return note is null ? option.Description! : $"{option.Description} {note}";
    }

    private static string ShortNameOf(Option option) => option.Aliases.Append(option.Name).OrderBy(n => n.Length).First();

    private static void AppendRows(StringBuilder page, string title, (string Name, string Text)[] rows, int width)
    {
        if (rows.Length == 0)
        {
            return;
        }

        page.Append(CultureInfo.InvariantCulture, $"\n{title}\n");
        int column = Indent + Gap + rows.Max(r => r.Name.Length <= WidestName ? r.Name.Length : 0);
        foreach ((string name, string text) in rows)
        {
            page.Append(' ', Indent).Append(name);
            bool fits = name.Length <= WidestName;
            if (fits)
            {
                page.Append(' ', column - Indent - name.Length);
            }
            else
            {
                page.Append('\n').Append(' ', column);
            }

            AppendWrapped(page, text, column, width, isStarted: true);
        }
    }

    private static void AppendWrapped(StringBuilder page, string text, int indent, int width, bool isStarted = false)
    {
        int used = isStarted ? indent : 0;
        bool isLineEmpty = true;
        if (!isStarted)
        {
            page.Append(' ', indent);
            used = indent;
        }

        foreach (string word in text.Split(' '))
        {
            if (!isLineEmpty && used + 1 + word.Length > width)
            {
                page.Append('\n').Append(' ', indent);
                used = indent;
                isLineEmpty = true;
            }

            if (!isLineEmpty)
            {
                page.Append(' ');
                used++;
            }

            page.Append(word);
            used += word.Length;
            isLineEmpty = false;
        }

        page.Append('\n');
    }
}
