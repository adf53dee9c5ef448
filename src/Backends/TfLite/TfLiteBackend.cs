using Optc.Formats.FlatBuffers;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Backends.TfLite;

/// <summary>Writes a module as a <c>.tflite</c> file. The same module gives the same bytes.</summary>
public static class TfLiteBackend
{
    private const int FormatAlignment = 16;
    private const int MicroAlignment = 4;
    private const int WideAlignment = 8;

    /// <summary>The file as records, ready to be written.</summary>
    /// <exception cref="DiagnosticException">Ops have no encoding in this format; all are listed.</exception>
    public static ModelRecord ToRecords(Module module, TfLiteWriteOptions? options = null) =>
        new ModelExporter(module, options ?? TfLiteWriteOptions.Default).Export();

    /// <exception cref="DiagnosticException">Ops have no encoding in this format; all are listed.</exception>
    public static void Write(Module module, Stream output, TfLiteWriteOptions? options = null) => Build(module, options).WriteTo(output);

    /// <summary>The file in pieces that share the content of the constants.</summary>
    /// <exception cref="DiagnosticException">Ops have no encoding in this format; all are listed.</exception>
    public static FlatBufferContent Build(Module module, TfLiteWriteOptions? options = null)
    {
        options ??= TfLiteWriteOptions.Default;
        return TfLiteFile.Build(ToRecords(module, options), AlignmentOf(module, options.Target));
    }

    /// <inheritdoc cref="Write"/>
    public static byte[] ToArray(Module module, TfLiteWriteOptions? options = null) => Build(module, options).ToArray();

    private static int AlignmentOf(Module module, TfLiteTarget target) => target switch
    {
        TfLiteTarget.Portable => FormatAlignment,
        _ when module.Graphs.SelectMany(g => g.Values()).Any(v => v.Constant is { DType.BitWidth: > 32 }) => WideAlignment,
        _ => MicroAlignment,
    };
}
