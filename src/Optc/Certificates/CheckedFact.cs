using System.Collections.Immutable;

namespace Optc.Certificates;

/// <summary>Something that was shown.</summary>
/// <param name="Check">Kind of statement: <c>files</c>, <c>container</c>, <c>interface</c>, <c>removed</c>, <c>channels</c>, <c>operator</c>.</param>
/// <param name="Place">File, subgraph and operator or value.</param>
public sealed record CheckedFact(string Check, string Place, string Statement);

/// <summary>A certificate that holds, with all that was shown on the way.</summary>
/// <param name="Profile">Where the result is promised to run: <c>portable</c>, or <c>mcu</c> for TensorFlow Lite Micro only.</param>
/// <param name="Roundings">The requantizations for which constants were shown.</param>
/// <param name="Method">How values were bounded: <c>intervals</c> or <c>enumeration</c>.</param>
/// <param name="Conditions">What the proof takes for granted, beside the arithmetic of the kernels.</param>
/// <param name="Warnings">What the certificate itself warns of.</param>
public sealed record CertificateVerification(
    string Profile,
    ImmutableArray<string> Roundings,
    string Method,
    long OriginalBytes,
    long ResultBytes,
    ImmutableArray<CheckedFact> Facts,
    ImmutableArray<string> Conditions,
    ImmutableArray<string> Warnings);
