using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Passes.Fold;

/// <summary>A node that is linear in its input, with weights and perhaps a bias, before its activation.</summary>
/// <param name="XIndex">Operand that holds the input; its last dimension is the channels.</param>
/// <param name="WIndex">Operand that holds the weights.</param>
/// <param name="BiasIndex">Operand that holds the bias, if there is one.</param>
/// <param name="OutputAxis">Dimension of the weights that runs over output channels.</param>
/// <param name="Activation">The fused activation.</param>
internal sealed record LinearLayer(Node Node, int XIndex, int WIndex, int BiasIndex, int OutputAxis, FusedActivation Activation)
{
    public Value X => Node.Inputs[XIndex]!;

    public Value Weights => Node.Inputs[WIndex]!;

    public Value? Bias => Node.Input(BiasIndex);

    public int OutputChannels => Weights.Type.Shape[OutputAxis];

    /// <summary>The node as such a layer, or <see langword="null"/> when its op is none.</summary>
    public static LinearLayer? Of(Node? node) => node?.Op switch
    {
        Conv2D op => new(node, 0, 1, 2, 0, op.Activation),
        DepthwiseConv2D op => new(node, 0, 1, 2, 3, op.Activation),
        FullyConnected op => new(node, 0, 1, 2, 0, op.Activation),
        TransposeConv op => new(node, 2, 1, 3, 0, op.Activation),
        _ => null,
    };

    public static bool Is(IOp op) => op is Conv2D or DepthwiseConv2D or FullyConnected or TransposeConv;

    /// <summary>Why the numbers of the layer cannot be changed, or <see langword="null"/>.</summary>
    /// <param name="weights">False when only the bias is to be changed.</param>
    public string? WhyFixed(bool weights)
    {
        if (Node.Output.Type.DType is not DType.F32)
        {
            return $"'{Node.Name}' computes {Node.Output.Type.DType.Name}, whose grid would round differently";
        }

        if (Bias is { Constant: null })
        {
            return $"the bias of '{Node.Name}' is computed";
        }

        if (!weights)
        {
            return null;
        }

        return Weights switch
        {
            { Constant: null } => $"the weights of '{Node.Name}' are computed",
            { Type.DType: not DType.F32 } => $"the weights of '{Node.Name}' are quantized",
            { Constant.Sparse: not null } => $"the weights of '{Node.Name}' are stored sparse",
            { UseCount: > 1 } => $"the weights '{Weights.Name}' are used elsewhere too; scaled ones would be a second copy",
            _ => null,
        };
    }

    /// <summary>Weights in the order in which they are stored, as double.</summary>
    public double[] WeightNumbers() => Widen(Weights.Constant!);

    /// <summary>The bias, or zeros.</summary>
    public double[] BiasNumbers() => Bias?.Constant is { } bias ? Widen(bias) : new double[OutputChannels];

    /// <summary>Output channel of each stored weight.</summary>
    public int OutputOf(int weight) => OutputAxis == 0
        ? weight / (int)(Weights.Type.ElementCount / OutputChannels)
        : weight % OutputChannels;

    /// <summary>Input channel of each stored weight.</summary>
    /// <param name="channels">Number of input channels.</param>
    public int InputOf(int weight, int channels)
    {
        Shape w = Weights.Type.Shape;
        if (Node.Op is DepthwiseConv2D)
        {
            return weight % w[3] / (w[3] / channels);
        }

        // A grouped convolution reads w[-1] channels, those of the group of its output.
        int group = OutputOf(weight) / Math.Max(1, OutputChannels / (channels / w[-1]));
        return (group * w[-1]) + (weight % w[-1]);
    }

    /// <summary>Adds the layer with other numbers in place of the one whose result is <paramref name="like"/>.</summary>
    /// <param name="structure">What holds of the new weights.</param>
    /// <returns>The new result; <see langword="null"/> when a number is not finite in float.</returns>
    public Value? With(
        GraphPatch patch, Value x, double[]? weights, double[]? bias, FusedActivation activation, Value like, WeightStructure? structure = null)
    {
        Value?[] inputs = new Value?[Math.Max(Node.Inputs.Length, bias is null ? 0 : BiasIndex + 1)];
        Node.Inputs.CopyTo(inputs);
        inputs[XIndex] = x;
        if (weights is not null)
        {
            if (Narrow(weights) is not { } narrow)
            {
                return null;
            }

            inputs[WIndex] = GraphPatch.Constant(TensorData.FromFloats(Weights.Type.Shape, narrow).With(structure), Weights.Name);
        }

        if (bias is not null)
        {
            if (Narrow(bias) is not { } narrow)
            {
                return null;
            }

            inputs[BiasIndex] = GraphPatch.Constant(
                TensorData.FromFloats(Bias?.Type.Shape ?? [bias.Length], narrow), Bias?.Name ?? $"{Node.Name}/bias");
        }

        IOp op = Fuse.ActivationSlot.With(Node.Op, activation);
        return patch.Add(op, [.. inputs], like, Node.Name);
    }

    private static double[] Widen(TensorData data)
    {
        float[] numbers = data.ToDense().AsFloats().ToArray();
        return Array.ConvertAll(numbers, n => (double)n);
    }

    private static float[]? Narrow(double[] numbers)
    {
        float[] narrow = Array.ConvertAll(numbers, n => (float)n);
        return Array.TrueForAll(narrow, float.IsFinite) ? narrow : null;
    }
}
