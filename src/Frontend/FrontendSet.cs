using System.Collections.Immutable;
using Optc.Frontend.TfLite;
using Optc.Ir;

namespace Optc.Frontend;

/// <summary>Every kind of file that optc reads.</summary>
public static class FrontendSet
{
    public static ImmutableArray<IFrontend> All { get; } = [new TfLiteFrontend()];

    /// <summary>Reads a file of whatever kind its first bytes say, and verifies the graphs.</summary>
    /// <exception cref="DiagnosticException">Of no known kind, damaged, or not supported.</exception>
    public static Module Read(ReadOnlyMemory<byte> file, string name)
    {
        foreach (IFrontend frontend in All)
        {
            if (frontend.Recognizes(file.Span))
            {
                return frontend.Read(file, name);
            }
        }

        throw new DiagnosticException(new Diagnostic(DiagnosticId.UnknownFormat, "the file is of no kind that optc reads")
        {
            At = [name],
            Found = file.IsEmpty ? "an empty file" : $"the first bytes {Convert.ToHexString(file.Span[..Math.Min(8, file.Length)])}",
            Expected = string.Join(" or ", All.Select(f => f.Name)),
        });
    }
}
