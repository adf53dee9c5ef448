using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Optc.Backends.CArray;
using Optc.Backends.TfLite;
using Optc.Demo;
using Optc.Files;
using Optc.Formats.Npy;
using Optc.Ir;
using Optc.Report.Compression;

namespace Optc.Cli.Output;

/// <summary>The files that the demo writes into its folder.</summary>
internal sealed class DemoFiles
{
    private const string Symbol = "sounds_int8";

    private static readonly ImmutableArray<string> Names =
    [
        "sounds.tflite", "sounds-int8.tflite", $"{Symbol}.h", $"{Symbol}.c", $"{Symbol}_ops.inc", "recipe.yaml", "train.npz", "test.npz", .. CompressionFiles.Names,
    ];

    private readonly string _folder;
    private readonly bool _force;

    /// <summary>Checks before the work that the files will find their place: it is free, or the same demo has been there.</summary>
    /// <param name="folder">Made, when files are written, if it is missing.</param>
    /// <param name="command">The command line as the report has it.</param>
    /// <param name="force">Replaces files that are there.</param>
    /// <exception cref="DiagnosticException">Files are in the way; all of them are listed.</exception>
    public DemoFiles(string folder, string command, bool force)
    {
        (_folder, _force) = (folder, force);
        _ = new PlannedFiles(folder, Names, force || IsOfSameDemo(command));
    }

    public string Float => At("sounds.tflite");

    public string Quantized => At("sounds-int8.tflite");

    public string Recipe => At("recipe.yaml");

    public string Train => At("train.npz");

    public string Test => At("test.npz");

    public string Report => At(CompressionFiles.Names[0]);

    /// <summary>Path, length and meaning of each file.</summary>
    public ImmutableArray<(string Path, long Bytes, string What)> Written { get; private set; } = [];

    /// <summary>Writes what is not there yet.</summary>
    /// <param name="run">What there is to write.</param>
    /// <param name="resolver">Lines for firmware.</param>
    /// <exception cref="DiagnosticException">A file of another content has one of the names, or the disk refuses.</exception>
    public void Write(DemoRun run, string resolver)
    {
        ImmutableArray<(string Path, byte[] Content, string What)> files =
        [
            (Float, run.Float.ToTfLite(TfLiteWriteOptions.WithAllNames), "the float model"),
            (Quantized, run.Optimization.File.ToArray(), "the compressed int8 model"),
            .. run.Optimization.Result.ToCArray(new CArrayOptions(Symbol)).Files.Select(a => (At(a.Name), a.ToArray(), "the same for firmware")),
            (At($"{Symbol}_ops.inc"), Encoding.ASCII.GetBytes(resolver), "what TFLite Micro needs to run it"),
            (Recipe, Encoding.UTF8.GetBytes(run.Optimization.Recipe.ToYaml()), "what was done to the float model"),
            (Train, Archive(run.Task.Train), "the sounds that were trained on, as features, and their classes"),
            (Test, Archive(run.Task.Test), "the test sounds"),
            .. CompressionFiles.Of(run.Report).Files.Select(a => (At(a.Name), a.ToArray(), "the compression report")),
        ];
        OutputFolder.Create(_folder);
        ImmutableArray<(string Path, byte[] Content, string What)> missing = [.. files.Where(f => !IsThere(f.Path, f.Content))];
        OutputFiles.Write([.. missing.Select(f => (f.Path, (Action<Stream>)(stream => stream.Write(f.Content))))], _force);
        Written = [.. files.Select(f => (f.Path, f.Content.LongLength, f.What))];
    }

    private string At(string name) => Path.Combine(_folder, name);

    /// <summary>True when the report in the folder is one of this version and command, which gives the same files again.</summary>
    private bool IsOfSameDemo(string command)
    {
        try
        {
            using JsonDocument report = JsonDocument.Parse(File.ReadAllBytes(At(CompressionFiles.Names[^1])));
            JsonElement reproduction = report.RootElement.GetProperty("reproduction");
            return reproduction.GetProperty("version").GetString() == DemoRun.Version && reproduction.GetProperty("command").GetString() == command;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return false;
        }
    }

    private static bool IsThere(string path, byte[] content) =>
        new FileInfo(path) is { Exists: true } file && file.Length == content.Length && File.ReadAllBytes(path).AsSpan().SequenceEqual(content);

    private static byte[] Archive(LabelledSounds sounds)
    {
        TensorData features = sounds.Stack();
        return NpzFile.Write(
            NpzCompression.Stored,
            ("x", NpyArray.Of(features.AsFloats(), features.Shape.Dims.AsSpan())),
            ("y", NpyArray.Of<int>(sounds.Labels.AsSpan(), sounds.Count)));
    }
}
