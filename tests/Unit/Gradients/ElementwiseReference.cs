using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Tests.Unit.Gradients;

/// <summary>Element-wise ops, reductions and dense products, written for clarity.</summary>
internal static class ElementwiseReference
{
    public static IEnumerable<KeyValuePair<Type, DoubleRule>> Rules { get; } =
    [
        Binary<Add>((op, a, b) => Activate(op.Activation, a + b)),
        Binary<Sub>((op, a, b) => Activate(op.Activation, a - b)),
        Binary<Mul>((op, a, b) => Activate(op.Activation, a * b)),
        Unary<Relu>(x => Math.Max(x, 0)),
        Same<Reshape>(),
        Rule<Sum>((node, x) => [Reduce(node, x[0]!, values => values.Sum())]),
        Rule<FullyConnected>(Dense),
    ];

    public static KeyValuePair<Type, DoubleRule> Rule<TOp>(DoubleRule rule) => new(typeof(TOp), rule);

    public static KeyValuePair<Type, DoubleRule> Unary<TOp>(Func<double, double> function) =>
        Rule<TOp>((_, x) => [[.. x[0]!.Select(function)]]);

    public static KeyValuePair<Type, DoubleRule> Same<TOp>() => Rule<TOp>((_, x) => [x[0]!]);

    public static KeyValuePair<Type, DoubleRule> Binary<TOp>(Func<TOp, double, double, double> function)
        where TOp : IOp => Rule<TOp>((node, x) =>
        {
            Shape shape = node.Outputs[0].Type.Shape;
            return
            [
                [
                    .. Positions(shape).Select(at => function(
                        (TOp)node.Op, x[0]![Index(at, node.Inputs[0]!.Type.Shape)], x[1]![Index(at, node.Inputs[1]!.Type.Shape)])),
                ],
            ];
        });

    public static double Activate(FusedActivation activation, double x) => activation switch
    {
        FusedActivation.None => x,
        FusedActivation.Relu => Math.Max(x, 0),
        FusedActivation.Relu6 => Math.Clamp(x, 0, 6),
        FusedActivation.ReluN1To1 => Math.Clamp(x, -1, 1),
        FusedActivation.Tanh => Math.Tanh(x),
        _ => throw new ArgumentOutOfRangeException(nameof(activation)),
    };

    /// <summary>Every position of a shape in row-major order.</summary>
    public static IEnumerable<int[]> Positions(Shape shape)
    {
        int count = (int)shape.ElementCount;
        for (int flat = 0; flat < count; flat++)
        {
            int[] at = new int[shape.Rank];
            for (int axis = shape.Rank - 1, rest = flat; axis >= 0; axis--)
            {
                at[axis] = rest % shape[axis];
                rest /= shape[axis];
            }

            yield return at;
        }
    }

    /// <summary>Row-major index of a position, dimensions of size 1 repeated and missing ones in front left out.</summary>
    public static int Index(int[] at, Shape shape)
    {
        int index = 0;
        for (int axis = 0; axis < shape.Rank; axis++)
        {
            int position = at[axis + at.Length - shape.Rank];
            index = (index * shape[axis]) + (shape[axis] == 1 ? 0 : position);
        }

        return index;
    }

    /// <summary>Groups the elements by what is left of their positions without the reduced axes.</summary>
    public static double[] Reduce(Node node, double[] x, Func<IEnumerable<double>, double> reduce)
    {
        Shape shape = node.Inputs[0]!.Type.Shape;
        HashSet<int> axes = [.. node.Inputs[1]!.Constant!.AsInts().Select(a => a < 0 ? a + shape.Rank : a)];
        return
        [
            .. Positions(shape)
                .Select((at, i) => (Key: string.Join(',', at.Select((p, axis) => axes.Contains(axis) ? 0 : p)), Value: x[i]))
                .GroupBy(e => e.Key, e => e.Value)
                .Select(reduce),
        ];
    }

    private static double[][] Dense(Node node, double[]?[] x)
    {
        Shape w = node.Inputs[1]!.Type.Shape;
        int rows = x[0]!.Length / w[1];
        double[] y = new double[rows * w[0]];
        for (int row = 0; row < rows; row++)
        {
            for (int n = 0; n < w[0]; n++)
            {
                double sum = x.Length > 2 && x[2] is { } bias ? bias[n] : 0;
                for (int k = 0; k < w[1]; k++)
                {
                    sum += x[0]![(row * w[1]) + k] * x[1]![(n * w[1]) + k];
                }

                y[(row * w[0]) + n] = Activate(((FullyConnected)node.Op).Activation, sum);
            }
        }

        return [y];
    }
}
