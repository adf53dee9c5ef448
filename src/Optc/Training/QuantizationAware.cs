using System.Collections.Immutable;
using Optc.Passes.Quantize;
using Optc.Runtime.Training;

namespace Optc.Training;

/// <summary>How the ranges of activations come about while training.</summary>
public enum RangeLearning
{
    /// <summary>Trained by the gradient of their step, from calibration on.</summary>
    Learned,

    /// <summary>Moving extremes of batches, from calibration on.</summary>
    MovingAverage,

    /// <summary>As calibration found them.</summary>
    Fixed,
}

/// <summary>
/// Quantization-aware training: the forward pass rounds weights and activations as the integer model will, where it will.
/// </summary>
/// <remarks>
/// The places and grids come from the quantizer's own plan, made with samples of the training data; trained ranges stay with the
/// model, so that its quantization needs no data. On a model with zeros or codebooks this is sparsity- or cluster-preserving training.
/// </remarks>
public sealed record QuantizationAware
{
    public static QuantizationAware Default { get; } = new();

    /// <summary>Static; its rules and estimators hold for the plan and the quantization that follows.</summary>
    public QuantizationRecipe Recipe { get; init; } = QuantizationRecipe.StaticInt8;

    /// <summary>Bits of weights, 2 to 8.</summary>
    public int WeightBits { get; init; } = 8;

    /// <summary>Other bits for layers whose names match; the last that matches counts.</summary>
    public ImmutableArray<LayerBits> Rules { get; init; } = [];

    public RangeLearning Ranges { get; init; }

    /// <summary>Weight of the past in moving extremes.</summary>
    public float Momentum { get; init; } = 0.99f;

    /// <summary>Learning rate of the logarithms of steps, as a multiple of that of the run.</summary>
    public float RangeRate { get; init; } = 2;

    /// <summary>Training samples that calibration sees.</summary>
    public int CalibrationSamples { get; init; } = 256;

    /// <summary>Part of the run after which batch normalization uses its moving statistics; 1 for never.</summary>
    public double FreezeStatistics { get; init; } = 0.7;

    internal int BitsOf(string layer) => Rules.LastOrDefault(r => r.Matches(layer))?.Bits ?? WeightBits;
}

/// <summary>Bits of the weights of the layers whose names match.</summary>
/// <param name="Pattern">Regular expression that is looked for anywhere in the name of a layer.</param>
/// <param name="Bits">2 to 8.</param>
public sealed record LayerBits(string Pattern, int Bits)
{
    private readonly LayerRate _pattern = new(Pattern, 1);

    public bool Matches(string layer) => _pattern.Matches(layer);
}
