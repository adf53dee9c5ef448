using System.Collections.Immutable;
using Optc.Ir;
using Optc.Passes.Quantize;

namespace Optc.Passes.Prune;

/// <summary>Which weights of a model are pruned at all.</summary>
/// <remarks>The weights that are left alone stay as they are and do not count towards the sparsity of the model.</remarks>
public sealed record PruningSelection
{
    public static PruningSelection Default { get; } = new();

    /// <summary>Every weight that can be pruned.</summary>
    public static PruningSelection Everything { get; } = new() { Depthwise = true, Embedding = true };

    /// <summary>Depthwise weights; they are few and each is needed, so that they are pruned only by choice.</summary>
    public bool Depthwise { get; init; }

    public bool Dense { get; init; } = true;

    public bool Transposed { get; init; } = true;

    public bool Recurrent { get; init; } = true;

    /// <summary>Tables of embeddings.</summary>
    public bool Embedding { get; init; }

    /// <summary>The weights that read the inputs of the model.</summary>
    public bool First { get; init; } = true;

    /// <summary>The weights that make the outputs of the model.</summary>
    public bool Last { get; init; } = true;

    /// <summary>Regular expression found in the names of the layers that are pruned; all when <see langword="null"/>.</summary>
    public string? Only { get; init; }

    /// <summary>Regular expression found in the names of layers that are left alone; none when <see langword="null"/>.</summary>
    public string? Except { get; init; }

    /// <summary>Why each of the weights is left alone; <see langword="null"/> for those that are pruned.</summary>
    /// <exception cref="DiagnosticException">A pattern is no regular expression.</exception>
    public ImmutableArray<string?> Reasons(IReadOnlyList<PrunableWeight> weights)
    {
        LayerRule? only = Only is null ? null : new(Only);
        LayerRule? except = Except is null ? null : new(Except);
        return [.. weights.Select(w => Reason(w, only, except))];
    }

    private string? Reason(PrunableWeight weight, LayerRule? only, LayerRule? except) => weight switch
    {
        { WhyFixed: { } fixedBy } => fixedBy,
        { Role: WeightRole.Depthwise } when !Depthwise => "depthwise weights are pruned only by choice",
        { Role: WeightRole.Dense } when !Dense => "dense weights are left out by choice",
        { Role: WeightRole.Transposed } when !Transposed => "weights of transposed convolutions are left out by choice",
        { Role: WeightRole.Recurrent } when !Recurrent => "recurrent weights are left out by choice",
        { Role: WeightRole.Embedding } when !Embedding => "embeddings are pruned only by choice",
        { IsFirst: true } when !First => "it is the first layer, left out by choice",
        { IsLast: true } when !Last => "it is the last layer, left out by choice",
        _ when only is not null && !only.Matches(weight.Name) => $"its name does not match {only}",
        _ when except is not null && except.Matches(weight.Name) => $"its name matches {except}, left out by choice",
        _ => null,
    };
}
