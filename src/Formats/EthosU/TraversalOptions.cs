namespace Optc.Formats.EthosU;

/// <summary>What the order of the weights depends on, besides their shape.</summary>
public sealed record TraversalOptions
{
    public required WeightTraversal Traversal { get; init; }

    /// <summary>OFM channels of one block, at most 128; for two cores those of this core.</summary>
    public required int OutputBlockDepth { get; init; }

    /// <summary>OFM channels of one micro-block: 4 on Ethos-U55-32, else 8.</summary>
    public int OutputMicroBlockDepth { get; init; } = 8;

    /// <summary>IFM channels of one micro-block: 8 on all processors.</summary>
    public int InputMicroBlockDepth { get; init; } = 8;

    /// <summary>Bits of an IFM element: 8 or 16.</summary>
    public int InputBits { get; init; } = 8;

    /// <summary>Most rows of a sub-kernel: 8 divided by the dilation.</summary>
    public int SubKernelHeight { get; init; } = 8;

    /// <summary>Most columns of a sub-kernel: 8 divided by the dilation.</summary>
    public int SubKernelWidth { get; init; } = 8;

    /// <summary>IFM channels of one block.</summary>
    public int InputBlockDepth => Traversal == WeightTraversal.PartKernelFirst || InputBits == 16 ? 16 : 32;

    /// <summary>
    /// The traversal of an ordinary convolution that leaves less of the multipliers idle: part-kernel-first if its share of work that is
    /// not padding is at least that of depth-first, or with at most 8 IFM channels.
    /// </summary>
    /// <param name="inputBits">Bits of an IFM element: 8 or 16.</param>
    public static WeightTraversal ForConvolution(WeightShape shape, int inputBits = 8)
    {
        long depth = shape.InputChannels;
        long kernel = (long)shape.KernelHeight * shape.KernelWidth;
        long wholeDepth = RoundUp(depth, inputBits == 8 ? 32 : 16);
        double depthUse = (double)depth / wholeDepth;
        double partUse = (double)depth / RoundUp(depth, 8) * kernel / RoundUp(kernel, inputBits == 8 ? 4 : 2);
        return partUse >= depthUse || depth <= 8 ? WeightTraversal.PartKernelFirst : WeightTraversal.DepthFirst;
    }

    private static long RoundUp(long value, long multiple) => (value + multiple - 1) / multiple * multiple;
}
