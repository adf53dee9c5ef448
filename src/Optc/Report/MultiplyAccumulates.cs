using Optc.Ir;
using Optc.Ops;

namespace Optc.Report;

/// <summary>Multiply-accumulates of layers, the common measure of their work.</summary>
/// <remarks>
/// Convolutions count every tap, also those that fall on padding; loops count once; dimensions that are not known count as
/// 1; elementwise operators, pooling and data movement count nothing, as is usual.
/// </remarks>
public static class MultiplyAccumulates
{
    private const int FirstGate = 1;
    private const int LastRecurrent = 8;
    private const int Projection = 16;

    /// <summary>Multiply-accumulates of one execution of a node.</summary>
    public static long Of(Node node)
    {
        switch (node.Op)
        {
            case Conv2D when node.Inputs is [_, { } w, ..]:
                return Product(Elements(node.Outputs[0]), PerIndex(w.Type.Shape, 0));
            case DepthwiseConv2D when node.Inputs is [_, { } w, ..] && w.Type.Shape.Rank == 4:
                return Product(Elements(node.Outputs[0]), Size(w.Type.Shape, 1), Size(w.Type.Shape, 2));
            case TransposeConv when node.Inputs is [_, { } w, { } x, ..] && w.Type.Shape.Rank == 4:
                return Product(Elements(x), Size(w.Type.Shape, 0), Size(w.Type.Shape, 1), Size(w.Type.Shape, 2));
            case FullyConnected when node.Inputs is [_, { } w, ..]:
                return Product(Elements(node.Outputs[0]), Size(w.Type.Shape, -1));
            case BatchMatMul product when node.Inputs is [{ } x, ..] && x.Type.Shape.Rank >= 2:
                return Product(Elements(node.Outputs[0]), Size(x.Type.Shape, product.AdjX ? -2 : -1));
            case Svdf when node.Inputs is [{ } x, { } feature, { } time, ..]:
                return Product(Size(x.Type.Shape, 0), Elements(feature) + Elements(time));
            case UnidirectionalSequenceLstm when node.Inputs is [{ } x, ..] && x.Type.Shape.Rank >= 2:
                long weights = Enumerable.Range(FirstGate, LastRecurrent).Append(Projection).Sum(i => node.Input(i) is { } w ? Elements(w) : 0);
                return Product(Size(x.Type.Shape, 0), Size(x.Type.Shape, 1), weights);
            case UnidirectionalSequenceRnn when node.Inputs is [{ } x, { } input, { } recurrent, ..] && x.Type.Shape.Rank >= 2:
                return Product(Size(x.Type.Shape, 0), Size(x.Type.Shape, 1), Elements(input) + Elements(recurrent));
            default:
                return 0;
        }
    }

    /// <summary>Multiply-accumulates of a graph; graphs that it calls are not included.</summary>
    public static long Of(Graph graph) => Sum(graph.Nodes.Select(Of));

    /// <summary>A sum that stops at the largest number.</summary>
    internal static long Sum(IEnumerable<long> counts) => (long)counts.Aggregate((Int128)0, (a, b) => Int128.Min(a + b, long.MaxValue));

    /// <summary>Elements, unknown dimensions as 1.</summary>
    internal static long Elements(Shape shape) => Product([.. shape.Dims.Select(d => (long)Math.Abs(d))]);

    private static long Elements(Value value) => Elements(value.Type.Shape);

    private static long PerIndex(Shape shape, int axis) => Size(shape, axis) is > 0 and long size ? Elements(shape) / size : 0;

    private static long Size(Shape shape, int axis) => shape.Rank == 0 ? 1 : Math.Abs(shape[axis]);

    private static long Product(params ReadOnlySpan<long> factors)
    {
        Int128 product = 1;
        foreach (long factor in factors)
        {
            product = Int128.Min(product * factor, long.MaxValue);
        }

        return (long)product;
    }
}
