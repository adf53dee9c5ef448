using System.Collections.Immutable;
using System.Text;
using Optc.Backends.TfLite;
using Optc.Files;
using Optc.Ir;
using Optc.Training;

namespace Optc.Cli.Output;

/// <summary>The files of a training run: the model at its end, the log as it goes on, the learning curve, the checkpoint.</summary>
internal sealed class TrainingFiles
{
    private const string Csv = ".csv";
    private const string Json = ".json";
    private const string Svg = ".svg";

    private readonly ModelFile _model;
    private readonly bool _force;
    private readonly List<EpochRecord> _history = [];

    /// <summary>Checks before the work that everything will find its place.</summary>
    /// <param name="output">Path of the model.</param>
    /// <param name="log">Ends in <c>.csv</c> or <c>.json</c>.</param>
    /// <param name="curve">Ends in <c>.svg</c>.</param>
    /// <param name="checkpoint">Beside the model when left out.</param>
    /// <param name="inputs">Files that are read, and so never replaced.</param>
    /// <exception cref="DiagnosticException">A file exists, cannot be written, has another extension, or is two things at once.</exception>
    public TrainingFiles(string output, string? log, string? curve, string? checkpoint, bool force, params ReadOnlySpan<string?> inputs)
    {
        (_model, Model, Log, Curve, _force) = (new(output), output, log, curve, force);
        Checkpoint = checkpoint ?? $"{output}.checkpoint.npz";
        IsResuming = File.Exists(Checkpoint);
        RequireExtension("--log", log, Csv, Json);
        RequireExtension("--curve", curve, Svg);
        ImmutableArray<string> aside = [.. new[] { log, curve }.OfType<string>()];
        _ = new PlannedFiles([.. _model.Paths, .. aside, Checkpoint], force: true, inputs);

        // The log of a run that goes on is there, and is written again with what is in the checkpoint.
        OutputFiles.RequireFree([.. _model.Paths, .. IsResuming ? [] : aside], force);
    }

    public string Model { get; }

    public string? Log { get; }

    public string? Curve { get; }

    public string Checkpoint { get; }

    /// <summary>True when the checkpoint of an interrupted run is there.</summary>
    public bool IsResuming { get; }

    /// <summary>Adds epochs to the log: the file is replaced as a whole, so that it is complete whenever the process ends.</summary>
    public void Add(string metric, params IReadOnlyList<EpochRecord> epochs)
    {
        _history.AddRange(epochs);
        if (Log is not null)
        {
            Replace(Log, Extension(Log) == Json ? LearningCurve.ToJson(_history, metric) : LearningCurve.ToCsv(_history, metric));
        }
    }

    /// <summary>Writes what a finished run leaves, and removes its checkpoint.</summary>
    public void Finish(FitResult result)
    {
        if (Curve is not null)
        {
            string title = FormattableString.Invariant($"{Path.GetFileName(Model)}: {result.Steps} steps");
            Replace(Curve, LearningCurve.ToSvg(result.History, result.Metric, title));
        }

        OutputFiles.Write([.. _model.Paths.Zip(_model.Contents(result.Model.WrittenAs(TfLiteWriteOptions.WithAllNames)))], _force);
        File.Delete(Checkpoint);
    }

    private static void Replace(string path, string text) =>
        OutputFiles.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)), overwrite: true);

    private static string Extension(string path) => Path.GetExtension(path).ToLowerInvariant();

    private static void RequireExtension(string option, string? path, params string[] extensions)
    {
        if (path is not null && !extensions.Contains(Extension(path)))
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, $"{option} names a file of another kind")
            {
                At = [path],
                Expected = $"the extension {string.Join(" or ", extensions)}",
            });
        }
    }
}
