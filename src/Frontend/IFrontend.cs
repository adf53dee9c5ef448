using Optc.Ir;

namespace Optc.Frontend;

/// <summary>Reads one kind of file.</summary>
public interface IFrontend
{
    /// <summary>Name for messages and <c>--from</c>, e.g. <c>tflite</c>.</summary>
    string Name { get; }

    /// <summary>True when the first bytes are those of this kind of file.</summary>
    bool Recognizes(ReadOnlySpan<byte> start);

    /// <summary>Makes a module of the file.</summary>
    /// <param name="file">The whole file; the module may keep slices of it.</param>
    /// <param name="name">File name for diagnostics.</param>
    /// <exception cref="DiagnosticException">The file is damaged, or asks for something that is not supported.</exception>
    Module Read(ReadOnlyMemory<byte> file, string name);
}
