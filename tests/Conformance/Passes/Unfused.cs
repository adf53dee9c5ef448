using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Tests.Conformance.Passes;

/// <summary>
/// A float model as a careless exporter would write it: batch normalization, activations, borders and quotients as nodes of
/// their own, copies that do nothing between them, and everything that is not read.
/// </summary>
internal static class Unfused
{
    public static Module Of(Module module)
    {
        Module result = module.Clone();
        int layer = 0;
        foreach (Node node in result.Main.Nodes.ToArray())
        {
            if (Parts.Of(node) is { } parts)
            {
                GraphPatch patch = new();
                patch.Replace(node.Output, parts.Rebuild(patch, new Random(layer++)));
                patch.ApplyTo(result, result.Main, node);
            }
        }

        Verifier.ThrowIfBroken(result);
        return result;
    }

    /// <summary>A convolution or dense layer that can be taken apart.</summary>
    private sealed record Parts(Node Node, IOp Plain, FusedActivation Activation, (Window Rows, Window Columns)? Border, int Axis)
    {
        public static Parts? Of(Node node)
        {
            if (node.Outputs is not [{ Type.DType: DType.F32 }]
                || node.Inputs is not [{ } x, { Constant.DType: DType.F32, UseCount: 1 } w, ..]
                || node.Input(2) is not { Constant: not null })
            {
                return null;
            }

            (Window, Window)? Border(PaddingMode padding, int strideH, int strideW, int dilationH, int dilationW)
            {
                if (padding is PaddingMode.Valid || x.Type.Shape[1] < 0 || x.Type.Shape[2] < 0)
                {
                    return null;
                }

                Window rows = Window.Same(x.Type.Shape[1], w.Type.Shape[1], strideH, dilationH);
                Window columns = Window.Same(x.Type.Shape[2], w.Type.Shape[2], strideW, dilationW);
                return rows.Before + rows.After + columns.Before + columns.After > 0 ? (rows, columns) : null;
            }

            switch (node.Op)
            {
                case Conv2D op:
                    (Window, Window)? border = Border(op.Padding, op.StrideH, op.StrideW, op.DilationH, op.DilationW);
                    return new(
                        node,
                        op with { Activation = FusedActivation.None, Padding = border is null ? op.Padding : PaddingMode.Valid },
                        op.Activation,
                        border,
                        Axis: 0);
                case DepthwiseConv2D op:
                    border = Border(op.Padding, op.StrideH, op.StrideW, op.DilationH, op.DilationW);
                    return new(
                        node,
                        op with { Activation = FusedActivation.None, Padding = border is null ? op.Padding : PaddingMode.Valid },
                        op.Activation,
                        border,
                        Axis: 3);
                case FullyConnected op:
                    return new(node, op with { Activation = FusedActivation.None }, op.Activation, Border: null, Axis: 0);
                default:
                    return null;
            }
        }

        /// <summary><c>relu(reshape(conv(pad(x), w / k) * k + b))</c>, with a second reader that leads nowhere.</summary>
        public Value Rebuild(GraphPatch patch, Random random)
        {
            Value x = Node.Inputs[0]!;
            string name = Node.Name;
            if (Border is ({ } rows, { } columns))
            {
                int[] widths = [0, 0, rows.Before, rows.After, columns.Before, columns.After, 0, 0];
                Shape shape = [x.Type.Shape[0], rows.Before + x.Type.Shape[1] + rows.After, columns.Before + x.Type.Shape[2] + columns.After, x.Type.Shape[3]];
                x = patch.Add(new Pad(), [x, Ints([4, 2], widths)], new TensorType(DType.F32, shape), $"{name}/pad");
            }

            TensorType type = Node.Output.Type;
            TensorData weights = Node.Inputs[1]!.Constant!.ToDense();
            float[] w = weights.AsFloats().ToArray();
            float[] k = [.. Enumerable.Range(0, weights.Shape[Axis]).Select(_ => (random.NextSingle() * 4) + 0.25f)];
            int inner = Axis == 0 ? w.Length / k.Length : 1;
            for (int i = 0; i < w.Length; i++)
            {
                w[i] /= k[i / inner % k.Length];
            }

            Value y = patch.Add(Plain, [x, Floats(weights.Shape, w)], type, name);
            y = random.Next(2) == 0
                ? patch.Add(new Mul(), [y, Floats([k.Length], k)], type, $"{name}/scaled")
                : patch.Add(new Div(), [y, Floats([k.Length], [.. k.Select(f => 1 / f)])], type, $"{name}/scaled");
            if (type.Shape.IsKnown)
            {
                Value flat = patch.Add(new Reshape([-1]), [y], new TensorType(DType.F32, [(int)type.ElementCount]), $"{name}/flat");
                y = patch.Add(new Reshape(type.Shape.Dims), [flat], type, $"{name}/back");
            }

            patch.Add(new Tanh(), [y], type, $"{name}/dead");
            float[] bias = Node.Inputs[2]!.Constant!.ToDense().AsFloats().ToArray();
            Value half = patch.Add(new Mul(), [Floats([bias.Length], [.. bias.Select(b => b * 2)]), Floats([1], [0.5f])], new TensorType(DType.F32, [bias.Length]), $"{name}/half");
            y = patch.Add(new Add(), [half, y], type, $"{name}/shifted");
            return Activation switch
            {
                FusedActivation.Relu => patch.Add(new Relu(), [y], type, $"{name}/activated"),
                FusedActivation.Relu6 => patch.Add(
                    new Minimum(), [patch.Add(new Maximum(), [y, Floats([], [0])], type, $"{name}/low"), Floats([], [6])], type, $"{name}/activated"),
                FusedActivation.ReluN1To1 => patch.Add(new ReluN1To1(), [y], type, $"{name}/activated"),
                _ => y,
            };
        }

        private static Value Floats(Shape shape, float[] values) => GraphPatch.Constant(TensorData.FromFloats(shape, values), "c");

        private static Value Ints(Shape shape, int[] values) => GraphPatch.Constant(TensorData.FromInts(shape, values), "c");
    }
}
