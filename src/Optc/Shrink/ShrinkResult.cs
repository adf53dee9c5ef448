using System.Collections.Immutable;
using Optc.Backends.TfLite;
using Optc.Passes.Shrink;

namespace Optc.Shrink;

/// <summary>A smaller model and the account of it.</summary>
public sealed record ShrinkResult
{
    /// <summary>The model as it is read back from <see cref="File"/>.</summary>
    public required Model Model { get; init; }

    /// <summary>The <c>.tflite</c> file, never larger than the original.</summary>
    public required ReadOnlyMemory<byte> File { get; init; }

    /// <summary>The file as it was.</summary>
    public required ReadOnlyMemory<byte> Original { get; init; }

    /// <summary>What was done to the main graph.</summary>
    public required ShrinkRecord Record { get; init; }

    /// <summary>What was removed, and why that is exact.</summary>
    public required ImmutableArray<ShrinkStep> Steps { get; init; }

    /// <summary>JSON by which a checker can repeat the proof, UTF-8; which <see cref="Certificates.ShrinkCertificate"/> checks.</summary>
    public required ReadOnlyMemory<byte> Certificate { get; init; }

    /// <summary>Which runtimes load the file.</summary>
    public required TfLiteTarget Target { get; init; }

    /// <summary><c>intervals</c>, or <c>enumeration</c> of all inputs.</summary>
    public required string Method { get; init; }

    /// <summary>True when no layer computes with integers, so that all channels stay.</summary>
    public required bool IsFloat { get; init; }

    /// <summary>What users of the file should know.</summary>
    public ImmutableArray<string> Warnings => Record.Warnings;

    /// <summary>Weights of convolutions and dense layers.</summary>
    public required (long Before, long After) Weights { get; init; }

    /// <summary>Multiply-accumulates of one run of the main graph.</summary>
    public required (long Before, long After) Macs { get; init; }

    /// <summary>Arena that TFLite Micro needs, estimated, in bytes.</summary>
    public required (long Before, long After) Arena { get; init; }
}
