using System.Text;
using Optc.Ir;
using Optc.Numerics;

namespace Optc.Architectures;

/// <summary>Distribution of weights before training.</summary>
public enum Initializer
{
    /// <summary>Nearly normal with variance <c>2 / fan in</c>.</summary>
    HeNormal,

    /// <summary>Uniform with variance <c>2 / fan in</c>.</summary>
    HeUniform,

    /// <summary>Uniform with variance <c>2 / (fan in + fan out)</c>.</summary>
    GlorotUniform,
}

/// <summary>Draws weights, the same to the last bit on every machine: by products, sums and square roots only.</summary>
/// <remarks>
/// <para>The normal distribution is that of <see cref="SplitMix64.NextNormal"/>, a sum of four uniform numbers within ±3.47 deviations.</para>
/// <para>Sources: He et al., "Delving deep into rectifiers", ICCV 2015; Glorot and Bengio, "Understanding the difficulty of
/// training deep feedforward neural networks", AISTATS 2010.</para>
/// </remarks>
internal static class InitialWeights
{
    private const ulong NameBasis = 0xCBF29CE484222325;
    private const ulong NamePrime = 0x100000001B3;

    /// <summary>Weights of a layer.</summary>
    /// <param name="layer">Name of the layer; another name gives other weights.</param>
    /// <param name="fanIn">Inputs that one output sums up.</param>
    /// <param name="fanOut">Outputs that one input reaches.</param>
    public static TensorData Draw(Initializer initializer, Shape shape, long fanIn, long fanOut, ulong seed, string layer)
    {
        SplitMix64 random = SplitMix64.Of(seed, HashOf(layer));
        double variance = initializer is Initializer.GlorotUniform ? 2.0 / (fanIn + fanOut) : 2.0 / fanIn;
        double deviation = Math.Sqrt(variance);
        double limit = Math.Sqrt(3 * variance);
        float[] weights = new float[shape.ElementCount];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = (float)(initializer is Initializer.HeNormal ? deviation * random.NextNormal() : random.Between(-limit, limit));
        }

        return TensorData.FromFloats(shape, weights);
    }

    /// <summary>Source: Fowler, Noll and Vo's hash FNV-1a of the UTF-8 bytes.</summary>
    private static ulong HashOf(string name)
    {
        ulong hash = NameBasis;
        foreach (byte letter in Encoding.UTF8.GetBytes(name))
        {
            hash = (hash ^ letter) * NamePrime;
        }

        return hash;
    }
}
