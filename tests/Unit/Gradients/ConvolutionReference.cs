using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Tests.Unit.Gradients;

/// <summary>Convolutions, batched products and pools, written for clarity.</summary>
internal static class ConvolutionReference
{
    public static IEnumerable<KeyValuePair<Type, DoubleRule>> Rules { get; } =
    [
        ElementwiseReference.Rule<Conv2D>((node, x) =>
        {
            Conv2D op = (Conv2D)node.Op;
            Shape w = node.Inputs[1]!.Type.Shape;
            int group = node.Inputs[0]!.Type.Shape[3] / w[3];
            return Convolve(node, x, Axes(node, 1, 2, op.StrideH, op.StrideW, op.DilationH, op.DilationW, op.Padding), op.Activation, (o, kh, kw, c) =>
                c / w[3] == o / (w[0] / group) ? x[1]![(((((o * w[1]) + kh) * w[2]) + kw) * w[3]) + (c % w[3])] : 0);
        }),
        ElementwiseReference.Rule<DepthwiseConv2D>((node, x) =>
        {
            DepthwiseConv2D op = (DepthwiseConv2D)node.Op;
            Shape w = node.Inputs[1]!.Type.Shape;
            int multiplier = w[3] / node.Inputs[0]!.Type.Shape[3];
            return Convolve(node, x, Axes(node, 1, 2, op.StrideH, op.StrideW, op.DilationH, op.DilationW, op.Padding), op.Activation, (o, kh, kw, c) =>
                c == o / multiplier ? x[1]![(((kh * w[2]) + kw) * w[3]) + o] : 0);
        }),
        ElementwiseReference.Rule<TransposeConv>(Transposed),
        ElementwiseReference.Rule<BatchMatMul>(Product),
        ElementwiseReference.Rule<AveragePool2D>((node, x) => Pool(node, x[0]!, ((AveragePool2D)node.Op).Activation, taps => taps.Average())),
        ElementwiseReference.Rule<MaxPool2D>((node, x) => Pool(node, x[0]!, ((MaxPool2D)node.Op).Activation, taps => taps.Max())),
        ElementwiseReference.Rule<L2Pool2D>((node, x) =>
            Pool(node, x[0]!, ((L2Pool2D)node.Op).Activation, taps => Math.Sqrt(taps.Average(t => t * t)))),
    ];

    /// <summary>One axis: input position of a tap of an output, and whether it is inside.</summary>
    private sealed record Axis(int Input, int Kernel, int Stride, int Dilation, int Before)
    {
        public static Axis Of(int input, int kernel, int stride, int dilation, PaddingMode padding)
        {
            int extent = ((kernel - 1) * dilation) + 1;
            int output = (input + stride - 1) / stride;
            return new(input, kernel, stride, dilation, padding is PaddingMode.Valid ? 0 : Math.Max(0, ((output - 1) * stride) + extent - input) / 2);
        }

        public bool Reads(int output, int tap, out int position)
        {
            position = (output * Stride) + (tap * Dilation) - Before;
            return position >= 0 && position < Input;
        }
    }

    private static (Axis Rows, Axis Columns) Axes(
        Node node, int kernelRows, int kernelColumns, int strideH, int strideW, int dilationH, int dilationW, PaddingMode padding)
    {
        (Shape x, Shape w) = (node.Inputs[0]!.Type.Shape, node.Inputs[1]!.Type.Shape);
        return (Axis.Of(x[1], w[kernelRows], strideH, dilationH, padding), Axis.Of(x[2], w[kernelColumns], strideW, dilationW, padding));
    }

    private static double[][] Convolve(
        Node node, double[]?[] x, (Axis Rows, Axis Columns) axes, FusedActivation activation, Func<int, int, int, int, double> weight)
    {
        Shape input = node.Inputs[0]!.Type.Shape;
        return
        [
            [
                .. ElementwiseReference.Positions(node.Outputs[0].Type.Shape).Select(at =>
                {
                    double sum = x.Length > 2 && x[2] is { } bias ? bias[at[3]] : 0;
                    for (int kh = 0; kh < axes.Rows.Kernel; kh++)
                    {
                        for (int kw = 0; kw < axes.Columns.Kernel; kw++)
                        {
                            if (axes.Rows.Reads(at[1], kh, out int row) && axes.Columns.Reads(at[2], kw, out int column))
                            {
                                for (int c = 0; c < input[3]; c++)
                                {
                                    sum += x[0]![ElementwiseReference.Index([at[0], row, column, c], input)] * weight(at[3], kh, kw, c);
                                }
                            }
                        }
                    }

                    return ElementwiseReference.Activate(activation, sum);
                }),
            ],
        ];
    }

    private static double[][] Transposed(Node node, double[]?[] x)
    {
        TransposeConv op = (TransposeConv)node.Op;
        (Shape w, Shape input, Shape output) = (node.Inputs[1]!.Type.Shape, node.Inputs[2]!.Type.Shape, node.Outputs[0].Type.Shape);
        Axis rows = Axis.Of(output[1], w[1], op.StrideH, 1, op.Padding);
        Axis columns = Axis.Of(output[2], w[2], op.StrideW, 1, op.Padding);
        double[] y = [.. ElementwiseReference.Positions(output).Select(at => x.Length > 3 && x[3] is { } bias ? bias[at[3]] : 0)];
        foreach (int[] at in ElementwiseReference.Positions(input))
        {
            double value = x[2]![ElementwiseReference.Index(at, input)];
            foreach (int[] tap in ElementwiseReference.Positions([w[0], w[1], w[2]]))
            {
                if (rows.Reads(at[1], tap[1], out int row) && columns.Reads(at[2], tap[2], out int column))
                {
                    int target = ((((at[0] * output[1]) + row) * output[2]) + column) * w[0];
                    y[target + tap[0]] += value * x[1]![(((((tap[0] * w[1]) + tap[1]) * w[2]) + tap[2]) * w[3]) + at[3]];
                }
            }
        }

        return [[.. y.Select(v => ElementwiseReference.Activate(op.Activation, v))]];
    }

    private static double[][] Product(Node node, double[]?[] x)
    {
        BatchMatMul op = (BatchMatMul)node.Op;
        (Shape a, Shape b) = (node.Inputs[0]!.Type.Shape, node.Inputs[1]!.Type.Shape);
        int depth = op.AdjX ? a[-2] : a[-1];
        return
        [
            [
                .. ElementwiseReference.Positions(node.Outputs[0].Type.Shape).Select(at =>
                {
                    (int[] batch, int m, int n) = (at[..^2], at[^2], at[^1]);
                    return Enumerable.Range(0, depth).Sum(k =>
                        x[0]![ElementwiseReference.Index(op.AdjX ? [.. batch, k, m] : [.. batch, m, k], a)]
                        * x[1]![ElementwiseReference.Index(op.AdjY ? [.. batch, n, k] : [.. batch, k, n], b)]);
                }),
            ],
        ];
    }

    private static double[][] Pool(Node node, double[] x, FusedActivation activation, Func<IEnumerable<double>, double> fold)
    {
        Pool2D op = (Pool2D)node.Op;
        Shape input = node.Inputs[0]!.Type.Shape;
        Axis rows = Axis.Of(input[1], op.FilterH, op.StrideH, 1, op.Padding);
        Axis columns = Axis.Of(input[2], op.FilterW, op.StrideW, 1, op.Padding);
        return
        [
            [
                .. ElementwiseReference.Positions(node.Outputs[0].Type.Shape).Select(at =>
                {
                    List<double> taps = [];
                    foreach (int[] tap in ElementwiseReference.Positions([op.FilterH, op.FilterW]))
                    {
                        if (rows.Reads(at[1], tap[0], out int row) && columns.Reads(at[2], tap[1], out int column))
                        {
                            taps.Add(x[ElementwiseReference.Index([at[0], row, column, at[3]], input)]);
                        }
                    }

                    return ElementwiseReference.Activate(activation, fold(taps));
                }),
            ],
        ];
    }
}
