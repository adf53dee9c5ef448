using System.Collections.Immutable;
using System.Text;
using Optc.Backends.CArray;
using Optc.Demo;
using Optc.Files;
using Optc.Formats.Npy;
using Optc.Ir;

namespace Optc.Cli.Output;

/// <summary>The files that the demo writes into its folder.</summary>
internal sealed class DemoFiles
{
    private const string Symbol = "sounds_int8";
    private readonly string _folder;
    private readonly bool _force;

    /// <exception cref="DiagnosticException">A file has the name of the folder.</exception>
    public DemoFiles(string folder, bool force)
    {
        // Checks the folder; whether files may stay is known when their content is.
        _ = new PlannedFiles(folder, [], force);
        (_folder, _force) = (folder, force);
    }

    public string Float => Path.Combine(_folder, "sounds.tflite");

    public string Quantized => Path.Combine(_folder, "sounds-int8.tflite");

    public string Test => Path.Combine(_folder, "test.npz");

    /// <summary>Path, length and meaning of each file.</summary>
    public ImmutableArray<(string Path, long Bytes, string What)> Written { get; private set; } = [];

    /// <summary>Writes what is not there yet.</summary>
    /// <exception cref="DiagnosticException">A file of another content has one of the names, or the disk refuses.</exception>
    public void Write(Model model, Model quantized, LabelledSounds test, string resolver)
    {
        ImmutableArray<(string Path, byte[] Content, string What)> files =
        [
            (Float, model.ToTfLite(), "the float model"),
            (Quantized, quantized.ToTfLite(), "the int8 model"),
            .. quantized.ToCArray(new CArrayOptions(Symbol)).Files.Select(a => (Path.Combine(_folder, a.Name), a.ToArray(), "the int8 model for firmware")),
            (Path.Combine(_folder, $"{Symbol}_ops.inc"), Encoding.ASCII.GetBytes(resolver), "what TFLite Micro needs to run it"),
            (Test, Archive(test), "the test sounds as features, and their classes"),
        ];
        OutputFolder.Create(_folder);
        ImmutableArray<(string Path, byte[] Content, string What)> missing = [.. files.Where(f => !IsThere(f.Path, f.Content))];
        OutputFiles.Write([.. missing.Select(f => (f.Path, (Action<Stream>)(stream => stream.Write(f.Content))))], _force);
        Written = [.. files.Select(f => (f.Path, f.Content.LongLength, f.What))];
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
