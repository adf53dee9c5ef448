using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Tests.Conformance.LiteRt;

/// <summary>Comparisons, logic, selection, quotients and conversions.</summary>
internal static partial class OpFamilies
{
    private static ImmutableArray<OpFamily> Pairs =>
    [
        .. Both("MAXIMUM", s => OnOneGrid(s, new Maximum())),
        .. Both("MINIMUM", s => OnOneGrid(s, new Minimum())),
        .. Both("SQUARED_DIFFERENCE", s => OfPair(s, new SquaredDifference(), (a, b) => Math.Pow(Math.Max(a, b) * 100, 2) / 150)),
        .. Both("EQUAL", s => OfPair(s, new Equal())),
        .. Both("NOT_EQUAL", s => OfPair(s, new NotEqual())),
        .. Both("GREATER", s => OfPair(s, new Greater())),
        .. Both("GREATER_EQUAL", s => OfPair(s, new GreaterEqual())),
        .. Both("LESS", s => OfPair(s, new Less())),
        .. Both("LESS_EQUAL", s => OfPair(s, new LessEqual())),
        .. Both("SELECT", s => Selected(s, new Select(), s.Coin() ? 1 : 3)),
        .. Both("SELECT_V2", s => Selected(s, new SelectV2(), 3)),
        new("LOGICAL_AND", DType.Bool, Exact, s => OfTruths(s, new LogicalAnd())),
        new("LOGICAL_OR", DType.Bool, Exact, s => OfTruths(s, new LogicalOr())),
        new("LOGICAL_NOT", DType.Bool, Exact, s => s.Finish(new LogicalNot(), [s.InputOf(DType.Bool, s.Shape(3))])),
        new("DIV", DType.F32, FloatTolerance, s => OfPair(s, new Div(Activation(s)))),
        new("FLOOR_DIV", DType.F32, Exact, s => OfPair(s, new FloorDiv())),
        new("FLOOR_MOD", DType.F32, FloatTolerance, s => OfPair(s, new FloorMod())),
        new("POW", DType.F32, FloatTolerance, Power),
        new("ADD_N", DType.F32, FloatTolerance, SumOfMany),
        new("CAST", DType.F32, Exact, s => Converted(s, new Cast(s.Pick(DType.I32, DType.I64, DType.Bool)), null)),
        new("CAST", DType.I8, Exact, s => Converted(s, new Cast(s.Pick(DType.F32, DType.I32, DType.I64)), null)),
        new("FAKE_QUANT", DType.F32, Exact, s => Same(s, new FakeQuant(s.Float(-2, 0), s.Float(0.1, 2), s.Int(2, 16)), s.Shape(3))),
    ];

    private static OpModel OnOneGrid(OpSampler s, IOp op)
    {
        Shape shape = s.Shape(4, most: 8);
        QuantParams? grid = s.Grid();
        return s.Finish(op, [s.Input(shape, grid), s.Input(s.Coin() ? shape : [shape[3]], grid)], grid);
    }

    /// <param name="result">Scale of the result from those of the operands; a result without a grid when left out.</param>
    private static OpModel OfPair(OpSampler s, IOp op, Func<double, double, double>? result = null)
    {
        (Value a, Value b) = Pair(s);
        return s.Finish(op, [a, b], result is null || s.IsFloat ? null : s.GridNear(result(a.Type.Scale, b.Type.Scale)));
    }

    private static OpModel OfTruths(OpSampler s, IOp op)
    {
        Shape shape = s.Shape(4, most: 8);
        return s.Finish(op, [s.InputOf(DType.Bool, shape), s.InputOf(DType.Bool, s.Coin() ? shape : [shape[3]])]);
    }

    private static OpModel Selected(OpSampler s, IOp op, int rank)
    {
        Shape shape = s.Shape(3, most: 8);
        Shape condition = rank == 3 ? shape : [shape[0]];
        bool broadcasts = op is SelectV2 && s.Coin();
        QuantParams? grid = s.Grid();
        return s.Finish(
            op,
            [
                s.InputOf(DType.Bool, broadcasts ? condition.With(1, 1) : condition),
                s.Input(shape, grid),
                s.Input(broadcasts ? [shape[2]] : shape, grid),
            ],
            grid);
    }

    private static OpModel Power(OpSampler s)
    {
        Shape shape = s.Shape(3);
        float[] exponents = [.. Enumerable.Range(0, shape[2]).Select(_ => (float)s.Int(0, 4))];
        return s.Finish(new Pow(), [s.Input(shape), GraphBuilder.Constant(TensorData.FromFloats([shape[2]], exponents), "exponents")]);
    }

    private static OpModel SumOfMany(OpSampler s)
    {
        Shape shape = s.Shape(3);
        return s.Finish(new AddN(), [.. Enumerable.Range(0, s.Int(2, 5)).Select(_ => s.Input(shape))]);
    }
}
