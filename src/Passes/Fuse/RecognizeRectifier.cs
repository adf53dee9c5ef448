using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Fuse;

/// <summary>
/// Makes a rectifier of limits that are written as MAXIMUM and MINIMUM.
/// <code>
///   maximum(x, 0)                  => relu(x)
///   minimum(maximum(x, 0), 6)      => relu6(x)         in either order, and behind RELU
///   minimum(maximum(x, -1), 1)     => relu_n1_to_1(x)
///   minimum(maximum(x, 0), 1)      => relu_0_to_1(x)
/// </code>
/// </summary>
/// <remarks>
/// Float only: raw limits of integers depend on their grid. A NaN, which MAXIMUM and MINIMUM turn into the limit or keep by
/// the order of their operands, and the sign of zero may come out otherwise.
/// </remarks>
public sealed class RecognizeRectifier : IRewriteRule
{
    public string Name => "recognize-rectifier";

    public string Summary => "makes RELU, RELU6, RELU_N1_TO_1 and RELU_0_TO_1 of MAXIMUM and MINIMUM with their limits";

    public bool Concerns(IOp op) => op is Maximum or Minimum;

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch)
    {
        if (LimitOf(node) is not { } outer)
        {
            return Rewrite.Decline("it is no limit of a float by one constant number");
        }

        IOp? op = Rectifier(outer.Low, outer.High);
        Value x = outer.X;
        if (outer.X.Producer is { } producer && LimitOf(producer) is { X.IsVariable: false } inner
            && Rectifier(Math.Max(inner.Low, outer.Low), Math.Min(inner.High, outer.High)) is { } both)
        {
            (op, x) = (both, inner.X);
        }

        return op is null
            ? Rewrite.Decline("no rectifier has these limits")
            : patch.Replace(node.Output, patch.Add(op, [x], node.Output, node.Name));
    }

    private static IOp? Rectifier(float low, float high) => (low, high) switch
    {
        (0, float.PositiveInfinity) => new Relu(),
        (0, 6) => new Relu6(),
        (-1, 1) => new ReluN1To1(),
        (0, 1) => new Relu0To1(),
        _ => null,
    };

    private static (Value X, float Low, float High)? LimitOf(Node node)
    {
        if (node.Op is Relu && node.Inputs[0]!.Type.DType is DType.F32)
        {
            return (node.Inputs[0]!, 0, float.PositiveInfinity);
        }

        if (node.Op is not (Maximum or Minimum) || node.Inputs is not [{ } a, { } b] || (a.Constant is null) == (b.Constant is null))
        {
            return null;
        }

        (Value x, Value limit) = a.Constant is null ? (a, b) : (b, a);
        if (x.Type.DType is not DType.F32 || limit.Constant!.Shape.ElementCount != 1 || !x.Type.Equals(node.Output.Type))
        {
            return null;
        }

        float bound = limit.Constant!.ToDense().AsFloats()[0];
        return float.IsNaN(bound) ? null
            : node.Op is Maximum ? (x, bound, float.PositiveInfinity)
            : (x, float.NegativeInfinity, bound);
    }
}
