using System.CommandLine;
using System.Runtime.InteropServices;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;

namespace Optc.Cli;

internal static class Program
{
    /// <summary>The command with its verbs; one line each.</summary>
    public static RootCommand CreateRoot(Terminal terminal)
    {
        RootCommand root = new("Model optimization compiler for edge devices: reads, runs, quantizes and writes .tflite, bit for bit.")
        {
            new NewCommand(terminal),
            new TrainCommand(terminal),
            new InspectCommand(terminal),
            new ConvertCommand(terminal),
            new QuantizeCommand(terminal),
            new ShrinkCommand(terminal),
            new OptimizeCommand(terminal),
            new ExploreCommand(terminal),
            new RecipesCommand(terminal),
            new RunCommand(terminal),
            new EvalCommand(terminal),
            new CompareCommand(terminal),
            new VerifyCommand(terminal),
            new CodecCommand(terminal),
            new PassesCommand(terminal),
            new DemoCommand(terminal),
        };
        return EntryPoint.WithGlobalOptions(root);
    }

    private static int Main(string[] arguments)
    {
        using CancellationTokenSource cancellation = new();
        void Cancel(PosixSignalContext signal)
        {
            // The second time the process ends at once.
            signal.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        using Terminal terminal = Terminal.OfProcess();
        return EntryPoint.Run(arguments, terminal, cancellation.Token);
    }
}
