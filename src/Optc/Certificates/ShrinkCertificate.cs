using System.Globalization;
using System.Security.Cryptography;
using Optc.Data;
using Optc.Formats;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Certificates;

/// <summary>
/// Replays the certificate of a lossless shrink: shows from the two files that the result answers as the original does, to the
/// last bit, for every input.
/// </summary>
/// <remarks>
/// It shares no code with what shrinks: it reads the records of the files, has its own arithmetic, and believes nothing that
/// the certificate says. What it does not understand it refuses.
/// </remarks>
public static class ShrinkCertificate
{
    /// <summary>Checks a certificate.</summary>
    /// <param name="certificate">JSON, UTF-8.</param>
    /// <param name="original">The file that was shrunk.</param>
    /// <param name="result">The file that takes its place.</param>
    /// <returns>All that was shown; a certificate that does not hold is an exception.</returns>
    /// <exception cref="DiagnosticException">
    /// The certificate or a file cannot be read, or they do not show what they should; one diagnostic with the first reason.
    /// </exception>
    public static CertificateVerification Verify(ReadOnlyMemory<byte> certificate, ReadOnlyMemory<byte> original, ReadOnlyMemory<byte> result)
    {
        CertificateClaims claims = CertificateReader.Read(certificate);
        Profiles(claims);
        List<CheckedFact> facts = [];
        HashSet<string> conditions = [];
        Hash(claims.Original, original, "original", facts);
        Hash(claims.Result, result, "result", facts);
        ContainerReplay.Run(claims, Read(original, "original"), Read(result, "result"), facts, conditions);
        return new(
            claims.Profile == CertificateProfile.Micro ? "mcu" : "portable",
            [.. Names(claims.Roundings)],
            claims.Enumerates ? "enumeration" : "intervals",
            original.Length,
            result.Length,
            [.. facts],
            [.. conditions.Order(StringComparer.Ordinal)],
            claims.Warnings);
    }

    /// <summary>As <see cref="Verify"/>, of files.</summary>
    /// <exception cref="DiagnosticException">As there, or a file cannot be opened.</exception>
    public static CertificateVerification VerifyFiles(string certificate, string original, string result) =>
        Verify(DataFile.Guard(certificate, () => File.ReadAllBytes(certificate)), DataFile.Guard(original, () => File.ReadAllBytes(original)), DataFile.Guard(result, () => File.ReadAllBytes(result)));

    private static IEnumerable<string> Names(Roundings roundings)
    {
        if ((roundings & Roundings.Double) != 0)
        {
            yield return "double";
        }

        if ((roundings & Roundings.Single) != 0)
        {
            yield return "single";
        }

        if ((roundings & Roundings.Float32) != 0)
        {
            yield return "float32";
        }
    }

    /// <summary>A file that may run anywhere needs constants that hold in every rounding there is.</summary>
    private static void Profiles(CertificateClaims claims)
    {
        Roundings needed = claims.Profile == CertificateProfile.Micro ? Roundings.Double : Roundings.Double | Roundings.Single | Roundings.Float32;
        if ((claims.Roundings & needed) != needed)
        {
            throw Refusal.Of(
                "the certificate does not cover the roundings of its profile", string.Join(", ", Names(claims.Roundings)), string.Join(", ", Names(needed)), "certificate", "roundings");
        }
    }

    private static void Hash(FileClaim claim, ReadOnlyMemory<byte> file, string name, List<CheckedFact> facts)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(file.Span));
        if (claim.Bytes != file.Length || claim.Sha256 != hash)
        {
            throw Refusal.Of(
                "a file is not the one that the certificate is about",
                string.Create(CultureInfo.InvariantCulture, $"{file.Length} bytes, SHA-256 {hash}"),
                string.Create(CultureInfo.InvariantCulture, $"{claim.Bytes} bytes, SHA-256 {claim.Sha256}"),
                name);
        }

        facts.Add(new("files", name, string.Create(CultureInfo.InvariantCulture, $"is the file of {file.Length} bytes that the certificate names")));
    }

    private static ModelRecord Read(ReadOnlyMemory<byte> file, string name)
    {
        try
        {
            return TfLiteFile.Read(file);
        }
        catch (MalformedDataException damage)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.MalformedFile, "the file breaks the rules of its format")
            {
                At = [name, damage.Path],
                Found = damage.Found,
                Expected = damage.Expected,
                Hint = "give two .tflite files: the one that was shrunk, then the result",
            });
        }
    }
}
