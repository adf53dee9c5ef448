using System.Collections.Immutable;
using Optc.Formats.WeightCoding;

namespace Optc.Report;

/// <summary>The sizes of a model, none of which stands for another: what is stored, what a channel carries, what a coder of weights makes of them.</summary>
/// <param name="FileBytes">Length of the file.</param>
/// <param name="FileGzipBytes">Of the whole file by gzip at the highest level of .NET; the program <c>gzip -9</c> differs by up to 3 %.</param>
/// <param name="Weights">Elements of the weight tensors, shared ones once; biases do not count.</param>
/// <param name="WeightBytes">Bytes of these tensors as stored.</param>
/// <param name="Coded">Size of the integer weights by each coder, all tensors together; empty where there are none.</param>
/// <param name="UncodedBytes">Bytes of weights that are no integers of 8 bits or less, and so have no coded size.</param>
public sealed record ModelSizes(
    long FileBytes, long FileGzipBytes, long Weights, long WeightBytes, ImmutableArray<WeightCost> Coded, long UncodedBytes)
{
    /// <summary>The coders that an inspection asks.</summary>
    public static ImmutableArray<IWeightCoder> Coders { get; } = [WeightCoders.OrderZero, WeightCoders.Gzip, WeightCoders.EthosU];
}

/// <summary>What <see cref="Model.Shrink"/> would take from the file without changing an output.</summary>
/// <param name="ContainerBytes">By writing it anew: names, what is stored twice, what no runtime reads.</param>
/// <param name="GraphBytes">By leaving out channels that no output depends on, and operators that do nothing, on top of that.</param>
/// <param name="FileBytes">What is left of the file.</param>
/// <param name="Weights">Weights of convolutions and dense layers that go.</param>
/// <param name="Macs">Multiply-accumulates that go.</param>
public sealed record ShrinkSavings(long ContainerBytes, long GraphBytes, long FileBytes, long Weights, long Macs);
