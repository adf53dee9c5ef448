using Optc.Ir;

namespace Optc.Architectures;

/// <summary>What a model that is made of an architecture looks like from outside, and how it begins.</summary>
public sealed record ArchitectureOptions
{
    public static ArchitectureOptions Default { get; } = new();

    /// <summary>Shape of one sample, [H, W, C] or [K], without the batch. Left out: that of the benchmark that the architecture comes from.</summary>
    public Shape? Input { get; init; }

    /// <summary>Classes to tell apart; left out: as many as that benchmark has. An autoencoder has none.</summary>
    public int? Classes { get; init; }

    /// <summary>
    /// Factor on the number of channels of every layer, above 0. Unless it is 1, numbers are rounded to multiples of 8, at least 8, and not below
    /// 90 % of the product, as MobileNetV2 does.
    /// </summary>
    public double Width { get; init; } = 1;

    /// <summary>False builds the layers with a bias and no batch normalization.</summary>
    public bool BatchNormalization { get; init; } = true;

    /// <summary>Of the weights: those of a layer are a function of the seed and its name.</summary>
    public ulong Seed { get; init; }

    /// <summary>For layers before a rectifier; the layer of the head begins with <see cref="Initializer.GlorotUniform"/>.</summary>
    public Initializer Initializer { get; init; } = Initializer.HeNormal;
}
