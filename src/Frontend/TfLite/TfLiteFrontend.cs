using Optc.Formats;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Frontend.TfLite;

/// <summary>Reads <c>.tflite</c> files.</summary>
public sealed class TfLiteFrontend : IFrontend
{
    public string Name => "tflite";

    public bool Recognizes(ReadOnlySpan<byte> start) => start.Length >= 8 && start[4..8].SequenceEqual("TFL3"u8);

    public Module Read(ReadOnlyMemory<byte> file, string name)
    {
        try
        {
            Module module = new ModelImporter(TfLiteFile.Read(file)).Import();
            Verifier.ThrowIfBroken(module);
            return module;
        }
        catch (MalformedDataException damage)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.MalformedFile, "the file breaks the rules of its format")
            {
                At = damage.Offset >= 0 ? [name, $"byte 0x{damage.Offset:x}", damage.Path] : [name, damage.Path],
                Found = damage.Found,
                Expected = damage.Expected,
                Hint = "the file is truncated or damaged; compare its size and hash with the original",
            });
        }
        catch (DiagnosticException problem)
        {
            throw new DiagnosticException([.. problem.Diagnostics.Select(d => d.Inside(name))]);
        }
    }
}
