using System.Collections.Immutable;
using Optc.Formats.EthosU;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Backends.EthosU;

/// <summary>A layer as the hardware computes it.</summary>
/// <param name="Name">Name of the node.</param>
/// <param name="Operator">Name of the op.</param>
/// <param name="Weights">OHWI, zero point taken off.</param>
/// <param name="Entries">One for each output channel.</param>
/// <param name="DilationH">Of the kernel rows.</param>
/// <param name="DilationW">Of the kernel columns.</param>
internal sealed record HardwareLayer(
    string Name,
    string Operator,
    WeightShape Shape,
    WeightTraversal Traversal,
    int InputBits,
    int DilationH,
    int DilationW,
    short[] Weights,
    ImmutableArray<ScaleEntry> Entries)
{
    private const int MostDilation = 2;

    /// <summary>The layer of a node, or why there is none.</summary>
    /// <returns>Neither for a node without constant weights of its own.</returns>
    public static (HardwareLayer? Layer, string? Reason) Of(Node node)
    {
        Operands operands;
        switch (node.Op)
        {
            case Conv2D op:
                operands = new(0, 1, 2, op.DilationH, op.DilationW);
                break;
            case DepthwiseConv2D op:
                operands = new(0, 1, 2, op.DilationH, op.DilationW);
                break;
            case FullyConnected:
                operands = new(0, 1, 2, 1, 1);
                break;
            case TransposeConv:
                operands = new(2, 1, 3, 1, 1);
                break;
            default:
                return (null, HasWeights(node) ? "the hardware has a weight stream for convolutions and dense layers only" : null);
        }

        return Refusal(node, operands) is { } reason ? (null, reason) : Make(node, operands);
    }

    private static bool HasWeights(Node node) => node.Inputs.Any(v =>
        v is { Constant: { Shape: { Rank: >= 2, ElementCount: > 1 } }, Type.Quant: not null } or { Constant: { DType: DType.F32 or DType.F16, Shape: { Rank: >= 2, ElementCount: > 1 } } });

    private static string? Refusal(Node node, Operands at)
    {
        (Value x, Value w, Value? bias) = (node.Inputs[at.X]!, node.Inputs[at.W]!, node.Input(at.Bias));
        if (w.Constant is null || bias is { Constant: null })
        {
            return "its weights or biases are computed, not constant";
        }

        if (x.Type.DType is not (DType.I8 or DType.U8 or DType.I16))
        {
            return w.Type.DType.IsFloat ? "its weights are float: quantize the model first" : "its activations are float: quantize the model to integers throughout first";
        }

        if (x.Type.Quant is null || w.Type.Quant is null || node.Output.Type.Quant is null)
        {
            return "input, weights or output carry no scale";
        }

        if (at.DilationH > MostDilation || at.DilationW > MostDilation)
        {
            return "the hardware has no kernels with a dilation above 2";
        }

        int depth = x.Type.Shape.HasRank ? x.Type.Shape[-1] : -1;
        return node.Op switch
        {
            Conv2D when depth >= 0 && depth != w.Type.Shape[3] => "the hardware has no convolution in groups",
            DepthwiseConv2D { DepthMultiplier: > 1 } op when w.Type.Shape[3] != op.DepthMultiplier => "the hardware computes one filter for each input channel",
            _ => null,
        };
    }

    private static (HardwareLayer? Layer, string? Reason) Make(Node node, Operands at)
    {
        (Value x, Value w) = (node.Inputs[at.X]!, node.Inputs[at.W]!);
        if (CodableWeights.Of(w.Constant!, w.Type.Quant) is not { } weights
            || weights.AsSpan().ContainsAnyExceptInRange((short)-WeightCodec.LargestWeight, (short)WeightCodec.LargestWeight))
        {
            return (null, $"weights of {w.Type.DType.Name} have no stream: it holds integers from -{WeightCodec.LargestWeight} to {WeightCodec.LargestWeight}");
        }

        Shape s = w.Constant!.Shape;
        (WeightShape shape, int inputBits) = (node.Op switch
        {
            FullyConnected => new(s[0], 1, 1, s[1]),
            DepthwiseConv2D => new(s[3], s[1], s[2], 1),
            _ => new WeightShape(s[0], s[1], s[2], s[3]),
        }, x.Type.DType is DType.I16 ? 16 : 8);
        bool isOrdinary = node.Op is not DepthwiseConv2D { DepthMultiplier: var multiplier } || (multiplier == s[3] && x.Type.Shape is { HasRank: true } y && y[-1] == 1);
        WeightTraversal traversal = node.Op is FullyConnected ? WeightTraversal.DepthFirst
            : isOrdinary ? TraversalOptions.ForConvolution(shape, inputBits)
            : WeightTraversal.Depthwise;
        if (ScaleRule.EntriesOf(node, x, w, node.Input(at.Bias), shape.OutputChannels) is not { IsDefault: false } entries)
        {
            return (null, "a bias or scale is outside of what the hardware holds");
        }

        return (new(node.Name, node.Op.Schema.Name, shape, traversal, inputBits, at.DilationH, at.DilationW, Ordered(node.Op, shape, weights), entries), null);
    }

    /// <summary>Weights of the file in OHWI, as the hardware multiplies them.</summary>
    private static short[] Ordered(IOp op, WeightShape shape, short[] weights)
    {
        int kernel = shape.KernelHeight * shape.KernelWidth;
        short[] ordered = new short[weights.Length];
        switch (op)
        {
            case DepthwiseConv2D:
                for (int i = 0; i < weights.Length; i++)
                {
                    ordered[(i % shape.OutputChannels * kernel) + (i / shape.OutputChannels)] = weights[i];
                }

                return ordered;
            case TransposeConv:
                // The hardware convolves the spread input, so that the kernel is turned by half a turn.
                for (int i = 0; i < weights.Length; i++)
                {
                    (int place, int input) = Math.DivRem(i, shape.InputChannels);
                    (int output, int element) = Math.DivRem(place, kernel);
                    ordered[(((output * kernel) + kernel - 1 - element) * shape.InputChannels) + input] = weights[i];
                }

                return ordered;
            default:
                return weights;
        }
    }

    /// <summary>Places of the operands, and the dilation.</summary>
    private readonly record struct Operands(int X, int W, int Bias, int DilationH, int DilationW);
}
