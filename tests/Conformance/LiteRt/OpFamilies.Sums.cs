using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Tests.Conformance.LiteRt;

/// <summary>Ops that add up products, and element-wise ops of two operands.</summary>
internal static partial class OpFamilies
{
    private static FusedActivation Activation(OpSampler s) =>
        s.Pick(FusedActivation.None, FusedActivation.None, FusedActivation.Relu, FusedActivation.Relu6, FusedActivation.ReluN1To1);

    private static PaddingMode Padding(OpSampler s) => s.Coin() ? PaddingMode.Same : PaddingMode.Valid;

    private static OpModel Convolution(OpSampler s)
    {
        (int kh, int kw) = (s.Int(1, 4), s.Int(1, 4));
        int dilation = s.Int(1, 2);
        int stride = dilation > 1 ? 1 : s.Int(1, 3);
        (int channels, int filters) = (s.Int(1, 20), s.Int(1, 20));
        Value x = s.Input([s.Int(1, 2), s.Int(7, 12), s.Int(7, 12), channels]);
        Value w = s.Weights([filters, kh, kw, channels], axis: 0, perChannel: s.Coin());
        int fanIn = kh * kw * channels;
        return s.Finish(
            new Conv2D(stride, dilation > 1 ? 1 : s.Int(1, 3), Padding(s), Activation(s), dilation, dilation),
            [x, w, s.Bias(filters, x, w, fanIn)],
            s.SumGrid(x, w, fanIn));
    }

    private static OpModel DepthwiseConvolution(OpSampler s)
    {
        (int kh, int kw) = (s.Int(1, 4), s.Int(1, 4));
        (int channels, int multiplier) = (s.Int(1, 20), s.Int(1, 3));
        int dilation = s.Int(1, 2);
        int stride = dilation > 1 ? 1 : s.Int(1, 3);
        Value x = s.Input([s.Int(1, 2), s.Int(7, 12), s.Int(7, 12), channels]);
        Value w = s.Weights([1, kh, kw, channels * multiplier], axis: 3, perChannel: s.Coin());
        return s.Finish(
            new DepthwiseConv2D(stride, stride, Padding(s), multiplier, Activation(s), dilation, dilation),
            [x, w, s.Bias(channels * multiplier, x, w, kh * kw)],
            s.SumGrid(x, w, kh * kw));
    }

    private static OpModel Dense(OpSampler s)
    {
        (int fanIn, int units) = (s.Int(1, 100), s.Int(1, 40));
        Value x = s.Input([s.Int(1, 4), fanIn]);
        Value w = s.Weights([units, fanIn], axis: 0, perChannel: s.Type is DType.I8 && s.Coin());
        return s.Finish(new FullyConnected(Activation(s)), [x, w, s.Bias(units, x, w, fanIn)], s.SumGrid(x, w, fanIn));
    }

    private static OpModel TransposedConvolution(OpSampler s)
    {
        (int kh, int kw, int stride) = (s.Int(1, 4), s.Int(1, 4), s.Int(1, 2));
        (int channels, int filters) = (s.Int(1, 12), s.Int(1, 12));
        (int h, int w) = (s.Int(2, 6), s.Int(2, 6));
        PaddingMode padding = Padding(s);
        int Size(int size, int kernel) => padding is PaddingMode.Same ? size * stride : ((size - 1) * stride) + kernel;
        Value x = s.Input([1, h, w, channels]);
        Value weights = s.Weights([filters, kh, kw, channels], axis: 0, perChannel: s.Coin());
        int fanIn = Math.Max(1, kh * kw / (stride * stride)) * channels;
        return s.Finish(
            new TransposeConv(stride, stride, padding),
            [s.Ints(1, Size(h, kh), Size(w, kw), filters), weights, x, s.Bias(filters, x, weights, fanIn)],
            s.SumGrid(x, weights, fanIn));
    }

    private static OpModel MatrixProduct(OpSampler s)
    {
        (int batch, int rows, int inner, int columns) = (s.Int(1, 3), s.Int(1, 8), s.Int(1, 24), s.Int(1, 8));
        (bool adjX, bool adjY) = (false, s.Coin());
        Value a = s.Input([batch, rows, inner]);
        Value b = s.Input(adjY ? [batch, columns, inner] : [batch, inner, columns], s.Grid(s.Scale(-7, -3), 0));
        return s.Finish(new BatchMatMul(adjX, adjY), [a, b], s.SumGrid(a, b, inner));
    }

    private static OpModel Sum(OpSampler s, IOp op)
    {
        (Value a, Value b) = Pair(s);
        return s.Finish(op, [a, b], s.IsFloat ? null : s.GridNear((a.Type.Scale + b.Type.Scale) * 0.7));
    }

    private static OpModel Product(OpSampler s)
    {
        (Value a, Value b) = Pair(s);
        return s.Finish(new Mul(Activation(s)), [a, b], s.IsFloat ? null : s.GridNear(a.Type.Scale * b.Type.Scale * 80));
    }

    /// <summary>Two operands of one shape, or of shapes that broadcast.</summary>
    private static (Value A, Value B) Pair(OpSampler s)
    {
        Shape shape = s.Shape(4, most: 8);
        Shape other = s.Int(0, 3) switch
        {
            0 => [shape[3]],
            1 => shape.With(1, 1).With(2, 1),
            _ => shape,
        };
        QuantParams? grid = s.Grid();
        QuantParams? near = grid is null ? null : s.GridNear(grid.Scale);
        return s.Coin() ? (s.Input(shape, grid), s.Input(other, near)) : (s.Input(other, grid), s.Input(shape, near));
    }
}
