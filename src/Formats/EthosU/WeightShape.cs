namespace Optc.Formats.EthosU;

/// <summary>Axis lengths of weights in OHWI order: OFM channels, kernel rows, kernel columns, IFM channels.</summary>
/// <param name="InputChannels">1 for a depthwise operator.</param>
public readonly record struct WeightShape(int OutputChannels, int KernelHeight, int KernelWidth, int InputChannels)
{
    /// <summary>Number of weights.</summary>
    /// <exception cref="OverflowException">They are more than an array holds.</exception>
    public int Count => checked(OutputChannels * KernelHeight * KernelWidth * InputChannels);

    public override string ToString() => $"{OutputChannels} x {KernelHeight} x {KernelWidth} x {InputChannels}";
}
