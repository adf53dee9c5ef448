using Optc.Ir;

namespace Optc.Passes.Prune;

/// <summary>The dimensions of a weight by what they mean, whatever their order in memory.</summary>
/// <param name="Outputs">Output channels; for a depthwise weight C * m.</param>
/// <param name="Height">Height of the kernel, 1 for dense weights.</param>
/// <param name="Width">Width of the kernel, 1 for dense weights.</param>
/// <param name="Inputs">Input channels that one output channel reads: C / G with groups, 1 for a depthwise weight.</param>
/// <param name="OutputsInnermost">True where the output channels are the last axis, as in [1, KH, KW, C * m]; else they are the first.</param>
public sealed record KernelShape(int Outputs, int Height, int Width, int Inputs, bool OutputsInnermost = false)
{
    /// <summary>Number of elements.</summary>
    public int Count => checked(Outputs * Height * Width * Inputs);

    /// <summary>Weights [O, KH, KW, I] or [O, I], the order of convolutions, transposed convolutions and dense layers.</summary>
    public static KernelShape OutputsFirst(Shape shape) => shape.Rank switch
    {
        4 => new(shape[0], shape[1], shape[2], shape[3]),
        _ => new(shape[0], 1, 1, checked((int)(shape.ElementCount / Math.Max(1, shape[0])))),
    };

    /// <summary>Depthwise weights [1, KH, KW, C * m].</summary>
    public static KernelShape Depthwise(Shape shape) => new(shape[3], shape[1], shape[2], 1, OutputsInnermost: true);

    /// <summary>Output channel of an element by its place in memory.</summary>
    public int OutputOf(int element) => OutputsInnermost ? element % Outputs : element / (Count / Outputs);
}
