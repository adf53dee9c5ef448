using System.Collections.Immutable;

namespace Optc.Formats.EthosU;

/// <summary>How the weights of one layer are ordered, and cut into ranges, for a processor.</summary>
public sealed record TensorLayout
{
    /// <summary>Most of a kernel that the hardware takes at once, along each axis.</summary>
    private const int LargestSubKernel = 8;

    public required Accelerator Accelerator { get; init; }

    public required WeightShape Shape { get; init; }

    public required WeightTraversal Traversal { get; init; }

    /// <summary>Bits of an IFM element: 8 or 16.</summary>
    public int InputBits { get; init; } = 8;

    /// <summary>1 or 2.</summary>
    public int DilationHeight { get; init; } = 1;

    /// <summary>1 or 2.</summary>
    public int DilationWidth { get; init; } = 1;

    /// <summary>OFM channels of a block of all cores: a multiple of those of a micro-block, at most 128.</summary>
    public required int BlockDepth { get; init; }

    /// <summary>First OFM channel of each slice, and the number of channels at the end.</summary>
    public required ImmutableArray<int> DepthOffsets { get; init; }

    /// <summary>Slices of some OFM channels, of which the last may have fewer.</summary>
    public static ImmutableArray<int> Slices(int outputChannels, int sliceDepth) =>
        [.. Enumerable.Range(0, (outputChannels + sliceDepth - 1) / sliceDepth).Select(i => i * sliceDepth), outputChannels];

    /// <summary>Depths of blocks to choose from: multiples of 16 up to the depth of the layer and at most 128, ascending.</summary>
    /// <remarks>A layer of fewer channels has one: its depth in whole micro-blocks.</remarks>
    public static ImmutableArray<int> BlockDepths(Accelerator accelerator, int outputChannels)
    {
        int unit = accelerator.OutputMicroBlockDepth;
        int whole = Math.Min((outputChannels + unit - 1) / unit * unit, Accelerator.DeepestBlock);
        return [.. Enumerable.Range(1, (whole - 1) / Accelerator.DepthUnit).Select(i => i * Accelerator.DepthUnit), whole];
    }

    /// <summary>What is wrong with the numbers, as found and expected; <see langword="null"/> for nothing.</summary>
    public (string Found, string Expected)? Problem()
    {
        int unit = Accelerator.OutputMicroBlockDepth;
        if (BlockDepth < unit || BlockDepth > Accelerator.DeepestBlock || BlockDepth % unit != 0)
        {
            return ($"a block depth of {BlockDepth}", $"a multiple of {unit} up to {Accelerator.DeepestBlock}");
        }

        if (DilationHeight is not (1 or 2) || DilationWidth is not (1 or 2))
        {
            return ($"a dilation of {DilationHeight} x {DilationWidth}", "1 or 2 along each axis");
        }

        if (DepthOffsets is not [0, _, ..] || DepthOffsets[^1] != Shape.OutputChannels || DepthOffsets.Zip(DepthOffsets.Skip(1)).Any(p => p.First >= p.Second))
        {
            return ($"depth offsets {string.Join(", ", DepthOffsets.Take(8))}", $"ascending from 0 to {Shape.OutputChannels}");
        }

        return null;
    }

    /// <summary>Weights of all streams, with the padding.</summary>
    /// <exception cref="ArgumentException">They are more than an array holds.</exception>
    public int CountReordered() => checked(Parts().Where(p => p.Channels > 0).Sum(p => WeightReordering.CountReordered(p.Shape, p.Options)));

    /// <summary>The parts of the ranges: slice after slice, core after core.</summary>
    internal IEnumerable<RangePart> Parts()
    {
        int cores = Math.Min(Accelerator.Cores, Shape.OutputChannels);
        for (int slice = 0; slice + 1 < DepthOffsets.Length; slice++)
        {
            for (int core = 0; core < cores; core++)
            {
                int depth = (BlockDepth + cores - 1 - core) / cores;
                int channels = Math.Max(0, (DepthOffsets[slice + 1] - DepthOffsets[slice] - core + cores - 1) / cores);
                if (depth > 0)
                {
                    yield return new(slice, core, DepthOffsets[slice] + core, cores, channels, Shape with { OutputChannels = channels }, Options(depth));
                }
            }
        }
    }

    private TraversalOptions Options(int depth) => new()
    {
        Traversal = Traversal,
        OutputBlockDepth = depth,
        OutputMicroBlockDepth = Accelerator.OutputMicroBlockDepth,
        InputBits = InputBits,
        SubKernelHeight = LargestSubKernel / DilationHeight,
        SubKernelWidth = LargestSubKernel / DilationWidth,
    };

    /// <summary>The channels of one range.</summary>
    /// <param name="First">First OFM channel.</param>
    /// <param name="Step">From one OFM channel to the next.</param>
    /// <param name="Channels">Number of OFM channels; may be 0.</param>
    /// <param name="Shape">Of these channels.</param>
    internal readonly record struct RangePart(int Slice, int Core, int First, int Step, int Channels, WeightShape Shape, TraversalOptions Options);
}
