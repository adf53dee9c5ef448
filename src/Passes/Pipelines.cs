using System.Collections.Immutable;

namespace Optc.Passes;

/// <summary>The pipelines a user can name. Read a list from top to bottom: that is the order.</summary>
public static class Pipelines
{
    /// <summary>Fewer nodes and constants, the same bits: every result is what the interpreter computed before.</summary>
    /// <remarks>For finite numbers: TFLite's kernels limit infinite results of arithmetic, which a removed node no longer does.</remarks>
    public static Pipeline Simplify { get; } = new(
        "simplify",
        [
            PassSet.RemoveDead,
            PassSet.FoldConstants,
            PassSet.RemoveIdentities,
            PassSet.MergeSubexpressions,
            PassSet.MergeConstants,
        ],
        [
            new("remove-dead", "fold-constants", Because: "nobody needs the constants that only dead nodes read"),
            new("fold-constants", "remove-identities", Because: "a computed shape or permutation becomes a constant, which a rule can read"),
            new("remove-identities", "merge-subexpressions", Because: "nodes that read a value and its copy are equal only without the copy"),
        ]);

    /// <summary>A float model as its integer kernels will compute it: batch normalization, activations and borders in the layers.</summary>
    /// <remarks>Float results change within rounding, since products are taken in another order.</remarks>
    public static Pipeline PrepareForQuantization { get; } = new(
        "prepare-for-quantization",
        [
            PassSet.RemoveDead,
            PassSet.FoldConstants,
            PassSet.RemoveIdentities,
            PassSet.MergeSubexpressions,
            PassSet.FoldLayers,
            PassSet.FusePads,
            PassSet.FuseActivations,
            PassSet.MergeConstants,
        ],
        [
            new("remove-dead", "fold-layers", Because: "a reader that leads nowhere counts as another use of what it reads"),
            new("fold-constants", "fold-layers", Because: "scale and offset of a normalization may be computed from its statistics"),
            new("fold-constants", "remove-identities", Because: "a computed shape or permutation becomes a constant, which a rule can read"),
            new("remove-identities", "merge-subexpressions", Because: "nodes that read a value and its copy are equal only without the copy"),
            new("remove-identities", "fold-layers", Because: "a reshape that does nothing may stand between a layer and its normalization"),
            new("merge-subexpressions", "fold-layers", Because: "a layer with two equal readers has one afterwards and can take it in"),
            new("fold-layers", "fuse-pads", Because: "an offset before a convolution can be folded only while nothing is padded"),
            new("fold-layers", "fuse-activations", Because: "an activation fused first would bar the folding"),
            new("fold-layers", "merge-constants", Because: "weights that two layers share are not scaled"),
        ]);

    public static ImmutableArray<Pipeline> All { get; } = [Simplify, PrepareForQuantization];

    /// <summary>The pipeline of that name, or <see langword="null"/>.</summary>
    public static Pipeline? Find(string name) => All.FirstOrDefault(p => p.Name == name);
}
