using System.CommandLine;
using System.Globalization;
using System.Text;
using Optc.Cli;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Ir;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Architecture;

/// <summary>Pages that are printed from the declarations of the command and of the diagnostics.</summary>
public sealed class CliPageTests
{
    /// <summary><c>docs/cli.md</c> is printed from the verbs.</summary>
    [Fact]
    public void The_page_of_the_command_is_current()
    {
        using Terminal terminal = new(TextWriter.Null, TextWriter.Null);
        RootCommand root = Program.CreateRoot(terminal);
        StringBuilder page = new(
            """
            # The command

            Printed from the declarations of the verbs by `./build.sh docs`, compared in CI.

            Results go to standard output, messages and progress to standard error. There are no prompts. What is not a terminal gets
            plain text, one line for a row; `NO_COLOR` does the same for a terminal. Outputs are written beside their place under another
            name and moved there, so that a run that is killed leaves no half file; they replace a file only with `--force`, and never one
            that is read. The same input and options give the same bytes, whatever `--threads` says. Exit codes: [errors.md](errors.md).


            """);
        page.Append("| verb | |\n|---|---|\n");
        foreach (Command command in root.Subcommands)
        {
            page.Append(CultureInfo.InvariantCulture, $"| [`{command.Name}`](#optc-{command.Name}) | {command.Description} |\n");
        }

        page.Append("\nOf every verb:\n\n");
        AppendOptions(page, HelpPage.OptionsOf(root).Where(o => o.Recursive));
        foreach (Verb verb in root.Subcommands.Cast<Verb>())
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## optc {verb.Name}\n\n{verb.Description}\n\n    {HelpPage.Usage(verb)}\n\n| | |\n|---|---|\n");
            foreach (Argument argument in verb.Arguments)
            {
                page.Append(CultureInfo.InvariantCulture, $"| `{Cell(HelpPage.NameOf(argument))}` | {Cell(argument.Description!)} |\n");
            }

            AppendRows(page, verb.Options);
            page.Append("\n```sh\n");
            foreach (Example example in verb.Examples)
            {
                page.Append(CultureInfo.InvariantCulture, $"# {example.Purpose}\n{example.Line}\n");
            }

            page.Append("```\n");
        }

        GoldenFile.At("docs/cli.md").ShouldMatch(page.ToString());
    }

    /// <summary><c>docs/errors.md</c> is printed from <see cref="DiagnosticId.All"/>.</summary>
    [Fact]
    public void The_page_of_errors_is_current()
    {
        StringBuilder page = new(
            """
            # Errors

            Printed from `DiagnosticId.All` by `./build.sh docs`, compared in CI. An error says what is wrong, where, what was found, what was
            expected and what to do; all errors of a stage are reported at once, on standard error. With `--json` standard output holds them too,
            as `{"errors": [{"id", "message", "at", "found", "expected", "hint"}]}`.

            | exit code | |
            |---:|---|
            | 0 | done |
            | 1 | a defect of optc: "this is a bug in optc" and a stack |
            | 2 | the command line, or data that do not fit the model |
            | 3 | an input that cannot be read, or is not supported |
            | 4 | a verification failed |
            | 5 | a budget that was given is not met |
            | 130 | interrupted |


            """);
        page.Append("| error | exit code | what is wrong | what to do |\n|---|---:|---|---|\n");
        foreach (DiagnosticId id in DiagnosticId.All)
        {
            page.Append(CultureInfo.InvariantCulture, $"| {id} | {ExitCode.Of(id)} | {id.Summary} | {Cell(id.Remedy)} |\n");
        }

        GoldenFile.At("docs/errors.md").ShouldMatch(page.ToString());
    }

    [Fact]
    public void Every_diagnostic_is_listed_once_in_order()
    {
        IEnumerable<DiagnosticId> declared = typeof(DiagnosticId).GetProperties()
            .Where(p => p.PropertyType == typeof(DiagnosticId))
            .Select(p => (DiagnosticId)p.GetValue(null)!);

        Assert.Equal(declared.OrderBy(d => d.Number), DiagnosticId.All);
    }

    [Fact]
    public void Every_verb_has_examples_that_parse()
    {
        using Terminal terminal = new(TextWriter.Null, TextWriter.Null);
        RootCommand root = Program.CreateRoot(terminal);
        foreach (Verb verb in root.Subcommands.Cast<Verb>())
        {
            Assert.NotEmpty(verb.Examples);
            foreach (Example example in verb.Examples)
            {
                Assert.StartsWith($"optc {verb.Name} ", example.Line + " ", StringComparison.Ordinal);

                // The parser takes single quotes as part of a word.
                string[] words = [.. example.Line.Split('\'').SelectMany((part, i) => i % 2 == 1 ? [part] : part.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
                Assert.Empty(root.Parse(words[1..]).Errors);
            }
        }
    }

    private static void AppendOptions(StringBuilder page, IEnumerable<Option> options)
    {
        page.Append("| | |\n|---|---|\n");
        AppendRows(page, options);
    }

    private static void AppendRows(StringBuilder page, IEnumerable<Option> options)
    {
        foreach (Option option in options.Where(o => !o.Hidden))
        {
            page.Append(CultureInfo.InvariantCulture, $"| `{HelpPage.NameOf(option).Replace("|", "\\|", StringComparison.Ordinal)}` | {Cell(HelpPage.DescriptionOf(option))} |\n");
        }
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
