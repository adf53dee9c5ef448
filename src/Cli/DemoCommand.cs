using System.Collections.Immutable;
using System.CommandLine;
using Optc.Backends.TfLiteMicro;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Demo;

namespace Optc.Cli;

internal sealed class DemoCommand : Verb
{
    private const string DefaultFolder = "optc-demo";

    private readonly Option<bool> _quick = new("--quick") { Description = "A smaller model and fewer sounds: seconds instead of a minute, at less accuracy." };
    private readonly Option<bool> _force = new("--force") { Description = "Replace files that are not those of the same demo." };
    private readonly Option<int> _threads = SharedOptions.Threads();

    private readonly Option<string> _outDir = new("--out-dir", "-o")
    {
        HelpName = "DIR",
        Description = "Folder for models, C array, data and report; made if it is missing.",
        DefaultValueFactory = _ => DefaultFolder,
    };

    public DemoCommand(Terminal terminal)
        : base("demo", "Show the whole way without a file: train a sound classifier, prune, cluster and quantize it, prove what came of it, write it for firmware.", terminal)
    {
        Options.Add(_outDir);
        Options.Add(_quick);
        Options.Add(_threads);
        Options.Add(_force);
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("into ./optc-demo", "optc demo"),
        new("into another folder, in a few seconds", "optc demo --quick --out-dir tour"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        bool isQuick = arguments.GetValue(_quick);
        DemoSize size = isQuick ? DemoSize.Quick : DemoSize.Full;

        // Without what does not change a byte.
        string command = isQuick ? "optc demo --quick" : "optc demo";
        DemoFiles files = new(arguments.GetRequiredValue(_outDir), command, arguments.GetValue(_force));
        using DemoNarration narration = new(Terminal, size);
        DemoRun run = DemoRun.Of(size, command, new() { Threads = arguments.ThreadsOf(_threads), Cancellation = cancellation }, narration);
        narration.Dispose();

        ArenaEstimate arena = ArenaEstimate.Of(run.Optimization.Result.Module);
        files.Write(run, OpResolver.Of(run.Optimization.Result.Module).ToCode(arena.Total));
        new DemoView(run, arena, files).Print(Terminal);
        return ExitCode.Success;
    }
}
