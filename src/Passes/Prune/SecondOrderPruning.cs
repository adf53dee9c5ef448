using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Quantize;

namespace Optc.Passes.Prune;

/// <summary>How a whole model is pruned by second order.</summary>
public sealed record SecondOrderOptions
{
    /// <summary>How zeros are spread over the layers.</summary>
    public SparsityDistribution Distribution { get; init; } = SparsityDistribution.Uniform;

    public PruningSelection Selection { get; init; } = PruningSelection.Default;

    /// <summary>Scores by which the distribution compares layers; second order itself when left out.</summary>
    public PruningCriterion? Criterion { get; init; }

    /// <summary>
    /// So many of each group along the input channels, in every layer alike: 2 of 4. The sparsity and the distribution then say nothing. Weights without
    /// input channels of their own are left alone.
    /// </summary>
    public (int Dropped, int Group)? Groups { get; init; }

    /// <summary>Part of the mean of the diagonal that is added to each Hessian.</summary>
    public double Damping { get; init; } = OptimalBrainSurgeon.DefaultDamping;

    /// <summary>Multiplications that a layer may cost: one with O outputs of K numbers takes O * K^3 / 3; a larger one is pruned by columns.</summary>
    public double Budget { get; init; } = 2e10;

    /// <summary>Threads, at least 1; the result does not depend on it.</summary>
    public int Threads { get; init; } = 1;
}

/// <summary>What second order made of a weight.</summary>
/// <param name="Plan">Zeros, or why the weight was left alone.</param>
/// <param name="Error">Squared error of the layer's result before bias and activation, relative to its square; 0 where nothing was pruned, no number where it is not known.</param>
/// <param name="Note">Why it was pruned by magnitude, without adapting the rest; <see langword="null"/> otherwise.</param>
public sealed record SecondOrderLayer(PlannedSparsity Plan, double Error, string? Note);

/// <summary>Prunes a trained float model with calibration data alone: no labels, no training.</summary>
/// <remarks>
/// One layer after the other, in execution order: what it reads is observed behind the layers that are pruned already, its weights are brought as
/// near as they can to the results that it had before any was, and then pruned (<see cref="OptimalBrainSurgeon"/>). Each layer takes two runs over the
/// calibration data.
/// </remarks>
public static class SecondOrderPruning
{
    /// <summary>A copy of the model in which so much of the pruned weights is zero, and what was done to each weight.</summary>
    /// <param name="sparsity">Wanted in all pruned weights together, 0 to below 1.</param>
    /// <exception cref="DiagnosticException">There is nothing to prune, or the data do not fit the model.</exception>
    public static (Module Module, ImmutableArray<SecondOrderLayer> Layers) Apply(
        Module module, ICalibrationSource source, double sparsity, SecondOrderOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new();
        Module copy = module.Clone();
        ImmutableArray<PrunableWeight> weights = PrunableWeight.Of(copy.Main);
        Dictionary<Value, Node> layers = weights.Where(w => w.WhyFixed is null && WhyFirstOrder(w) is null).ToDictionary(w => w.Source!, w => w.Source!.Users[0]);
        IReadOnlyDictionary<Node, InputCorrelation> observed = InputCorrelation.Observe(copy, source, layers.Values, cancellation);
        Dictionary<Value, InputCorrelation> inputs = layers.ToDictionary(l => l.Key, l => observed[l.Value]);
        PruningCriterion criterion = options.Criterion ?? PruningCriterion.SecondOrder(inputs, options.Damping);
        ImmutableArray<PlannedSparsity> plan = options.Groups is { } groups
            ? InGroups(options.Distribution.Plan(weights, 0, options.Selection, criterion), groups.Dropped, groups.Group)
            : options.Distribution.Plan(weights, sparsity, options.Selection, criterion).Layers;

        ImmutableArray<SecondOrderLayer>.Builder done = ImmutableArray.CreateBuilder<SecondOrderLayer>();
        bool isChanged = false;
        foreach (PlannedSparsity layer in plan)
        {
            cancellation.ThrowIfCancellationRequested();
            if (layer.Reason is not null || layer.Zeros == 0)
            {
                done.Add(new(layer, 0, null));
                continue;
            }

            PrunableWeight weight = layer.Weight;
            if (inputs.ContainsKey(weight.Source!))
            {
                Node node = weight.Source!.Users[0];
                InputCorrelation read = isChanged ? InputCorrelation.Observe(copy, module, source, node, cancellation) : inputs[weight.Source];
                PrunableWeight aligned = isChanged ? OptimalBrainSurgeon.Realign(weight, read, options.Damping) : weight;
                Surgery surgery = Operate(aligned, read, layer.Zeros, options);
                Exchange(copy, weight.Source!, surgery.Mask, surgery.Values, options.Groups);
                double whole = OptimalBrainSurgeon.Error(aligned, new float[weight.Values.Length], read, options.Damping);
                done.Add(new(layer, whole > 0 ? surgery.Error / whole : 0, null));
            }
            else
            {
                bool[] mask = options.Groups is { } some
                    ? PruningMask.OfGroups(PruningCriterion.Magnitude.Scores(weight), weight.Kernel, some.Dropped, some.Group)
                    : layer.Mask();
                float[] values = [.. weight.Values.ToArray().Zip(mask, (w, k) => k ? w : 0)];
                done.Add(new(layer, double.NaN, WhyFirstOrder(weight)));
                Exchange(copy, weight.Source!, mask, values, options.Groups);
            }

            isChanged = true;
        }

        Verifier.ThrowIfBroken(copy);
        return (copy, done.ToImmutable());
    }

    /// <summary>The zeros that groups ask for, which follow from the shapes.</summary>
    private static ImmutableArray<PlannedSparsity> InGroups(SparsityPlan plan, int dropped, int group) =>
    [
        .. plan.Layers.Select(l => l.Reason is not null ? l
            : l.Weight.Kernel.Inputs == 1 ? l with { Reason = "its outputs read a single channel, so that there are no groups" }
            : l with { Zeros = PruningMask.OfGroups(new float[l.Weight.Values.Length], l.Weight.Kernel, dropped, group).Count(k => !k) }),
    ];

    private static Surgery Operate(PrunableWeight weight, InputCorrelation inputs, int zeros, SecondOrderOptions options)
    {
        if (options.Groups is { } groups)
        {
            return OptimalBrainSurgeon.PruneGroups(weight, inputs, groups.Dropped, groups.Group, options.Damping, options.Threads);
        }

        double cost = weight.Kernel.Outputs * Math.Pow(inputs.Length, 3) / 3;
        return cost <= options.Budget
            ? OptimalBrainSurgeon.Prune(weight, inputs, zeros, options.Damping, options.Threads)
            : OptimalBrainSurgeon.PruneByColumns(weight, inputs, zeros, options.Damping, threads: options.Threads);
    }

    /// <summary>Why what a weight reads is not known, so that only its magnitudes are.</summary>
    private static string? WhyFirstOrder(PrunableWeight weight) => weight.Source switch
    {
        { UseCount: > 1 } => "several layers read these weights",
        { } source when source.Users[0].Op is not (Conv2D or DepthwiseConv2D or FullyConnected) => $"the second order of {source.Users[0].Op.Title} is not known",
        _ => null,
    };

    private static void Exchange(Module module, Value old, bool[] mask, float[] values, (int Dropped, int Group)? groups)
    {
        string pattern = groups is { } some ? FormattableString.Invariant($"{some.Dropped}:{some.Group}") : "elements";
        WeightStructure structure = new() { Mask = new(pattern, [.. mask]) };
        Value now = GraphPatch.Constant(TensorData.FromFloats(old.Type.Shape, values).With(structure), old.Name);
        foreach (Node user in old.Users.Distinct().ToArray())
        {
            GraphPatch patch = new();
            for (int i = 0; i < user.Inputs.Length; i++)
            {
                if (user.Inputs[i] == old)
                {
                    patch.SetInput(user, i, now);
                }
            }

            patch.ApplyTo(module, module.Main, user);
        }
    }
}
