using Optc.Formats.TfLite;

namespace Optc.Certificates;

/// <summary>
/// A convolution, depthwise convolution, transposed convolution or fully connected layer, as
/// <c>bias[o] + sum over taps t, inputs i of (x - zx) * w[o, t, i]</c>.
/// </summary>
/// <remarks>A depthwise layer has one input for each output: output <c>o</c> reads channel <c>o / Multiplier</c>.</remarks>
internal sealed record LinearLayer
{
    public required GraphView View { get; init; }

    public required int Operator { get; init; }

    public required BuiltinOperator Kind { get; init; }

    public required int Input { get; init; }

    public required int Weights { get; init; }

    /// <summary>-1 without bias.</summary>
    public required int Bias { get; init; }

    public required int BiasSlot { get; init; }

    public required int Output { get; init; }

    public required int Outputs { get; init; }

    /// <summary>Positions of the kernel.</summary>
    public required int Taps { get; init; }

    /// <summary>Channels that one output reads at a tap.</summary>
    public required int Inputs { get; init; }

    /// <summary>Outputs for each input channel of a depthwise layer.</summary>
    public int Multiplier { get; init; } = 1;

    public int Groups { get; init; } = 1;

    /// <summary>Where the taps of a convolution lie; null for others.</summary>
    public ConvolutionGeometry? Geometry { get; init; }

    public required ActivationFunctionType Activation { get; init; }

    public bool IsDepthwise => Kind == BuiltinOperator.DepthwiseConv2D;

    /// <summary>The zero point of the weights, which only legacy 8-bit unsigned files and fully connected layers have.</summary>
    public int WeightZero => View.Tensor(Weights).Quantization is { ZeroPoint.Length: 1 } q ? (int)q.ZeroPoint[0] : 0;

    public int Element(int output, int tap, int input) => IsDepthwise ? (tap * Outputs) + output : (((output * Taps) + tap) * Inputs) + input;

    /// <returns>Null for operators of other kinds, and for those whose operands do not fit together.</returns>
    public static LinearLayer? Of(GraphView view, int op)
    {
        OperatorRecord record = view.Operators[op];
        if (record.Outputs is not [>= 0 and int output])
        {
            return null;
        }

        BuiltinOperator kind = view.Kind(op);
        bool isTransposed = kind == BuiltinOperator.TransposeConv;
        (int input, int weights, int biasSlot) = (view.Operand(op, isTransposed ? 2 : 0), view.Operand(op, 1), isTransposed ? 3 : 2);
        if (input < 0 || weights < 0 || view.Count(weights) <= 0 || view.Count(input) <= 0 || view.Count(output) <= 0)
        {
            return null;
        }

        ReadOnlySpan<int> x = view.Tensor(input).Shape.AsSpan(), w = view.Tensor(weights).Shape.AsSpan(), y = view.Tensor(output).Shape.AsSpan();
        if (w.IsEmpty)
        {
            return null;
        }

        LinearLayer layer = new()
        {
            View = view,
            Operator = op,
            Kind = kind,
            Input = input,
            Weights = weights,
            Bias = view.Operand(op, biasSlot),
            BiasSlot = biasSlot,
            Output = output,
            Outputs = w[0],
            Taps = 1,
            Inputs = 1,
            Activation = ActivationFunctionType.None,
        };
        bool isImage = x.Length == 4 && w.Length == 4 && y.Length == 4;
        switch (kind)
        {
            case BuiltinOperator.Conv2D when isImage && (record.Options ?? new Conv2DOptions()) is Conv2DOptions o:
                ConvolutionGeometry? geometry = ConvolutionGeometry.Of(
                    x, w[1], w[2], y, o.Padding, (o.StrideH, o.StrideW), (o.DilationHFactor, o.DilationWFactor));
                return geometry is null || y[3] != w[0] || x[3] % w[3] != 0 || w[0] % (x[3] / w[3]) != 0
                    ? null
                    : layer with { Taps = w[1] * w[2], Inputs = w[3], Groups = x[3] / w[3], Geometry = geometry, Activation = o.FusedActivationFunction };
            case BuiltinOperator.DepthwiseConv2D when isImage && (record.Options ?? new DepthwiseConv2DOptions()) is DepthwiseConv2DOptions o:
                geometry = ConvolutionGeometry.Of(
                    x, w[1], w[2], y, o.Padding, (o.StrideH, o.StrideW), (o.DilationHFactor, o.DilationWFactor));
                return geometry is null || w[0] != 1 || y[3] != w[3] || (long)x[3] * o.DepthMultiplier != w[3]
                    ? null
                    : layer with { Outputs = w[3], Taps = w[1] * w[2], Multiplier = o.DepthMultiplier, Geometry = geometry, Activation = o.FusedActivationFunction };
            case BuiltinOperator.TransposeConv when isImage && (record.Options ?? new TransposeConvOptions()) is TransposeConvOptions o:
                return y[3] != w[0] || x[3] != w[3]
                    ? null
                    : layer with { Taps = w[1] * w[2], Inputs = w[3], Activation = o.FusedActivationFunction };
            case BuiltinOperator.FullyConnected when w.Length == 2 && (record.Options ?? new FullyConnectedOptions()) is FullyConnectedOptions o:
                return o.WeightsFormat != FullyConnectedOptionsWeightsFormat.Default || y.Length == 0 || y[^1] != w[0]
                    || view.Count(input) % w[1] != 0 || view.Count(output) / w[0] != view.Count(input) / w[1]
                        ? null
                        : layer with { Inputs = w[1], Activation = o.FusedActivationFunction };
            default:
                return null;
        }
    }

    /// <summary>The factor between accumulator and output of one channel; null where it is not that of a kernel.</summary>
    public FixedPoint? Factor(int output)
    {
        if (Certificates.Quantization.Of(View.Tensor(Input)) is not { } x
            || Certificates.Quantization.Of(View.Tensor(Output)) is not { } y
            || View.Tensor(Weights).Quantization is not { Details: null } w
            || (w.Scale.Length != 1 && w.Scale.Length != Outputs)
            || w.ZeroPoint.Length == 0)
        {
            return null;
        }

        if (w.Scale.Length > 1 && w.QuantizedDimension != (IsDepthwise ? 3 : 0))
        {
            return null;
        }

        bool hasZero = w.ZeroPoint.Any(z => z != 0);
        bool readsZero = View.Tensor(Weights).Type == TensorElementType.Uint8 || (Kind == BuiltinOperator.FullyConnected && w.Scale.Length == 1);
        if (hasZero && !(readsZero && w.ZeroPoint.Length == 1 && Math.Abs(w.ZeroPoint[0]) <= 255))
        {
            return null;
        }

        float scale = w.Scale[w.Scale.Length == 1 ? 0 : output];
        bool inSingle = w.Scale.Length == 1 && (Kind == BuiltinOperator.FullyConnected || View.Tensor(Weights).Type == TensorElementType.Uint8);
        float product = x.Scale * scale;
        double factor = inSingle ? (double)product / y.Scale : (double)x.Scale * scale / y.Scale;
        return FixedPoint.Of(factor, product / y.Scale);
    }
}
