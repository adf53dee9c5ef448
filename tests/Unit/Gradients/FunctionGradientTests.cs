using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Gradients;

public class FunctionGradientTests
{
    private const double Clearance = 0.01;

    private static readonly Dictionary<string, Function> Functions = new()
    {
        ["abs"] = new(new Abs(), -2, 2, 0),
        ["neg"] = new(new Neg(), -2, 2),
        ["sqrt"] = new(new Sqrt(), 0.2, 3),
        ["rsqrt"] = new(new Rsqrt(), 0.3, 3),
        ["square"] = new(new Square(), -2, 2),
        ["exp"] = new(new Exp(), -2, 2),
        ["log"] = new(new Log(), 0.2, 3),
        ["sin"] = new(new Sin(), -4, 4),
        ["cos"] = new(new Cos(), -4, 4),
        ["tanh"] = new(new Tanh(), -3, 3),
        ["logistic"] = new(new Logistic(), -5, 5),
        ["floor"] = new(new Floor(), -2.5, 2.5, -2, -1, 0, 1, 2),
        ["ceil"] = new(new Ceil(), -2.5, 2.5, -2, -1, 0, 1, 2),
        ["round"] = new(new Round(), -2, 2, -1.5, -0.5, 0.5, 1.5),
        ["sign"] = new(new Sign(), -2, 2, 0),
        ["zeros like"] = new(new ZerosLike(), -2, 2),
        ["relu"] = new(new Relu(), -2, 2, 0),
        ["relu6"] = new(new Relu6(), -3, 9, 0, 6),
        ["relu -1 to 1"] = new(new ReluN1To1(), -2, 2, -1, 1),
        ["relu 0 to 1"] = new(new Relu0To1(), -1, 2, 0, 1),
        ["leaky relu"] = new(new LeakyRelu(0.3f), -2, 2, 0),
        ["leaky relu, falling"] = new(new LeakyRelu(-1.5f), -2, 2, 0),
        ["elu"] = new(new Elu(), -3, 2, 0),
        ["hard swish"] = new(new HardSwish(), -5, 5, -3, 3),
        ["gelu"] = new(new Gelu(Approximate: false), -4, 4),
        ["gelu, approximate"] = new(new Gelu(Approximate: true), -4, 4),
        ["fake quant"] = new(new FakeQuant(-1, 1), -2, 2, -256d / 255, 254d / 255),
        ["fake quant, narrow"] = new(new FakeQuant(-1, 1, 4, NarrowRange: true), -2, 2, -1, 1),
        ["fake quant, empty"] = new(new FakeQuant(0, 0), -2, 2),
    };

    public static TheoryData<string, int> UnaryCases
    {
        get
        {
            TheoryData<string, int> cases = [];
            foreach (string function in Functions.Keys)
            {
                for (int seed = 1; seed <= 3; seed++)
                {
                    cases.Add(function, seed);
                }
            }

            return cases;
        }
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(UnaryCases))]
    public void Functions_of_one_number(string name, int seed)
    {
        Function function = Functions[name];
        GradientCheck.Verify(
            seed,
            (builder, random) =>
            {
                Value x = builder.Input("x", new(DType.F32, seed == 3 ? Shape.Scalar : RandomShape(random)));
                return ([x], [builder.Add(function.Op, [x], "y").Output]);
            },
            function.Draw);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Quotients_and_powers_over_broadcasts(int seed) => GradientCheck.Verify(
        seed,
        (builder, random) =>
        {
            (Value a, Value b) = Pair(builder, random);
            IOp op = random.Next(5) switch
            {
                0 => new Div(),
                1 => new Div(FusedActivation.ReluN1To1),
                2 => new Pow(),
                3 => new FloorMod(),
                _ => new FloorDiv(),
            };
            return ([a, b], [builder.Add(op, [a, b], "y").Output]);
        },
        random => 0.3 + (random.NextDouble() * 1.4));

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Differences_and_extrema_over_broadcasts(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        (Value a, Value b) = Pair(builder, random);
        IOp op = random.Next(3) switch
        {
            0 => new SquaredDifference(),
            1 => new Maximum(),
            _ => new Minimum(),
        };
        return ([a, b], [builder.Add(op, [a, b], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Slopes_of_a_rectifier(int seed) => GradientCheck.Verify(
        seed,
        (builder, random) =>
        {
            Shape shape = RandomShape(random);
            Value x = builder.Input("x", new(DType.F32, shape));
            Value alpha = builder.Input("alpha", new(DType.F32, Reduced(random, shape)));
            return ([x, alpha], [builder.Add(new Prelu(), [x, alpha], "y").Output]);
        },
        Functions["abs"].Draw);

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Sums_of_many(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Shape shape = RandomShape(random);
        ImmutableArray<Value> inputs = [.. Enumerable.Range(0, random.Next(2, 5)).Select(i => builder.Input($"x{i}", new(DType.F32, shape)))];
        return (inputs, [builder.Add(new AddN(), [.. inputs], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Selected_values(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Shape shape = RandomShape(random);
        Shape condition = random.Next(3) switch
        {
            0 => Shape.Scalar,
            1 => Shape.Of([shape[0]]),
            _ => shape,
        };
        Value a = builder.Input("a", new(DType.F32, shape));
        Value b = builder.Input("b", new(DType.F32, shape));
        return ([a, b], [builder.Add(new Select(), [Condition(random, condition), a, b], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Selected_values_over_broadcasts(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Shape shape = RandomShape(random);
        Value a = builder.Input("a", new(DType.F32, Reduced(random, shape)));
        Value b = builder.Input("b", new(DType.F32, Reduced(random, shape)));
        return ([a, b], [builder.Add(new SelectV2(), [Condition(random, Reduced(random, shape)), a, b], "y").Output]);
    });

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.F64)]
    public void Narrow_floats_pass_a_gradient(DType type) => GradientCheck.Verify(1, (builder, random) =>
    {
        Value x = builder.Input("x", new(DType.F32, [2, 3]));
        Value narrow = builder.Add(new Cast(type), [x], "narrow").Output;
        return ([x], [builder.Add(new Cast(DType.F32), [narrow], "wide").Output]);
    });

    [Fact]
    public void Integers_carry_no_gradient()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, Shape.Scalar));
        Value whole = builder.Add(new Cast(DType.I32), [x], "whole").Output;
        Value y = builder.Add(new Cast(DType.F32), [whole], "y").Output;
        Assert.Null(Optc.Ops.Gradients.Differentiation.Add(builder, y, [x])[0]);
    }

    [Theory]
    [InlineData(0f, 0f, 0f, 0f)]
    [InlineData(0f, 2f, 0f, 0f)]
    [InlineData(-2f, 3f, 12f, 0f)]
    [InlineData(-2f, 0f, 0f, 0f)]
    public void Powers_at_the_edge_have_finite_gradients(float a, float b, float toBase, float toExponent)
    {
        float[][] gradients = GradientCheck.Gradients(
            builder =>
            {
                Value x = builder.Input("x", new(DType.F32, Shape.Scalar));
                Value y = builder.Input("y", new(DType.F32, Shape.Scalar));
                return ([x, y], builder.Add(new Pow(), [x, y], "z").Output);
            },
            [a],
            [b]);
        Assert.Equal([toBase], gradients[0]);
        Assert.Equal([toExponent], gradients[1]);
    }

    [Fact]
    public void Of_equal_operands_the_first_is_the_extremum()
    {
        float[][] gradients = GradientCheck.Gradients(
            builder =>
            {
                Value x = builder.Input("x", new(DType.F32, Shape.Scalar));
                Value y = builder.Input("y", new(DType.F32, Shape.Scalar));
                return ([x, y], builder.Add(new Maximum(), [x, y], "z").Output);
            },
            [2],
            [2]);
        Assert.Equal([1f], gradients[0]);
        Assert.Equal([0f], gradients[1]);
    }

    internal static Shape RandomShape(Random random, int maximumRank = 4) =>
        Shape.Of([.. Enumerable.Range(0, random.Next(1, maximumRank + 1)).Select(_ => random.Next(1, 4))]);

    /// <summary>Some dimensions made 1, some in front left out.</summary>
    internal static Shape Reduced(Random random, Shape shape) => Shape.Of(
        [.. shape.Select(d => random.Next(3) == 0 ? 1 : d).Skip(random.Next(3) == 0 ? random.Next(shape.Rank) : 0)]);

    private static (Value A, Value B) Pair(GraphBuilder builder, Random random)
    {
        (Shape a, Shape b) = ElementwiseGradientTests.Broadcast(random);
        a = random.Next(5) == 0 ? Shape.Scalar : a;
        return (builder.Input("a", new(DType.F32, a)), builder.Input("b", new(DType.F32, b)));
    }

    private static Value Condition(Random random, Shape shape) => GraphBuilder.Constant(
        TensorData.From<byte>(DType.Bool, shape, [.. Enumerable.Range(0, (int)shape.ElementCount).Select(_ => (byte)random.Next(2))]), "condition");

    /// <summary>A function, where to test it, and places to keep clear of.</summary>
    private sealed record Function(IOp Op, double Low, double High, params double[] Kinks)
    {
        public double Draw(Random random)
        {
            double x;
            do
            {
                x = Low + (random.NextDouble() * (High - Low));
            }
            while (Kinks.Any(k => Math.Abs(x - k) < Clearance));

            return x;
        }
    }
}
