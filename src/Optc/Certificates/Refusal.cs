using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Certificates;

/// <summary>The diagnostics with which a certificate is turned down.</summary>
internal static class Refusal
{
    /// <summary>The files do not bear out what the certificate says.</summary>
    public static DiagnosticException Of(string message, string found, string expected, params ImmutableArray<string> at) =>
        new(new Diagnostic(DiagnosticId.CertificateRefused, message)
        {
            At = at,
            Found = found,
            Expected = expected,
            Hint = "do not deploy the result on the word of this certificate; run 'optc shrink' again on the original",
        });

    /// <summary>The certificate itself cannot be read.</summary>
    public static DiagnosticException Malformed(string message, string found, string expected, params ImmutableArray<string> at) =>
        new(new Diagnostic(DiagnosticId.MalformedCertificate, message)
        {
            At = at,
            Found = found,
            Expected = expected,
            Hint = "give the file that 'optc shrink --certificate' wrote, unchanged",
        });
}
