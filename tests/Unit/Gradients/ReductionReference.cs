using Optc.Ir;
using Optc.Ops;
using static Optc.Tests.Unit.Gradients.ElementwiseReference;

namespace Optc.Tests.Unit.Gradients;

/// <summary>Reductions, running sums, and what is normalised along the last axis.</summary>
internal static class ReductionReference
{
    public static IEnumerable<KeyValuePair<Type, DoubleRule>> Rules { get; } =
    [
        Rule<Mean>((node, x) => [Reduce(node, x[0]!, values => values.Average())]),
        Rule<ReduceMax>((node, x) => [Reduce(node, x[0]!, values => values.Max())]),
        Rule<ReduceMin>((node, x) => [Reduce(node, x[0]!, values => values.Min())]),
        Rule<ReduceProd>((node, x) => [Reduce(node, x[0]!, values => values.Aggregate(1d, (a, b) => a * b))]),
        Rule<Cumsum>((node, x) => [RunningSums(node, x[0]!, (int)x[1]![0])]),
        Rows<Softmax>((op, row) =>
        {
            double[] powers = [.. row.Select(v => Math.Exp(op.Beta * (v - row.Max())))];
            return [.. powers.Select(p => p / powers.Sum())];
        }),
        Rows<LogSoftmax>((_, row) =>
        {
            double log = row.Max() + Math.Log(row.Sum(v => Math.Exp(v - row.Max())));
            return [.. row.Select(v => v - log)];
        }),
        Rows<L2Normalization>((_, row) =>
        {
            double norm = Math.Max(Math.Sqrt(row.Sum(v => v * v)), 1e-6);
            return [.. row.Select(v => v / norm)];
        }),
    ];

    private static KeyValuePair<Type, DoubleRule> Rows<TOp>(Func<TOp, double[], double[]> function)
        where TOp : IOp => Rule<TOp>((node, x) =>
            [[.. x[0]!.Chunk(node.Inputs[0]!.Type.Shape[-1]).SelectMany(row => function((TOp)node.Op, row))]]);

    private static double[] RunningSums(Node node, double[] x, int axis)
    {
        Cumsum op = (Cumsum)node.Op;
        Shape shape = node.Inputs[0]!.Type.Shape;
        axis = axis < 0 ? axis + shape.Rank : axis;
        bool Counts(int at, int other) => (op.Reverse ? other >= at : other <= at) && !(op.Exclusive && other == at);
        return
        [
            .. Positions(shape).Select(at => Enumerable.Range(0, shape[axis]).Where(other => Counts(at[axis], other)).Sum(other =>
            {
                int[] place = [.. at];
                place[axis] = other;
                return x[Index(place, shape)];
            })),
        ];
    }
}
