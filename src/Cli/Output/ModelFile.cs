using System.Collections.Immutable;
using System.CommandLine;
using Optc.Backends;
using Optc.Backends.CArray;
using Optc.Ir;

namespace Optc.Cli.Output;

/// <summary>Form in which a model is written.</summary>
internal enum ModelFormat
{
    TfLite,

    /// <summary>A C source with its header beside it.</summary>
    C,

    /// <summary>One header that defines the array.</summary>
    CHeader,
}

/// <summary>The file or files of a model: form and names from the output path, unless options say otherwise.</summary>
internal sealed class ModelFile
{
    private readonly string _path;
    private readonly string _symbol;

    /// <param name="path">The output path.</param>
    /// <param name="format">One of <see cref="FormatNames"/>; from the extension when left out.</param>
    /// <param name="symbol">C identifier of the array; from the file name when left out.</param>
    /// <exception cref="DiagnosticException">The extension says nothing, or the symbol is no identifier or has no use.</exception>
    public ModelFile(string path, string? format = null, string? symbol = null)
    {
        if (path.Length == 0)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.OutputNotWritable, "the output cannot be written")
            {
                Found = "an empty name",
                Expected = "the name of a file",
            });
        }

        _path = path;
        Format = (format ?? Path.GetExtension(path).ToLowerInvariant()) switch
        {
            "tflite" or ".tflite" => ModelFormat.TfLite,
            "c" or ".c" or ".cc" or ".cpp" => ModelFormat.C,
            "c-header" or ".h" or ".hpp" => ModelFormat.CHeader,
            _ => throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "the name of the output does not say its format")
            {
                At = [path],
                Expected = "the extension .tflite, .c, .cc, .cpp, .h or .hpp, or --to",
            }),
        };
        if (symbol is not null && Format is ModelFormat.TfLite)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "--symbol names a C array, and none is written")
            {
                At = [path],
                Expected = "a C file as output",
            });
        }

        _symbol = symbol ?? CIdentifier.Suggest(Path.GetFileNameWithoutExtension(path));
        if (Format is not ModelFormat.TfLite && CArrayBackend.Check(Options) is { IsEmpty: false } problems)
        {
            throw new DiagnosticException(problems);
        }
    }

    public static string[] FormatNames { get; } = ["tflite", "c", "c-header"];

    public ModelFormat Format { get; }

    /// <summary>The files, the one that was asked for first.</summary>
    public ImmutableArray<string> Paths => Format is ModelFormat.C ? [_path, Path.Combine(Path.GetDirectoryName(_path) ?? "", $"{_symbol}.h")] : [_path];

    private CArrayOptions Options => new(_symbol, Format is ModelFormat.C ? CArrayStyle.HeaderAndSource : CArrayStyle.XxdHeader);

    public static Option<string?> SymbolOption() =>
        new("--symbol") { HelpName = "NAME", Description = "Name of the C array; from the name of the output unless given." };

    /// <summary>The contents, in the order of <see cref="Paths"/>.</summary>
    public ImmutableArray<Action<Stream>> Contents(Model model)
    {
        if (Format is ModelFormat.TfLite)
        {
            // Encoded here, so that what has no encoding is refused before a file is opened.
            _ = model.FileLength;
            return [model.WriteTo];
        }

        return Contents(model.ToCArray(Options));
    }

    /// <summary>The contents of a <c>.tflite</c> file that is there already, in the order of <see cref="Paths"/>.</summary>
    public ImmutableArray<Action<Stream>> Contents(ReadOnlyMemory<byte> file)
    {
        void Write(Stream stream) => stream.Write(file.Span);
        return Format is ModelFormat.TfLite ? [Write] : Contents(CArrayBackend.Emit(file.Length, Write, Options));
    }

    private ImmutableArray<Action<Stream>> Contents(ArtifactSet set)
    {
        ImmutableArray<Artifact> artifacts = set.Files;
        return Format is ModelFormat.C
            ? [artifacts.Single(a => a.Name.EndsWith(".c", StringComparison.Ordinal)).Write, artifacts.Single(a => a.Name.EndsWith(".h", StringComparison.Ordinal)).Write]
            : [artifacts.Single().Write];
    }
}
