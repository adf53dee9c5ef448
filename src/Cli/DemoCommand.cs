using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Optc.Backends.TfLiteMicro;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Demo;
using Optc.Ir;
using Optc.Passes.Quantize;
using Optc.Report;

namespace Optc.Cli;

internal sealed class DemoCommand : Verb
{
    private const string DefaultFolder = "optc-demo";

    private readonly Option<bool> _force = new("--force") { Description = "Replace files that are not those of the demo." };
    private readonly Option<int> _threads = SharedOptions.Threads();

    private readonly Option<string> _outDir = new("--out-dir", "-o")
    {
        HelpName = "DIR",
        Description = "Folder for models, C array and test data; made if it is missing.",
        DefaultValueFactory = _ => DefaultFolder,
    };

    public DemoCommand(Terminal terminal)
        : base("demo", "Show the whole way without a file: make a sound classifier, quantize it, prove what it cost, write it for firmware.", terminal)
    {
        Options.Add(_outDir);
        Options.Add(_threads);
        Options.Add(_force);
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("into ./optc-demo", "optc demo"),
        new("into another folder", "optc demo --out-dir tour"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string folder = arguments.GetRequiredValue(_outDir);
        DemoFiles files = new(folder, arguments.GetValue(_force));
        using LineProgress progress = new(Terminal);
        WorkOptions work = new() { Threads = arguments.ThreadsOf(_threads), Cancellation = cancellation, Progress = progress };

        progress.Report(new("synthesising sounds"));
        DemoTask task = DemoTask.Create(work.Threads, cancellation);
        progress.Report(new("fitting the classifier"));
        Model model = Model.Of(DemoModel.Build(task.Train, work.Threads, cancellation), "sounds.tflite");
        Dataset calibration = Dataset.Of(task.Calibration.Stack());
        Dataset test = Dataset.Of(task.Test.Stack(), TensorData.FromInts([task.Test.Count], [.. task.Test.Labels]));
        Model quantized = model.Quantize(QuantizationRecipe.StaticInt8, calibration, work);
        AccuracyDrop accuracy = new(model.Evaluate(test, options: work), quantized.Evaluate(test, options: work));
        Comparison comparison = model.CompareTo(quantized, test, options: work);
        progress.Dispose();

        ArenaEstimate arena = ArenaEstimate.Of(quantized.Module);
        files.Write(model, quantized, task.Test, OpResolver.Of(quantized.Module).ToCode(arena.Total));
        Print(task, model, quantized, accuracy, comparison.Outputs[0], arena, files);
        return ExitCode.Success;
    }

    private void Print(
        DemoTask task, Model model, Model quantized, AccuracyDrop accuracy, DifferenceEntry output, ArenaEstimate arena, DemoFiles files)
    {
        long before = model.FileLength;
        long after = quantized.FileLength;
        long arenaBefore = ArenaEstimate.Of(model.Module).Total;
        Terminal.WriteJson(writer =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("bytesBefore", before);
            writer.WriteNumber("bytesAfter", after);
            writer.WriteNumber("arenaBytesBefore", arenaBefore);
            writer.WriteNumber("arenaBytesAfter", arena.Total);
            writer.WriteNumber("accuracyBefore", accuracy.Before.Value);
            writer.WriteNumber("accuracyAfter", accuracy.After.Value);
            writer.WriteNumber("testSamples", accuracy.After.Samples);
            writer.WriteNumber("sqnr", output.Sqnr);
            writer.WriteNumber("argMaxAgreement", output.ArgMaxAgreement ?? 100);
            WriteFiles(writer, files);
            writer.WriteEndObject();
        });
        Terminal.WriteText(
            $"""
            A classifier of {DemoTask.ClassNames.Length} kinds of sound ({string.Join(", ", DemoTask.ClassNames)}),
            made from {task.Train.Count} synthesised sounds, quantized with {task.Calibration.Count} others, tested on {task.Test.Count} more.


            """);
        Grid table = new("", ">float", ">int8", ">");
        table.Add("bytes of the .tflite file", Number(before), Number(after), Share(before, after));
        table.Add("bytes of TFLite Micro's arena, estimated", Number(arenaBefore), Number(arena.Total), Share(arenaBefore, arena.Total));
        table.Add("accuracy on the test", Percent(accuracy.Before.Value), Percent(accuracy.After.Value), FormattableString.Invariant($"{-accuracy.Points:+0.0;-0.0;0.0} points"));
        table.PrintTo(Terminal);
        Terminal.WriteText(FormattableString.Invariant(
            $"\nBoth decide alike on {output.ArgMaxAgreement:F1} % of the test; their outputs are {output.Sqnr:F1} dB apart (signal to noise).\n"));
        Terminal.WriteText("The int8 model gives the same bits here and in TFLite Micro's reference kernels.\n\n");
        Grid written = new("file", ">bytes", "");
        foreach ((string path, long bytes, string what) in files.Written)
        {
            written.Add(path, Number(bytes), what);
        }

        written.PrintTo(Terminal);
        Terminal.WriteText(
            $"""

            Next:
              optc inspect {files.Quantized}
              optc compare {files.Float} {files.Quantized} --data {files.Test} --per-layer
              optc eval {files.Quantized} --data {files.Test}

            """);
    }

    private static void WriteFiles(Utf8JsonWriter writer, DemoFiles files)
    {
        writer.WriteStartArray("files");
        foreach ((string path, long bytes, _) in files.Written)
        {
            writer.WriteStartObject();
            writer.WriteString("file", path);
            writer.WriteNumber("bytes", bytes);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Percent(double part) => FormattableString.Invariant($"{100 * part:F1} %");

    private static string Share(long before, long after) => FormattableString.Invariant($"{100.0 * after / before:F1} %");
}
