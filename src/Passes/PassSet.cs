using System.Collections.Immutable;
using Optc.Passes.Clean;
using Optc.Passes.Fold;
using Optc.Passes.Fuse;

namespace Optc.Passes;

/// <summary>Every optimizing pass, in alphabetical order. A pass that is not here does not exist.</summary>
public static class PassSet
{
    public static IPass FoldConstants { get; } = new RewritePass(
        "fold-constants", "computes what does not depend on the inputs", new FoldConstants());

    public static IPass FoldLayers { get; } = new RewritePass(
        "fold-layers",
        "folds batch normalization and other constants for each channel into weights and biases",
        new FoldScaleIntoLayer(),
        new FuseBias(),
        new FoldScaleIntoNextLayer(),
        new FoldOffsetIntoNextLayer(),
        new MultiplyByReciprocal());

    public static IPass FuseActivations { get; } = new RewritePass(
        "fuse-activations",
        "makes rectifiers the fused activation of the node before them",
        new RecognizeRectifier(),
        new FuseActivation());

    public static IPass FusePads { get; } = new RewritePass(
        "fuse-pads", "makes borders of zeros the padding of the convolution behind them", new FusePad());

    public static IPass MergeConstants { get; } = new MergeConstants();

    public static IPass MergeSubexpressions { get; } = new MergeSubexpressions();

    public static IPass RemoveDead { get; } = new RemoveDead();

    public static IPass RemoveIdentities { get; } = new RewritePass(
        "remove-identities",
        "removes nodes that give back their operand, and joins reshapes and transposes in a row",
        new MergeReshapes(),
        new MergeTransposes(),
        new RemoveReshape(),
        new RemoveTranspose(),
        new RemoveQuantize(),
        new RemovePad(),
        new RemoveSlice(),
        new RemoveStridedSlice(),
        new RemoveConcatenation(),
        new RemoveRepetition(),
        new RemoveResize(),
        new RemoveCast(),
        new RemoveNeutralOperand());

    public static ImmutableArray<IPass> All { get; } =
    [
        FoldConstants,
        FoldLayers,
        FuseActivations,
        FusePads,
        MergeConstants,
        MergeSubexpressions,
        RemoveDead,
        RemoveIdentities,
    ];

    /// <summary>Every rule of those passes, in the order in which they stand there.</summary>
    public static ImmutableArray<IRewriteRule> Rules { get; } = [.. All.OfType<RewritePass>().SelectMany(p => p.Rules)];

    /// <summary>The pass of that name, or <see langword="null"/>.</summary>
    public static IPass? Find(string name) => All.FirstOrDefault(p => p.Name == name);
}
