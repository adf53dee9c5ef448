using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Gradients;
using Optc.Ops.Quantization;
using Optc.Passes.Cluster;
using Optc.Passes.Prune;
using Optc.Runtime.Training;

namespace Optc.Training;

/// <summary>What becomes of each weight of a model in a run: masks, codebooks, grids, and why nothing does.</summary>
internal sealed class StructurePlan
{
    private readonly FitOptions _options;
    private readonly Dictionary<Value, WeightPlace> _places = [];
    private readonly IReadOnlyDictionary<Value, ActivationForm> _activations;
    private readonly HashSet<Value> _pruned = [];

    /// <param name="module">What is trained.</param>
    /// <param name="activations">Grids of values of that graph; empty when training is not quantization-aware.</param>
    public StructurePlan(FitOptions options, Module module, IReadOnlyDictionary<Value, ActivationForm> activations)
    {
        (_options, _activations) = (options, activations);
        foreach ((PrunableWeight weight, string? reason) in options.Pruning?.Weights(module.Main) ?? [])
        {
            if (reason is null)
            {
                _pruned.Add(weight.Source!);
            }
            else
            {
                Skipped.Add(new(weight.Layer, "pruning", reason));
            }
        }

        foreach (Node node in module.Main.Nodes.Where(n => n.Op is IQuantizable))
        {
            foreach ((Value weight, WeightsRule rule) in Weights(module, node))
            {
                _places.TryAdd(weight, new(node, rule.Axis, rule.PerChannel && node.Op is not FullyConnected, node.Op is DepthwiseConv2D));
            }
        }
    }

    /// <summary>Where a weight stands.</summary>
    /// <param name="PerChannel">Whether integers of it have a scale for each channel.</param>
    private sealed record WeightPlace(Node Node, int Axis, bool PerChannel, bool IsDepthwise);

    /// <summary>Layers that clustering leaves alone, each with the reason.</summary>
    public List<SkippedLayer> Skipped { get; } = [];

    /// <summary>True for weights whose zeros, or whose pinned code, must stay.</summary>
    public bool IsMasked(TrainedVariable variable) =>
        variable.Operand is "codebook"
            ? _options.Clustering?.PinsZero != false
            : _pruned.Contains(variable.Source) || variable.Source.Constant?.Structure?.Mask is not null;

    /// <summary>The form of a weight in a phase of the run.</summary>
    public WeightForm? FormOf(TrainedVariable variable, StructurePhase phase)
    {
        if (variable.Rate == 0 || !_places.TryGetValue(variable.Source, out WeightPlace? place))
        {
            return null;
        }

        if (CodebookOf(variable) is { } plan)
        {
            return phase.Codebooks || variable.Source.Constant!.Structure?.Codebook is not null ? Codebook(variable, place, plan, phase) : null;
        }

        return _options.Quantization is { } aware ? new GridForm { Axis = place.Axis, PerChannel = place.PerChannel, Bits = aware.BitsOf(variable.Layer) } : null;
    }

    /// <summary>The codebooks that a weight is to have, or has; <see langword="null"/> for none.</summary>
    public CodebookPlan? CodebookOf(TrainedVariable variable)
    {
        if (variable.Operand is "codebook" or "log_scale" || variable.Rate == 0 || !_places.TryGetValue(variable.Source, out WeightPlace? place))
        {
            return null;
        }

        if (_options.Clustering is { } clustering)
        {
            int codes = clustering.CodesOf(variable);
            if (codes == 0 || (place.IsDepthwise && !clustering.Depthwise && !clustering.Rules.Any(r => r.Matches(variable.Layer))))
            {
                return null;
            }

            int groups = clustering.GroupsFor(variable.Shape[place.Axis]);
            return new(groups > 1 ? (int)Math.Min(codes, Math.Max(2, variable.Shape.ElementCount / groups / 2)) : codes, place.Axis)
            {
                Groups = groups,
                PerChannel = clustering.OnGrid && place.PerChannel,
                Largest = clustering.OnGrid ? LargestOf(variable) : 0,
                PinsZero = clustering.PinsZero,
                Initializer = clustering.Initializer,
            };
        }

        return variable.Source.Constant?.Structure is { Codebook: { } book } structure
            ? new(book.Codes, place.Axis)
            {
                Groups = book.Groups,
                PerChannel = structure.Grid is { Scales.Length: > 1 },
                Largest = structure.Grid?.Largest ?? 0,
                PinsZero = book.PinsZero,
            }
            : null;
    }

    /// <summary>
    /// Learning rate of a weight as a multiple of that of the run: in proportion to its magnitude, so that one rate serves layers
    /// whose weights differ by orders of magnitude; weights in units of their scales have it already.
    /// </summary>
    private float RateOf(TrainedVariable variable, StructurePhase phase)
    {
        if (!_options.RelativeRates || !_places.ContainsKey(variable.Source) || FormOf(variable, phase) is CodebookForm { Bits: > 0 })
        {
            return 1;
        }

        ReadOnlySpan<float> w = variable.Source.Constant!.ToDense().AsFloats();
        float magnitude = w.IsEmpty ? 1 : System.Numerics.Tensors.TensorPrimitives.Norm(w) / MathF.Sqrt(w.Length);
        return magnitude > 0 ? Clustering.UnitRate * magnitude : 1;
    }

    /// <summary>Options of the steps of a phase.</summary>
    public TrainingOptions For(TrainingOptions step, StructurePhase phase)
    {
        bool structured = _options.Clustering is not null || _options.Quantization is not null;
        return step with
        {
            Masked = IsMasked,
            RateOf = v => RateOf(v, phase),
            Forms = v => FormOf(v, phase),
            Activations = _activations,
            FreezeStatistics = phase.FrozenStatistics,
            Project = structured ? (e, v, value) => KeepPositive(e, v, step.Project?.Invoke(e, v, value) ?? value) : step.Project,
        };
    }

    /// <summary>A copy of a module whose weights have what the plan asks for, without training.</summary>
    public Module InOneShot(Module module)
    {
        Module result = module.Clone();
        Dictionary<Value, bool[]> masks = [];
        if (_options.Pruning is { } pruning)
        {
            ImmutableArray<PrunableWeight> weights = [.. pruning.Weights(module.Main).Where(w => w.Reason is null).Select(w => w.Weight)];
            masks = weights.Zip(MaskKeeper.Masks(pruning, weights, pruning.Schedule.Final)).ToDictionary(p => p.First.Source!, p => p.Second);
        }

        Dictionary<Value, Value> copies = module.Main.Values().Zip(result.Main.Values()).ToDictionary(p => p.First, p => p.Second);
        foreach ((Value weight, WeightPlace place) in _places)
        {
            TrainedVariable variable = new($"{place.Node.Name}/w", place.Node.Name, "w", weight, 1);
            if (OneShot(variable, place, masks.GetValueOrDefault(weight)) is { } content)
            {
                Value copy = copies[weight];
                Value changed = GraphPatch.Constant(content, weight.Name);
                foreach (Node user in copy.Users.Distinct().ToArray())
                {
                    GraphPatch patch = new();
                    for (int i = 0; i < user.Inputs.Length; i++)
                    {
                        if (user.Inputs[i] == copy)
                        {
                            patch.SetInput(user, i, changed);
                        }
                    }

                    patch.ApplyTo(result, result.Main, user);
                }
            }
        }

        return result;
    }

    private TensorData? OneShot(TrainedVariable variable, WeightPlace place, bool[]? kept)
    {
        TensorData weight = variable.Source.Constant!.ToDense();
        SparsityMask? mask = weight.Structure?.Mask;
        float[] w = weight.AsFloats().ToArray();
        if (kept is not null)
        {
            w = [.. w.Zip(kept, (v, k) => k ? v : 0)];
            mask = new(_options.Pruning!.Pattern.Name, [.. kept]);
        }

        WeightStructure structure = (weight.Structure ?? new()) with { Mask = mask };
        weight = TensorData.FromFloats(weight.Shape, w).With(structure);
        if (_options.Clustering is not null && CodebookOf(variable) is { } plan)
        {
            ReadOnlySpan<bool> staying = mask is null ? default : mask.Kept.AsSpan();
            CodebookStart start = CodebookStart.Of(weight, plan, staying);
            start = _options.Clustering is { BitPrice: > 0 } priced
                ? EntropyClusters.Refine(start, weight.Shape, plan, priced.BitPrice, priced.Coder, staying).Start
                : start;
            return StructuredWeights.FromCodebook(
                weight.Shape, Codebook(variable, place, plan, default), start.Index, start.Values, start.Steps, start.LogScale, mask);
        }

        return mask is null || mask == variable.Source.Constant!.Structure?.Mask ? null : weight;
    }

    /// <summary>Notes why weights have no codebook although clustering is asked for.</summary>
    public void Explain(ImmutableArray<TrainedVariable> variables)
    {
        if (_options.Clustering is not { } clustering)
        {
            return;
        }

        foreach (TrainedVariable variable in variables.Where(v => v.Operand is "w" || _places.ContainsKey(v.Source)))
        {
            if (CodebookOf(variable) is null && !variable.Source.Type.Shape.Equals(Shape.Scalar))
            {
                Skipped.Add(new(variable.Layer, "clustering", Reason(variable, clustering)));
            }
        }
    }

    private string Reason(TrainedVariable variable, Clustering clustering) =>
        variable.Rate == 0 ? "the layer is frozen"
        : !_places.TryGetValue(variable.Source, out WeightPlace? place) ? "the operator has no rule for integer weights"
        : clustering.CodesOf(variable) == 0 ? "a rule leaves it alone"
        : place.IsDepthwise ? "depthwise weights are few and dear; they are clustered on request only"
        : "it has no codebook";

    private CodebookForm Codebook(TrainedVariable variable, WeightPlace place, CodebookPlan plan, StructurePhase phase)
    {
        Clustering how = _options.Clustering ?? new(plan.Codes);
        int bits = plan.Largest == 0 ? 0 : System.Numerics.BitOperations.Log2((uint)plan.Largest + 1) + 1;
        return new()
        {
            Axis = plan.Axis,
            Bits = bits,
            PerChannel = plan.PerChannel,
            Codes = plan.Codes,
            Groups = plan.Groups,
            PinsZero = plan.PinsZero,
            AveragesGradients = how.AveragesGradients,
            IsFrozen = phase.FrozenCodes,
            LatentRate = plan.Largest == 0 ? 1 : how.LatentRate,
            CodebookRate = plan.Largest == 0 ? 1 : how.CodebookRate,
            ScaleRate = plan.Largest == 0 ? 0 : how.ScaleRate,
            Rounding = plan.Largest == 0 && _options.Quantization is { } aware
                ? new(aware.BitsOf(variable.Layer), place.PerChannel ? place.Axis : -1)
                : null,
        };
    }

    private int LargestOf(TrainedVariable variable) => (1 << ((_options.Quantization?.BitsOf(variable.Layer) ?? 8) - 1)) - 1;

    // A normalization that changes its sign would turn the codes of its channel into their opposites.
    private static Value KeepPositive(Expressions e, TrainedVariable variable, Value value) =>
        variable.Operand is "gamma" ? e.Add(new Maximum(), value, e.Scalar(1e-4f)) : value;

    private static IEnumerable<(Value Weight, WeightsRule Rule)> Weights(Module module, Node node)
    {
        QuantRule rule;
        try
        {
            rule = ((IQuantizable)node.Op).QuantRule(OpOperands.Of(node, module.FindGraph));
        }
        catch (OpRuleException)
        {
            yield break;
        }

        for (int i = 0; i < Math.Min(rule.Inputs.Length, node.Inputs.Length); i++)
        {
            if (rule.Inputs[i] is WeightsRule weights && node.Inputs[i] is { Constant.DType: DType.F32 } value)
            {
                yield return (value, weights);
            }
        }
    }
}

/// <summary>What holds in a part of a run.</summary>
/// <param name="Codebooks">New codebooks are on.</param>
/// <param name="FrozenCodes">Weights keep their codes.</param>
/// <param name="FrozenStatistics">Batch normalization uses its moving statistics.</param>
internal readonly record struct StructurePhase(bool Codebooks, bool FrozenCodes, bool FrozenStatistics);
