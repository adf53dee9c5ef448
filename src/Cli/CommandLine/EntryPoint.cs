using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Reflection;
using Optc.Cli.Output;
using Optc.Ir;

namespace Optc.Cli.CommandLine;

/// <summary>Runs a command line; the one place where exceptions become messages and exit codes.</summary>
internal static class EntryPoint
{
    private const string Json = "--json";
    private const string Quiet = "--quiet";

    public static string Version { get; } =
        typeof(EntryPoint).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static RootCommand WithGlobalOptions(RootCommand root)
    {
        root.Options.Clear();
        root.Options.Add(new Option<bool>(Json) { Description = "Print the result as JSON, with the same facts as the text.", Recursive = true });
        root.Options.Add(new Option<bool>(Quiet, "-q") { Description = "Print results and errors only: no progress, no remarks.", Recursive = true });
        root.Options.Add(new HelpOption("--help", "-h") { Description = "Show what a verb does and takes, with examples.", Recursive = true });
        root.Options.Add(new VersionOption("--version") { Description = "Show the version." });
        return root;
    }

    /// <returns>The exit code of the process.</returns>
    public static int Run(IReadOnlyList<string> arguments, Terminal terminal, CancellationToken cancellation)
    {
        RootCommand root = Program.CreateRoot(terminal);
        // A response file would be read in silence for an argument that begins with '@'.
        ParseResult parsed = root.Parse(arguments, new() { ResponseFileTokenReplacer = null });
        terminal.IsJson = parsed.GetValue(Flag(root, Json));
        terminal.IsQuiet = parsed.GetValue(Flag(root, Quiet));
        try
        {
            int code = Invoke(root, parsed, terminal, cancellation);
            terminal.Flush();
            return code;
        }
        catch (DiagnosticException problem)
        {
            terminal.Report(problem.Diagnostics);
            return ExitCode.Of(problem.Diagnostics);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            terminal.Note("cancelled");
            return ExitCode.Cancelled;
        }
        catch (Exception problem) when (Foreseen(problem) is { } diagnostic)
        {
            terminal.Report([diagnostic]);
            return ExitCode.Of(diagnostic.Id);
        }
#pragma warning disable CA1031 // Whatever is left is a defect of ours, and this is where it gets its sentence.
        catch (Exception problem)
#pragma warning restore CA1031
        {
            terminal.ReportBug(problem);
            return ExitCode.InternalError;
        }
    }

    private static int Invoke(RootCommand root, ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        switch (parsed.Action)
        {
            case HelpAction:
                terminal.WriteHelp(HelpPage.Of(parsed.CommandResult.Command, terminal.Width));
                return ExitCode.Success;
            case ParseErrorAction when parsed.Tokens.Count == 0:
                terminal.WriteHelp(HelpPage.Of(root, terminal.Width));
                return ExitCode.Usage;
            case ParseErrorAction:
                throw new DiagnosticException(UsageErrors.Of(parsed));
            case AsynchronousCommandLineAction verb:
                return verb.InvokeAsync(parsed, cancellation).GetAwaiter().GetResult();
            default:
                terminal.WriteHelp($"optc {Version}\n");
                return ExitCode.Success;
        }
    }

    private static Option<bool> Flag(RootCommand root, string name) => root.Options.OfType<Option<bool>>().Single(o => o.Name == name);

    private static Diagnostic? Foreseen(Exception problem) => problem switch
    {
        IOException or UnauthorizedAccessException => new(DiagnosticId.FileNotReadable, "a file cannot be read or written")
        {
            Found = problem.Message,
        },
        OutOfMemoryException => new(DiagnosticId.MemoryLimit, "there is not enough memory")
        {
            Hint = "give the process more memory, or take a smaller model or fewer threads",
        },
        _ => null,
    };
}
