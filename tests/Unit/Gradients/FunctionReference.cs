using Optc.Ir;
using Optc.Ops;
using static Optc.Tests.Unit.Gradients.ElementwiseReference;

namespace Optc.Tests.Unit.Gradients;

/// <summary>Functions of one or two numbers, and choices between numbers.</summary>
internal static class FunctionReference
{
    public static IEnumerable<KeyValuePair<Type, DoubleRule>> Rules { get; } =
    [
        Unary<Abs>(Math.Abs),
        Unary<Neg>(x => -x),
        Unary<Sqrt>(Math.Sqrt),
        Unary<Rsqrt>(x => 1 / Math.Sqrt(x)),
        Unary<Square>(x => x * x),
        Unary<Exp>(Math.Exp),
        Unary<Log>(Math.Log),
        Unary<Sin>(Math.Sin),
        Unary<Cos>(Math.Cos),
        Unary<Floor>(Math.Floor),
        Unary<Ceil>(Math.Ceiling),
        Unary<Round>(Math.Round),
        Unary<Sign>(x => Math.Sign(x)),
        Unary<ZerosLike>(_ => 0),
        Unary<Tanh>(Math.Tanh),
        Unary<Logistic>(x => 1 / (1 + Math.Exp(-x))),
        Unary<Relu6>(x => Math.Clamp(x, 0, 6)),
        Unary<ReluN1To1>(x => Math.Clamp(x, -1, 1)),
        Unary<Relu0To1>(x => Math.Clamp(x, 0, 1)),
        Unary<Elu>(x => x < 0 ? Math.Exp(x) - 1 : x),
        Unary<HardSwish>(x => x * Math.Clamp(x + 3, 0, 6) / 6),
        UnaryOf<LeakyRelu>((op, x) => x > 0 ? x : op.Alpha * x),
        UnaryOf<Gelu>((op, x) => op.Approximate
            ? 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))))
            : x * Normal(x)),

        // Straight through: the gradient is that of the limits alone.
        UnaryOf<FakeQuant>((op, x) => op.Min == op.Max ? 0 : Math.Clamp(x, Nudged(op).Low, Nudged(op).High)),
        Same<Cast>(),
        Binary<Div>((op, a, b) => Activate(op.Activation, a / b)),
        Binary<SquaredDifference>((_, a, b) => (a - b) * (a - b)),
        Binary<Maximum>((_, a, b) => Math.Max(a, b)),
        Binary<Minimum>((_, a, b) => Math.Min(a, b)),
        Binary<Pow>((_, a, b) => Math.Pow(a, b)),
        Binary<FloorDiv>((_, a, b) => Math.Floor(a / b)),
        Binary<FloorMod>((_, a, b) => a - (b * Math.Floor(a / b))),
        Binary<Prelu>((_, x, alpha) => x >= 0 ? x : alpha * x),
        Rule<AddN>((_, x) => [[.. x[0]!.Select((_, i) => x.Sum(operand => operand![i]))]]),
        Rule<Select>((node, x) => [[.. x[1]!.Select((yes, i) => x[0]![i / (x[1]!.Length / x[0]!.Length)] != 0 ? yes : x[2]![i])]]),
        Rule<SelectV2>((node, x) =>
        [
            [
                .. Positions(node.Output.Type.Shape).Select(at =>
                {
                    double Operand(int i) => x[i]![Index(at, node.Inputs[i]!.Type.Shape)];
                    return Operand(0) != 0 ? Operand(1) : Operand(2);
                }),
            ],
        ]),
    ];

    private static KeyValuePair<Type, DoubleRule> UnaryOf<TOp>(Func<TOp, double, double> function)
        where TOp : IOp => Rule<TOp>((node, x) => [[.. x[0]!.Select(v => function((TOp)node.Op, v))]]);

    /// <summary>Distribution of the standard normal, by Simpson's rule on the density: wrong by less than 1e-12 up to 4.</summary>
    private static double Normal(double x)
    {
        const int Steps = 400;
        double Density(double t) => Math.Exp(-0.5 * t * t) / Math.Sqrt(2 * Math.PI);
        double width = x / Steps;
        double sum = Density(0) + Density(x);
        for (int i = 1; i < Steps; i++)
        {
            sum += (i % 2 == 0 ? 2 : 4) * Density(i * width);
        }

        return 0.5 + (sum * width / 3);
    }

    private static (double Low, double High) Nudged(FakeQuant op)
    {
        int lowest = op.NarrowRange ? 1 : 0;
        int highest = (1 << op.Bits) - 1;
        double step = ((double)op.Max - op.Min) / (highest - lowest);
        double zero = Math.Round(Math.Clamp(lowest - (op.Min / step), lowest, highest), MidpointRounding.AwayFromZero);
        return ((lowest - zero) * step, (highest - zero) * step);
    }
}
