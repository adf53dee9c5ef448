using System.Collections.Immutable;
using System.Runtime.InteropServices;
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
        new("DIV", DType.I8, Exact, Quotient),
        new("MAXIMUM", DType.I16, Exact, s => OnOneGrid(s, new Maximum())),
        new("MINIMUM", DType.I16, Exact, s => OnOneGrid(s, new Minimum())),
        new("EQUAL", DType.I16, Exact, s => Large(s, new Equal())),
        new("NOT_EQUAL", DType.I16, Exact, s => Large(s, new NotEqual())),
        new("GREATER", DType.I16, Exact, s => Large(s, new Greater())),
        new("LESS_EQUAL", DType.I16, Exact, s => Large(s, new LessEqual())),
        new("LESS", DType.I16, Exact, s => Large(s, new Less())),
        new("GREATER_EQUAL", DType.I16, Exact, s => Large(s, new GreaterEqual())),
        new("SELECT_V2", DType.I16, Exact, s => Selected(s, new SelectV2(), 3)),
        new("CAST", DType.I16, Exact, s => Converted(s, new Cast(s.Pick(DType.F32, DType.I32, DType.I64)), null)),
        new("CAST", DType.Bool, Exact, s => s.Finish(new Cast(s.Pick(DType.F32, DType.I32)), [s.InputOf(DType.Bool, s.Shape(3))])),
        new("DENSIFY", DType.F32, Exact, SparseSum),
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

    /// <summary>Enough numbers on a fine grid for some to be nearly equal.</summary>
    private static OpModel Large(OpSampler s, IOp op)
    {
        QuantParams grid = new(s.Scale(-14, -11), 0);
        return s.Finish(op, [s.Input([20, 50], grid), s.Input([20, 50], grid)]);
    }

    /// <summary>Divisors are never 0, and the scales leave no quotient for which LiteRT's shift is undefined.</summary>
    private static OpModel Quotient(OpSampler s)
    {
        Shape shape = s.Shape(3, most: 8);
        (QuantParams x, QuantParams w) = (s.Grid()!, s.Grid()!);
        sbyte[] divisors = [.. Enumerable.Range(0, shape[2]).Select(_ => (sbyte)s.Int(-128, 127)).Select(v => v == w.ZeroPoint ? (sbyte)(v ^ 1) : v)];
        Value divisor = GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, [shape[2]], divisors), "divisors", w);
        return s.Finish(new Div(Activation(s)), [s.Input(shape, x), divisor], new QuantParams(x.Scale / w.Scale / s.Float(65, 250), s.Int(-100, 100)));
    }

    /// <summary>A matrix that is stored sparse, made dense and added to.</summary>
    private static OpModel SparseSum(OpSampler s)
    {
        (int rows, int columns) = (s.Int(1, 6), s.Int(1, 9));
        List<float> stored = [];
        List<int> indices = [];
        List<int> segments = [0];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                if (s.Int(0, 2) == 0)
                {
                    stored.Add(s.Float(-3, 3));
                    indices.Add(column);
                }
            }

            segments.Add(indices.Count);
        }

        // Without a stored element the buffer is empty, and the tensor no constant for LiteRT.
        if (stored.Count == 0)
        {
            (stored, indices, segments[^1]) = ([1], [0], 1);
        }

        SparseLayout layout = new([0, 1], [], [new(rows, [], []), new(0, [.. segments], [.. indices])]);
        TensorData matrix = new(DType.F32, [rows, columns], MemoryMarshal.AsBytes<float>([.. stored]).ToArray(), layout);
        Value dense = s.Before(new Densify(), GraphBuilder.Constant(matrix, "sparse"));
        return s.Finish(new Add(), [s.Input([rows, columns]), dense]);
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
