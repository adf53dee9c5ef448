using System.Collections.Immutable;

namespace Optc.Formats.EthosU;

/// <summary>What the packing of weights depends on in a processor.</summary>
/// <param name="Name">As tools call it, such as <c>ethos-u55-128</c>.</param>
/// <param name="MacsPerCore">Multiplications of one core in a cycle.</param>
/// <param name="Cores">Cores that share the output channels of a layer.</param>
/// <param name="OutputMicroBlockDepth">OFM channels of one micro-block.</param>
/// <remarks>Source: the configurations of Arm's open compiler Vela.</remarks>
public sealed record Accelerator(string Name, int MacsPerCore, int Cores, int OutputMicroBlockDepth)
{
    /// <summary>OFM channels of the deepest block.</summary>
    public const int DeepestBlock = 128;

    /// <summary>OFM channels that blocks and slices are cut by, where they do not hold the whole depth.</summary>
    public const int DepthUnit = 16;

    /// <summary>All configurations of Ethos-U55 and Ethos-U65.</summary>
    public static ImmutableArray<Accelerator> All { get; } =
    [
        new("ethos-u55-32", 32, 1, 4), new("ethos-u55-64", 64, 1, 8), new("ethos-u55-128", 128, 1, 8), new("ethos-u55-256", 256, 1, 8),
        new("ethos-u65-256", 256, 1, 8), new("ethos-u65-512", 256, 2, 8),
    ];

    /// <summary>The processor of this name, or <see langword="null"/>.</summary>
    public static Accelerator? Find(string name) => All.FirstOrDefault(a => a.Name == name);
}
