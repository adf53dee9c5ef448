namespace Optc.Formats.EthosU;

/// <summary>In which order the hardware goes through the weights of an operator.</summary>
public enum WeightTraversal
{
    /// <summary>IFM channels are innermost; the last IFM block is filled up.</summary>
    DepthFirst,

    /// <summary>Kernel elements are inside the IFM block: for few IFM channels.</summary>
    PartKernelFirst,

    /// <summary>One IFM channel for each OFM channel.</summary>
    Depthwise,
}
