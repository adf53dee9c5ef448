using Optc.Formats.FlatBuffers;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Backends.TfLite;

/// <summary>Writes a module as a <c>.tflite</c> file. The same module gives the same bytes.</summary>
public static class TfLiteBackend
{
    /// <summary>The file as records, ready to be written.</summary>
    /// <exception cref="DiagnosticException">Ops have no encoding in this format; all are listed.</exception>
    public static ModelRecord ToRecords(Module module) => new ModelExporter(module).Export();

    /// <exception cref="DiagnosticException">Ops have no encoding in this format; all are listed.</exception>
    public static void Write(Module module, Stream output) => TfLiteFile.Write(ToRecords(module), output);

    /// <summary>The file in pieces that share the content of the constants.</summary>
    /// <exception cref="DiagnosticException">Ops have no encoding in this format; all are listed.</exception>
    public static FlatBufferContent Build(Module module) => TfLiteFile.Build(ToRecords(module));

    /// <inheritdoc cref="Write"/>
    public static byte[] ToArray(Module module) => TfLiteFile.ToArray(ToRecords(module));
}
