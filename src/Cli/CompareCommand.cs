using System.Collections.Immutable;
using System.CommandLine;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Optc.Ir;
using Optc.Report;

namespace Optc.Cli;

internal sealed class CompareCommand : Verb
{
    private readonly Argument<string> _a = SharedOptions.Model("a", "The reference: a .tflite file.");
    private readonly Argument<string> _b = SharedOptions.Model("b", "The model to compare with it: a .tflite file.");
    private readonly Option<string?> _x = SharedOptions.X();
    private readonly Option<int?> _samples = SharedOptions.Samples("Compare on the first N samples; on all unless given.");
    private readonly Option<ulong?> _seed = SharedOptions.Seed();
    private readonly Option<bool> _sequence = SharedOptions.Sequence();
    private readonly Option<string> _roundingA = SharedOptions.Rounding("--rounding-a", "Rounding of A:");
    private readonly Option<string> _roundingB = SharedOptions.Rounding("--rounding-b", "Rounding of B:");
    private readonly Option<int> _threads = SharedOptions.Threads();

    private readonly Option<string> _data = new("--data", "-d")
    {
        HelpName = "DATA",
        Description = "Inputs for both: .npz, .npy, IDX, .wav, or a folder of .npy or .wav. Float data for an integer model are quantized.",
        Required = true,
    };

    private readonly Option<bool> _perLayer = new("--per-layer") { Description = "Compare the values between the layers too." };
    private readonly Option<bool> _requireEqual = new("--require-equal") { Description = "Fail, with exit code 4, if a bit of an output differs." };

    private readonly Option<double?> _minimumSqnr = new("--min-sqnr")
    {
        HelpName = "DB",
        Description = "Fail, with exit code 4, if the signal-to-quantization-noise ratio of an output is lower.",
    };

    public CompareCommand(Terminal terminal)
        : base("compare", "Run two models on the same data and show how far they are apart, per output and per layer.", terminal)
    {
        Arguments.Add(_a);
        Arguments.Add(_b);
        foreach (Option option in (ReadOnlySpan<Option>)[
            _data, _x, _perLayer, _samples, _seed, _sequence, _requireEqual, _minimumSqnr, _roundingA, _roundingB, _threads])
        {
            Options.Add(option);
        }

        this.RequireSamplesForSeed(_samples, _seed);
    }

    public override ImmutableArray<Example> Examples { get; } =
    [
        new("what quantization cost, layer by layer", "optc compare kws.tflite kws-int8.tflite --data test.npz --per-layer --samples 100"),
        new("in a build: nothing may have changed", "optc compare kws.tflite kws-small.tflite --data test.npz --require-equal"),
        new("where two runtimes round differently", "optc compare kws-int8.tflite kws-int8.tflite --data test.npz --rounding-b xnnpack"),
    ];

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        using LineProgress progress = new(Terminal);
        WorkOptions work = new() { Threads = arguments.ThreadsOf(_threads), Cancellation = cancellation, Progress = progress };
        string path = arguments.GetRequiredValue(_b);
        Model a = Model.Load(arguments.GetRequiredValue(_a));
        Model b = Model.Load(path);
        Dataset data = Dataset.Load(arguments.GetRequiredValue(_data), new() { X = arguments.GetValue(_x), Sequence = arguments.GetValue(_sequence) });
        data = arguments.Chosen(data, _samples, _seed);
        Comparison comparison = a.CompareTo(b, data, new()
        {
            PerLayer = arguments.GetValue(_perLayer),
            RoundingA = SharedOptions.RoundingOf(arguments.GetRequiredValue(_roundingA)),
            RoundingB = SharedOptions.RoundingOf(arguments.GetRequiredValue(_roundingB)),
        }, work);
        progress.Dispose();
        ImmutableArray<Diagnostic> failures =
        [
            .. comparison.Outputs.Where(o => arguments.GetValue(_requireEqual) && o.BitExact != true).Select(o => Failure(
                path, o, "two outputs differ that have to be equal", o.BitExact is null ? $"{o.TypeA} and {o.TypeB}" : Real($"differences of up to {o.MaxAbs:G4}"), "equal bits")),
            .. comparison.Outputs.Where(o => arguments.GetValue(_minimumSqnr) is { } minimum && !(o.Sqnr >= minimum)).Select(o => Failure(
                path, o, "two outputs are farther apart than allowed", Real($"{o.Sqnr:F1} dB"), Real($"{arguments.GetValue(_minimumSqnr)} dB at least"))),
        ];
        Terminal.WriteJson(() => ReportJson.Of(comparison), failures);
        Terminal.Write(ComparisonText.Of(comparison));
        return failures.IsEmpty ? ExitCode.Success : throw new DiagnosticException(failures);
    }

    private static string Real(FormattableString text) => FormattableString.Invariant(text);

    private static Diagnostic Failure(string path, DifferenceEntry output, string message, string found, string expected) =>
        new(DiagnosticId.VerificationFailed, message) { At = [path, $"output '{output.Name}'"], Found = found, Expected = expected };
}
