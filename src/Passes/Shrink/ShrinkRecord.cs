using System.Collections.Immutable;

namespace Optc.Passes.Shrink;

/// <summary>What was done to the main graph of a model, in the numbers of its original operators.</summary>
/// <remarks>A value is called <c>op3:0</c>, output 0 of operator 3, or <c>in0</c>, input 0 of the graph.</remarks>
public sealed record ShrinkRecord
{
    /// <summary>The operators of the result in order.</summary>
    public ImmutableArray<KeptOperator> Operators { get; init; } = [];

    /// <summary>The operators that are gone.</summary>
    public ImmutableArray<RemovedOperator> Removed { get; init; } = [];

    /// <summary>Activations that lost channels, in the order of the operators that make them.</summary>
    public ImmutableArray<NarrowedValue> Channels { get; init; } = [];

    /// <summary>Bias entries that took in constants.</summary>
    public ImmutableArray<ChangedBias> Biases { get; init; } = [];

    /// <summary>Weights of channels that took over those of equal ones.</summary>
    public ImmutableArray<MergedWeights> Duplicates { get; init; } = [];

    /// <summary>What users of the result should know.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];
}

/// <summary>An operator of the result.</summary>
/// <param name="Original">Its number in the original.</param>
/// <param name="Changes">Names of what differs besides slices, in ordinal order.</param>
/// <param name="Pad">Number of the PAD that it took in.</param>
public sealed record KeptOperator(int Original, ImmutableArray<string> Changes, int? Pad = null);

/// <summary>An operator that is gone.</summary>
/// <param name="Original">Its number in the original.</param>
/// <param name="Rule">Why: <c>reshape</c>, <c>quantize</c>, <c>dequantize-quantize</c>, <c>pad-fused</c>, <c>merged</c>, <c>unused</c>.</param>
/// <param name="Forwards">What its readers read instead.</param>
/// <param name="Into">Number of the operator that took it over.</param>
public sealed record RemovedOperator(int Original, string Rule, string? Forwards = null, int? Into = null);

/// <summary>An activation that lost channels.</summary>
/// <param name="Value">What the original calls it.</param>
/// <param name="Layer">Name of the node that makes it.</param>
/// <param name="Axis">Dimension along which it lost them.</param>
/// <param name="Count">Size of that dimension before.</param>
/// <param name="Dropped">In ascending order.</param>
public sealed record NarrowedValue(string Value, string Layer, int Axis, int Count, ImmutableArray<DroppedChannel> Dropped);

/// <summary>A channel that is gone.</summary>
/// <param name="Channel">Place along the axis in the original.</param>
/// <param name="Rule"><c>unread</c>, <c>dead</c>, <c>fold</c>, <c>fold-padded</c> or <c>duplicate</c>.</param>
/// <param name="Value">The raw integer that it always is.</param>
/// <param name="Accumulator">Smallest and largest sum of the layer that makes it.</param>
/// <param name="Of">The channel that it always equals.</param>
public sealed record DroppedChannel(int Channel, string Rule, int? Value = null, (long Low, long High)? Accumulator = null, int? Of = null);

/// <summary>A bias entry that took in constants.</summary>
/// <param name="Original">Number of the operator in the original.</param>
/// <param name="Channel">Output channel in the original.</param>
/// <param name="Terms">What it took in.</param>
public sealed record ChangedBias(int Original, int Channel, int Old, int New, ImmutableArray<FoldedTerm> Terms);

/// <summary>A constant input that went into a bias: <c>Sum = (Value - zero point) * Weights</c>.</summary>
/// <param name="Input">Place along the input dimension of the weights in the original.</param>
/// <param name="Weights">Sum of the weights over the taps.</param>
public sealed record FoldedTerm(int Input, int Value, long Weights, long Sum);

/// <summary>A channel whose readers count it for another one too.</summary>
/// <param name="Original">Number of the reading operator in the original.</param>
/// <param name="Kept">Place along the input dimension of its weights in the original.</param>
/// <param name="Added">Place of the equal channel.</param>
public sealed record MergedWeights(int Original, int Kept, int Added);
