using Optc.Numerics;

namespace Optc.Training.Augmentations;

/// <summary>Blends a sample with another and their labels alike.</summary>
/// <param name="Alpha">In [0.1, 2]; the smaller, the nearer the weight is to 0 or 1.</param>
/// <remarks>
/// The weight is of the distribution Beta(alpha, alpha). Sources: Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018; Jöhnk,
/// "Erzeugung von betaverteilten und gammaverteilten Zufallszahlen", Metrika 1964.
/// </remarks>
public sealed record Mixup(double Alpha) : MixingAugmentation
{
    public override bool MixesTargets => true;

    public override string ToString() => Text("mixup", Alpha);

    internal override float DrawWeight(SplitMix64 random)
    {
        while (true)
        {
            // 1 - u is never zero, and its logarithm is above -37.
            double x = PortableMath.Exp(PortableMath.Log(1 - random.NextUnit()) / Alpha);
            double y = PortableMath.Exp(PortableMath.Log(1 - random.NextUnit()) / Alpha);
            if (x + y <= 1)
            {
                return (float)(x / (x + y));
            }
        }
    }
}

/// <summary>Lays another clip over a sample; the label stays.</summary>
/// <param name="Weight">Greatest part of the other clip, in [0, 0.5]; the one that is used is uniform below it.</param>
public sealed record Mix(double Weight) : MixingAugmentation
{
    public override bool MixesTargets => false;

    public override string ToString() => Text("mix", Weight);

    internal override float DrawWeight(SplitMix64 random) => (float)(Weight * random.NextUnit());
}
