using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Quantize;

namespace Optc.Passes.Prune;

/// <summary>Repairs a float model after some of its weights were changed, with calibration data alone: no labels, no training.</summary>
/// <remarks>
/// Every convolution and dense layer, in execution order, gets the weights by which it comes nearest to the results of the original from what it
/// reads behind the changed and repaired layers before it: least squares, as channel pruning does it layer by layer. Zeros stay zeros. Source: He, Zhang
/// and Sun, "Channel pruning for accelerating very deep neural networks", 2017.
/// </remarks>
public static class Realignment
{
    /// <summary>A copy of the changed model with repaired weights.</summary>
    /// <param name="changed">The same nodes as the original with other constants.</param>
    /// <param name="original">The model whose results are wanted.</param>
    /// <param name="threads">Threads, at least 1; the result does not depend on it.</param>
    /// <returns>Layers in front of the first change, with shared, computed or integer weights, or with a codebook, keep their weights.</returns>
    /// <exception cref="ArgumentException">The models have other nodes.</exception>
    /// <exception cref="DiagnosticException">The data do not fit the model.</exception>
    public static Module Apply(
        Module changed, Module original, ICalibrationSource source, double damping = OptimalBrainSurgeon.DefaultDamping, int threads = 1, CancellationToken cancellation = default)
    {
        if (!changed.Main.Nodes.Select(n => n.Op).SequenceEqual(original.Main.Nodes.Select(n => n.Op)))
        {
            throw new ArgumentException("The models have other nodes.", nameof(changed));
        }

        Module copy = changed.Clone();
        Dictionary<Value, PrunableWeight> wanted = PrunableWeight.Of(original.Main).ToDictionary(w => w.Source!);
        bool isChanged = false;
        foreach ((Node node, Node before) in copy.Main.Nodes.ToArray().Zip(original.Main.Nodes))
        {
            isChanged |= node.Inputs.Zip(before.Inputs).Any(p => p.First?.Constant is { } now && p.Second?.Constant is { } then && !now.Bytes.Span.SequenceEqual(then.Bytes.Span));
            if (!isChanged || !CanRepair(node) || !wanted.TryGetValue(before.Inputs[1]!, out PrunableWeight? weight) || weight.WhyFixed is not null)
            {
                continue;
            }

            Value value = node.Inputs[1]!;
            InputCorrelation read = InputCorrelation.Observe(copy, original, source, node, cancellation);
            bool[] mask = Array.ConvertAll(value.Constant!.ToDense().AsFloats().ToArray(), w => w != 0);
            Surgery repaired = OptimalBrainSurgeon.Adapt(OptimalBrainSurgeon.Realign(weight, read, damping), mask, read, damping, threads);
            GraphPatch patch = new();
            patch.SetInput(node, 1, GraphPatch.Constant(
                TensorData.FromFloats(value.Type.Shape, repaired.Values).With(value.Constant.Structure), value.Name));
            patch.ApplyTo(copy, copy.Main, node);
        }

        Verifier.ThrowIfBroken(copy);
        return copy;
    }

    private static bool CanRepair(Node node) => node.Op is Conv2D or DepthwiseConv2D or FullyConnected
        && node.Inputs[1] is { UseCount: 1, Type.DType: DType.F32, Constant: { Structure: null or { Codebook: null, Grid: null } } };
}
