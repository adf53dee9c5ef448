using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Optc.Ir;

namespace Optc.Backends.CArray;

/// <summary>Writes a file as an aligned C byte array, to be linked into firmware.</summary>
/// <remarks>The text is a function of content and options alone: no clock, no host, no culture.</remarks>
public static class CArrayBackend
{
    /// <summary>Everything that is wrong with the options.</summary>
    public static ImmutableArray<Diagnostic> Check(CArrayOptions options) => CIdentifier.IsValid(options.Symbol)
        ? []
        :
        [
            new(DiagnosticId.InvalidOption, "the array name is no C identifier")
            {
                Found = options.Symbol,
                Expected = "a letter or '_', then letters, digits or '_'; no keyword of C or C++ and no reserved name",
                Hint = $"--symbol {CIdentifier.Suggest(options.Symbol)}",
            },
        ];

    /// <summary>The C files for a model file.</summary>
    /// <param name="length">Bytes of the model file.</param>
    /// <param name="writeModel">Writes the model file.</param>
    /// <exception cref="DiagnosticException">The symbol is no C identifier.</exception>
    public static ArtifactSet Emit(long length, Action<Stream> writeModel, CArrayOptions options)
    {
        ImmutableArray<Diagnostic> problems = Check(options);
        if (!problems.IsEmpty)
        {
            throw new DiagnosticException(problems);
        }

        string symbol = options.Symbol;
        string count = length.ToString(CultureInfo.InvariantCulture);
        return options.Style is CArrayStyle.XxdHeader
            ? new([new($"{symbol}.h", stream => WriteArray(stream, XxdStart(symbol), writeModel, XxdEnd(symbol, count)))])
            : new(
            [
                new($"{symbol}.h", stream => stream.Write(Encoding.ASCII.GetBytes(Header(symbol, count)))),
                new($"{symbol}.c", stream => WriteArray(stream, SourceStart(symbol, count), writeModel, SourceEnd(symbol, count))),
            ]);
    }

    private static void WriteArray(Stream stream, string start, Action<Stream> writeModel, string end)
    {
        stream.Write(Encoding.ASCII.GetBytes(start));
        using (HexWriter hex = new(stream))
        {
            writeModel(hex);
            hex.Flush();
        }

        stream.Write(Encoding.ASCII.GetBytes(end));
    }

    private static string Guard(string symbol) => $"{symbol.ToUpperInvariant()}_H";

    private static string Header(string symbol, string count) =>
        $"""
        #ifndef {Guard(symbol)}
        #define {Guard(symbol)}

        #ifdef __cplusplus
        extern "C" {"{"}
        #endif

        /* The model, {count} bytes, aligned to 16. */
        extern const unsigned char {symbol}[{count}];
        extern const unsigned int {symbol}_len;

        #ifdef __cplusplus
        {"}"}
        #endif

        #endif

        """;

    private static string SourceStart(string symbol, string count) =>
        $$"""
        #include "{{symbol}}.h"

        #if defined(__cplusplus) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L)
        #define {{symbol}}_ALIGN(bytes) alignas(bytes)
        #elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
        #define {{symbol}}_ALIGN(bytes) _Alignas(bytes)
        #elif defined(__GNUC__)
        #define {{symbol}}_ALIGN(bytes) __attribute__((aligned(bytes)))
        #else
        #error "This compiler has no known way to align an array."
        #endif

        {{symbol}}_ALIGN(16) const unsigned char {{symbol}}[{{count}}] = {
        """;

    private static string SourceEnd(string symbol, string count) =>
        $$"""

        };
        const unsigned int {{symbol}}_len = {{count}};

        """;

    private static string XxdStart(string symbol) =>
        $$"""
        #ifndef {{Guard(symbol)}}
        #define {{Guard(symbol)}}

        #ifndef __cplusplus
        #include <stdalign.h>
        #endif

        alignas(8) const unsigned char {{symbol}}[] = {
        """;

    private static string XxdEnd(string symbol, string count) =>
        $$"""

        };
        const unsigned int {{symbol}}_len = {{count}};

        #endif

        """;
}
