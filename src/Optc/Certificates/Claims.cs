using System.Collections.Immutable;

namespace Optc.Certificates;

/// <summary>What a certificate says, as read and not yet believed.</summary>
internal sealed record CertificateClaims(
    CertificateProfile Profile,
    Roundings Roundings,
    bool Enumerates,
    FileClaim Original,
    FileClaim Result,
    ImmutableArray<SubgraphClaims> Subgraphs,
    ImmutableArray<string> Warnings);

/// <summary>Where the result is promised to run.</summary>
internal enum CertificateProfile
{
    Portable,
    Micro,
}

internal sealed record FileClaim(long Bytes, string Sha256);

internal sealed record SubgraphClaims(
    int Subgraph,
    ImmutableArray<OperatorClaim> Operators,
    ImmutableArray<RemovedClaim> Removed,
    ImmutableArray<ChannelsClaim> Channels,
    ImmutableArray<BiasClaim> Biases,
    ImmutableArray<DuplicateClaim> Duplicates);

/// <summary>An operator of the result and the one of the original that it stands for.</summary>
/// <param name="Pad">The PAD of the original that became padding of this operator; -1 without <c>pad-fused</c>.</param>
internal sealed record OperatorClaim(int Result, int Original, ImmutableArray<string> Changes, int Pad);

/// <param name="Forwards">The value that readers get instead; null where the rule needs none.</param>
/// <param name="Into">The operator that took over a merged one; -1 for other rules.</param>
internal sealed record RemovedClaim(int Original, string Rule, string? Forwards, int Into);

internal sealed record ChannelsClaim(string Value, int Axis, int Count, ImmutableArray<DroppedChannel> Dropped);

/// <param name="Value">The constant that the channel always is; null where the rule claims none.</param>
/// <param name="Accumulator">Bounds of the producer's accumulator; null when not given.</param>
/// <param name="Of">The equal channel that stays; -1 for other rules than <c>duplicate</c>.</param>
internal sealed record DroppedChannel(int Channel, string Rule, long? Value, (long Low, long High)? Accumulator, int Of);

internal sealed record BiasClaim(int Original, int Channel, long Old, long New, ImmutableArray<BiasTerm> Terms);

internal sealed record BiasTerm(int Input, long Value, long Weights, long Sum);

internal sealed record DuplicateClaim(int Original, int Kept, int Added);

/// <summary>The names of the format.</summary>
internal static class ClaimWords
{
    public const string Format = "optc-shrink-certificate";
    public const int Version = 1;

    public const string ActivationDropped = "activation-dropped";
    public const string PadFused = "pad-fused";
    public const string ReshapeInputDropped = "reshape-input-dropped";
    public const string DepthMultiplier = "depth-multiplier";

    public const string Reshape = "reshape";
    public const string Quantize = "quantize";
    public const string DequantizeQuantize = "dequantize-quantize";
    public const string Merged = "merged";
    public const string Unused = "unused";

    public const string Unread = "unread";
    public const string Dead = "dead";
    public const string Fold = "fold";
    public const string FoldPadded = "fold-padded";
    public const string Duplicate = "duplicate";

    public static ImmutableArray<string> Changes { get; } = [ActivationDropped, PadFused, ReshapeInputDropped, DepthMultiplier];

    public static ImmutableArray<string> Removals { get; } = [Reshape, Quantize, DequantizeQuantize, PadFused, Merged, Unused];

    public static ImmutableArray<string> Rules { get; } = [Unread, Dead, Fold, FoldPadded, Duplicate];
}
