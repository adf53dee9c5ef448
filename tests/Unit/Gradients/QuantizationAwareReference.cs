using Optc.Ir;
using Optc.Ops;
using static Optc.Tests.Unit.Gradients.ElementwiseReference;

namespace Optc.Tests.Unit.Gradients;

/// <summary>Ops of quantization-aware training. Where a gradient passes straight through rounding, the reference does not round.</summary>
internal static class QuantizationAwareReference
{
    public static IEnumerable<KeyValuePair<Type, DoubleRule>> Rules { get; } =
    [
        Same<FakeQuantWeights>(),
        Rule<LearnedFakeQuant>((node, x) =>
        {
            LearnedFakeQuant op = (LearnedFakeQuant)node.Op;
            (double step, double zero) = (Math.Exp(x[1]![0]), x[2]![0]);
            return [[.. x[0]!.Select(v => step * Math.Clamp(v / step, op.Low - zero - 0.5, op.High - zero + 0.5))]];
        }),
        Rule<CodebookWeight>((node, x) =>
        {
            CodebookWeight op = (CodebookWeight)node.Op;
            Shape shape = node.Output.Type.Shape;
            Shape books = node.Inputs[2]!.Type.Shape;
            int perBook = shape[op.Axis] / books[0];
            return
            [
                [
                    .. Positions(shape).Select((at, i) =>
                    {
                        int channel = at[op.Axis];
                        double scale = Math.Exp(x[4]![x[4]!.Length == 1 ? 0 : channel]);
                        return scale * x[2]![(channel / perBook * books[1]) + (int)x[1]![i]];
                    }),
                ],
            ];
        }),
        Rule<AssignCodes>((node, x) =>
        {
            AssignCodes op = (AssignCodes)node.Op;
            Shape shape = node.Output.Type.Shape;
            Shape books = node.Inputs[1]!.Type.Shape;
            int perBook = shape[op.Axis] / books[0];
            return
            [
                [
                    .. Positions(shape).Select((at, i) =>
                    {
                        int first = at[op.Axis] / perBook * books[1];
                        double Cost(int j) => Math.Pow(x[0]![i] - x[1]![first + j], 2) + x[3]![first + j];
                        return (double)Enumerable.Range(0, books[1]).MinBy(Cost);
                    }),
                ],
            ];
        }),
    ];
}
