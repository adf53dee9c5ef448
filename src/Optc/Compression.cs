using System.Collections.Immutable;
using Optc.Ir;
using Optc.Training;

namespace Optc;

/// <summary>What quantization-aware training keeps, after what the model has when it begins.</summary>
public enum CompressionMode
{
    /// <summary>Weights are trained as they are.</summary>
    Plain,

    /// <summary>Zeros are made or kept.</summary>
    Pruning,

    /// <summary>Shared values are made or kept.</summary>
    Clustering,

    /// <summary>Both.</summary>
    SparseClustering,

    /// <summary>Quantization-aware training.</summary>
    Qat,

    /// <summary>It keeps zeros.</summary>
    Pqat,

    /// <summary>It keeps shared values.</summary>
    Cqat,

    /// <summary>It keeps both.</summary>
    Pcqat,
}

/// <summary>A run of training in a chain of optimizations.</summary>
/// <param name="Mode">What it resolved to.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="Joint">True when zeros, shared values and grids came about in one run.</param>
/// <param name="Skipped">Layers that it left alone.</param>
/// <param name="History">An entry for each epoch.</param>
public sealed record CompressionStage(
    CompressionMode Mode, string Reason, bool Joint, ImmutableArray<SkippedLayer> Skipped, ImmutableArray<EpochRecord> History);

/// <summary>What the next training of a model is to bring about.</summary>
internal sealed record CompressionIntent(Pruning? Pruning, Clustering? Clustering, QuantizationAware? Quantization)
{
    public static CompressionIntent None { get; } = new(null, null, null);

    // Of a run in which everything comes about at once: zeros first, then codes, then nothing changes any more but their values.
    private const double EndOfPruning = 0.4;
    private const double FreezeOfCodes = 0.85;

    public bool IsEmpty => this == None;

    /// <summary>Several at once: the parts of the run in which each does its work.</summary>
    public bool IsJoint => Clustering is not null && (Pruning is not null || Quantization is not null);

    /// <summary>Options of the run.</summary>
    public FitOptions Into(FitOptions how)
    {
        bool joint = IsJoint;
        return how with
        {
            Pruning = Pruning ?? how.Pruning,
            Clustering = joint && Clustering is { Begin: 0, Freeze: 1 }
                ? Clustering with { Begin = Pruning is null ? 0 : EndOfPruning, Freeze = FreezeOfCodes }
                : Clustering ?? how.Clustering,
            Quantization = Quantization ?? how.Quantization,
            RelativeRates = how.RelativeRates || !IsEmpty,
        };
    }

    /// <summary>Without training: zeros by magnitude, the best codes for the weights as they are.</summary>
    public Module InOneShot(Module module)
    {
        StructurePlan plan = new(new() { Pruning = Pruning, Clustering = Clustering }, module, ImmutableDictionary<Value, Runtime.Training.ActivationForm>.Empty);
        return plan.InOneShot(module);
    }

    public (CompressionMode Mode, string Reason) Resolve(Module module)
    {
        ImmutableArray<WeightStructure> structures = [.. module.Main.Nodes.SelectMany(n => n.Inputs).Select(v => v?.Constant?.Structure).OfType<WeightStructure>()];
        bool zeros = structures.Any(s => s.Mask is not null);
        bool codes = structures.Any(s => s.Codebook is not null);
        string why = string.Join(" and ", new[]
        {
            Pruning is not null ? "zeros are asked for" : zeros ? $"{structures.Count(s => s.Mask is not null)} weights have zeros" : null,
            Clustering is not null ? "shared values are asked for" : codes ? $"{structures.Count(s => s.Codebook is not null)} weights have shared values" : null,
        }.OfType<string>());
        (bool sparse, bool shared) = (zeros || Pruning is not null, codes || Clustering is not null);
        CompressionMode mode = (Quantization is not null, sparse, shared) switch
        {
            (true, true, true) => CompressionMode.Pcqat,
            (true, true, false) => CompressionMode.Pqat,
            (true, false, true) => CompressionMode.Cqat,
            (true, false, false) => CompressionMode.Qat,
            (false, true, true) => CompressionMode.SparseClustering,
            (false, true, false) => CompressionMode.Pruning,
            (false, false, true) => CompressionMode.Clustering,
            _ => CompressionMode.Plain,
        };
        return (mode, why.Length == 0 ? "no weight has zeros or shared values to keep" : why);
    }
}
