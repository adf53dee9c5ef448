using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Tests.Unit.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class ArithmeticTests
{
    private const int Seeds = 60;

    public static TheoryData<string> FloatOps() => new("add", "sub", "mul", "div", "squared_difference", "maximum", "minimum", "floor_mod", "pow");

    [Theory]
    [MemberData(nameof(FloatOps))]
    public void Floats_are_combined_one_by_one(string name)
    {
        (IOp op, Func<float, float, float> expected) = FloatModel(name);
        for (int seed = 0; seed < Seeds; seed++)
        {
            Random random = new(seed);
            (Shape a, Shape b) = ElementModel.Pair(random);
            float[] x = ElementModel.Floats(random, a);
            float[] w = ElementModel.Floats(random, b);

            float[] y = new OpCase(op).Input<float>(DType.F32, a, x).Input<float>(DType.F32, b, w).Run<float>();

            Assert.True(ElementModel.Combine(a, x, b, w, expected).SequenceEqual(y), $"{name}, seed {seed}: {a} and {b}");
        }
    }

    [Fact]
    public void Integers_wrap()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Check<int>(seed, new Add(), DType.I32, static (a, b) => unchecked(a + b));
            Check<int>(seed, new Sub(), DType.I32, static (a, b) => unchecked(a - b));
            Check<int>(seed, new Mul(), DType.I32, static (a, b) => unchecked(a * b));
            Check<long>(seed, new Mul(), DType.I64, static (a, b) => unchecked(a * b));
            Check<short>(seed, new Add(), DType.I16, static (a, b) => unchecked((short)(a + b)));
            Check<int>(seed, new SquaredDifference(), DType.I32, static (a, b) => unchecked((a - b) * (a - b)));
            Check<long>(seed, new Maximum(), DType.I64, Math.Max);
            Check<short>(seed, new Minimum(), DType.I16, Math.Min);
            Check<byte>(seed, new Maximum(), DType.U8, Math.Max);
            Check<sbyte>(seed, new Minimum(), DType.I8, Math.Min);
        }
    }

    [Fact]
    public void Integer_quotients_are_truncated_or_floored()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Check<int>(seed, new Div(), DType.I32, static (a, b) => unchecked((int)(long)((BigInteger)a / b)), nonZero: true);
            Check<int>(seed, new FloorDiv(), DType.I32, static (a, b) => unchecked((int)(long)Floor(a, b)), nonZero: true);
            Check<short>(seed, new FloorDiv(), DType.I16, static (a, b) => unchecked((short)(long)Floor(a, b)), nonZero: true);
            Check<sbyte>(seed, new FloorDiv(), DType.I8, static (a, b) => unchecked((sbyte)(long)Floor(a, b)), nonZero: true);
            Check<int>(seed, new FloorMod(), DType.I32, static (a, b) => (int)(a - (b * Floor(a, b))), nonZero: true);
            Check<long>(seed, new FloorMod(), DType.I64, static (a, b) => (long)(a - (b * Floor(a, b))), nonZero: true);
            Check<sbyte>(seed, new FloorMod(), DType.I8, static (a, b) => (sbyte)(a - (b * Floor(a, b))), nonZero: true);
            Check<short>(seed, new FloorMod(), DType.I16, static (a, b) => (short)(a - (b * Floor(a, b))), nonZero: true);
        }

        static BigInteger Floor(BigInteger a, BigInteger b) => ExactArithmetic.Floor(b.Sign < 0 ? -a : a, BigInteger.Abs(b));
    }

    [Fact]
    public void Float_quotients_are_floored_in_double_precision()
    {
        Assert.Equal(
            [-2f, 2, -3, 0, 16777216],
            new OpCase(new FloorDiv()).Input(DType.F32, [5], -5f, 5, 7.5f, 0.1f, 16777216).Input(DType.F32, [5], 3f, 2.5f, -3, 0.2f, 1).Run<float>());

        // In single precision the quotient is 5.
        (float a, float b) = (41943024, 8388605);
        Assert.Equal(5f, a / b);
        Assert.Equal([4f], new OpCase(new FloorDiv()).Input(DType.F32, [1], a).Input(DType.F32, [1], b).Run<float>());
    }

    [Fact]
    public void Integer_powers_are_repeated_products()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Check<int>(
                seed,
                new Pow(),
                DType.I32,
                static (a, b) => (int)(uint)BigInteger.ModPow(a & uint.MaxValue, b, BigInteger.One << 32),
                second: random => random.Next(0, 70));
        }
    }

    [Fact]
    public void Nothing_is_divided_by_zero()
    {
        Assert.Contains("divided by 0", Failure(new Div(), DType.I32, 7, 0), StringComparison.Ordinal);
        Assert.Contains("divided by 0", Failure(new FloorDiv(), DType.I32, 7, 0), StringComparison.Ordinal);
        Assert.Contains("divided by 0", Failure(new FloorDiv(), DType.F32, 7f, 0f), StringComparison.Ordinal);
        Assert.Contains("divided by 0", Failure(new FloorMod(), DType.I64, 7L, 0L), StringComparison.Ordinal);
        Assert.Contains("negative power", Failure(new Pow(), DType.I32, 7, -1), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DType.I8, 20)]
    [InlineData(DType.U8, 20)]
    [InlineData(DType.I16, 15)]
    public void Quantized_sums_meet_at_a_common_scale(DType type, int left)
    {
        foreach (bool subtracts in new[] { false, true })
        {
            CheckQuantized(type, subtracts ? new Sub() : new Add(), (a, b, y) =>
            {
                double common = 2.0 * Math.Max(a.Scale, b.Scale);
                (double first, double second) = (a.Scale / common, b.Scale / common);
                double result = common / (Math.Pow(2, left) * y.Scale);
                if (subtracts)
                {
                    float single = 2 * Math.Max(a.Scale, b.Scale);
                    (first, second, result) = (a.Scale / single, b.Scale / single, single / ((float)Math.Pow(2, left) * y.Scale));
                }

                return (x, w) => Rescale(result, Rescale(first, (int)(x - a.ZeroPoint) << left)
                    + ((subtracts ? -1 : 1) * Rescale(second, (int)(w - b.ZeroPoint) << left)));
            });
        }
    }

    [Theory]
    [InlineData(DType.I8)]
    [InlineData(DType.U8)]
    [InlineData(DType.I16)]
    public void Quantized_products_are_scaled_once(DType type) => CheckQuantized(type, new Mul(), (a, b, y) =>
        (x, w) => Rescale((double)a.Scale * b.Scale / y.Scale, (int)((x - a.ZeroPoint) * (w - b.ZeroPoint))));

    [Theory]
    [InlineData(DType.I8, 7)]
    [InlineData(DType.I16, 0)]
    public void Quantized_differences_are_squared_at_a_common_scale(DType type, int left) =>
        CheckQuantized(type, new SquaredDifference(), (a, b, y) =>
        {
            double common = 2 * Math.Max(a.Scale, b.Scale);
            double result = common * common / ((float)Math.Pow(2, 2 * left) * y.Scale);
            return (x, w) =>
            {
                int difference = Rescale(a.Scale / common, (int)(x - a.ZeroPoint) << left)
                    - Rescale(b.Scale / common, (int)(w - b.ZeroPoint) << left);
                return Rescale(result, unchecked(difference * difference));
            };
        });

    /// <summary>The rule of the reference gives the rounded quotient but for the precision of its reciprocal.</summary>
    [Theory]
    [InlineData(DType.I8)]
    [InlineData(DType.U8)]
    public void Quantized_quotients_are_the_rounded_ones(DType type)
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Random random = new(seed);
            Shape shape = [40];
            (QuantParams a, QuantParams b, QuantParams y) = (Quant(random, type), Quant(random, type), new(0.05f, Quant(random, type).ZeroPoint));
            int[] x = ElementModel.Fill(shape, () => Raw(random, type));
            int[] w = [.. ElementModel.Fill(shape, () => Raw(random, type)).Select(v => v == b.ZeroPoint ? (v == 1 ? 2 : 1) : v)];
            (int low, int high) = type is DType.I8 ? (-128, 127) : (0, 255);

            int[] actual = RunRaw(new Div(), type, shape, x, a, shape, w, b, y);

            for (int i = 0; i < x.Length; i++)
            {
                double real = (x[i] - a.ZeroPoint) * (double)a.Scale / ((w[i] - b.ZeroPoint) * (double)b.Scale) / y.Scale;
                double exact = Math.Clamp(real + y.ZeroPoint, low, high);
                Assert.True(Math.Abs(actual[i] - exact) <= 0.5 + (1e-6 * Math.Abs(real)), $"seed {seed}: {x[i]} / {w[i]} gave {actual[i]}, not {exact}");
            }
        }
    }

    [Fact]
    public void A_quantized_quotient_follows_the_steps_of_the_reference()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Random random = new(seed);
            (QuantParams a, QuantParams b, QuantParams y) = (Quant(random, DType.I8), Quant(random, DType.I8), Quant(random, DType.I8));
            FixedPoint factor = ExactArithmetic.Normalize(a.Scale / (b.Scale * y.Scale));
            int[] x = ElementModel.Fill([40], () => Raw(random, DType.I8));
            int[] w = [.. ElementModel.Fill([40], () => Raw(random, DType.I8)).Select(v => v == b.ZeroPoint ? (v == 1 ? 2 : 1) : v)];

            int[] actual = RunRaw(new Div(), DType.I8, [40], x, a, [40], w, b, y);

            for (int i = 0; i < x.Length; i++)
            {
                int dividend = (int)(x[i] - a.ZeroPoint) * (w[i] < b.ZeroPoint ? -1 : 1);
                int divisor = (int)Math.Abs(w[i] - b.ZeroPoint);

                // Number of sign bits that repeat, found by shifting.
                int headroom = 0;
                while (headroom < 31 && dividend << (headroom + 1) >> (headroom + 1) == dividend)
                {
                    headroom++;
                }

                (int inverse, int shift) = FixedPointMath.Reciprocal(divisor, 31);
                int quotient = ExactArithmetic.HighProduct(dividend << headroom, inverse);
                int right = shift + headroom - factor.Exponent;
                Assert.True(right >= 0);
                int scaled = right > 31 ? 0 : ExactArithmetic.ShiftRight(ExactArithmetic.HighProduct(quotient, factor.Mantissa), right);
                Assert.Equal(Math.Clamp(scaled + y.ZeroPoint, -128, 127), actual[i]);
            }
        }
    }

    [Fact]
    public void Quotients_without_a_result_in_the_reference_are_refused()
    {
        string message = Assert.Throws<DiagnosticException>(
            () => RunRaw(new Div(), DType.I8, [1], [100], new(1000, 0), [1], [1], new(1e-3f, 0), new(1e-3f, 0))).Message;
        Assert.Contains("shift", message, StringComparison.Ordinal);
        Assert.Throws<DiagnosticException>(
            () => RunRaw(new Div(), DType.U8, [1], [100], new(1, 0), [1], [7], new(1, 7), new(1, 0)));
    }

    [Fact]
    public void Raw_maxima_need_one_quantization()
    {
        OpCase Case(QuantParams a, QuantParams b, QuantParams y) => new OpCase(new Maximum())
            .Input<sbyte>(a.With(DType.I8, [2]), 3, -4).Input<sbyte>(b.With(DType.I8, [2]), -3, 4).OutputQuant(y.Scale, y.ZeroPoint);

        QuantParams q = new(0.5f, 3);
        Assert.Equal([3, 4], Case(q, q, q).Run<sbyte>().Select(v => (int)v));
        Assert.Throws<DiagnosticException>(() => Case(q, new(0.25f, 3), q).Run<sbyte>());
        Assert.Throws<DiagnosticException>(() => Case(q, q, new(0.5f, 2)).Run<sbyte>());
        Assert.Equal(
            [2f, 5],
            new OpCase(new Maximum()).Input(DType.F32, [2], float.NaN, 5).Input(DType.F32, [2], 2f, float.NaN).Run<float>()
                .Select(v => float.IsNaN(v) ? 5 : v));
    }

    [Fact]
    public void Floored_quotients_of_quantized_integers_are_refused()
    {
        QuantParams q = new(0.5f, 0);
        foreach (IOp op in new IOp[] { new FloorDiv(), new FloorMod() })
        {
            Assert.Throws<DiagnosticException>(() => new OpCase(op)
                .Input<sbyte>(q.With(DType.I8, [1]), 3).Input<sbyte>(q.With(DType.I8, [1]), 2).OutputQuant(0.5f, 0).Run<sbyte>());
        }
    }

    [Fact]
    public void Activations_limit_quotients()
    {
        Assert.Equal(
            [0f, 6, 0.5f],
            new OpCase(new Div(FusedActivation.Relu6)).Input(DType.F32, [3], -1f, 100, 1).Input(DType.F32, [3], 1f, 2, 2).Run<float>());
        Assert.Equal(
            [0, 6],
            new OpCase(new Div(FusedActivation.Relu6)).Input(DType.I32, [2], -9, 100).Input(DType.I32, [1], 2).Run<int>());
        Assert.Equal(
            [float.MaxValue],
            new OpCase(new Div()).Input(DType.F32, [1], 1f).Input(DType.F32, [1], 0f).Run<float>());
    }

    [Fact]
    public void Refuses_shapes_and_types_that_do_not_fit()
    {
        foreach (IOp op in new IOp[] { new Div(), new Maximum(), new SquaredDifference(), new FloorMod(), new Less() })
        {
            Assert.Throws<OpRuleException>(() => new OpCase(op).Input<float>(DType.F32, [2]).Input<float>(DType.F32, [3]).Infer());
            Assert.Throws<OpRuleException>(() => new OpCase(op).Input<float>(DType.F32, [2]).Input<int>(DType.I32, [2]).Infer());
            Assert.Throws<OpRuleException>(() => new OpCase(op).Input<float>(DType.F32, [2]).Infer());
            Assert.Throws<OpRuleException>(() => new OpCase(op).Input<float>(DType.F32, [1, 1, 1, 1, 1, 1, 1, 1, 2]).Input<float>(DType.F32, [2]).Infer());
            Assert.Throws<OpRuleException>(() => new OpCase(op).Input<float>(DType.C64, [2]).Input<float>(DType.C64, [2]).Infer());
            Assert.Equal(Shape.Of([3, -1, 2]), new OpCase(op).Input<float>(DType.F32, [-1, 1]).Input<float>(DType.F32, [3, -1, 2]).Infer()[0].Shape);
        }
    }

    [Theory]
    [InlineData(DType.F32, 1, 1, 2, 1, 1)]
    [InlineData(DType.I8, 1, 2, 3, 2, 2)]
    [InlineData(DType.I16, 1, 4, 3, 2, 1)]
    [InlineData(DType.I32, 1, 1, 1, 1, 1)]
    public void Has_the_version_of_the_table(DType type, int div, int maximum, int floorDiv, int floorMod, int squared)
    {
        TensorType x = new(type, [2]);
        Assert.Equal(div, Version(new Div(), x, x));
        Assert.Equal(maximum, Version(new Maximum(), x, x));
        Assert.Equal(maximum, Version(new Minimum(), x, x));
        Assert.Equal(floorDiv, Version(new FloorDiv(), x, x));
        Assert.Equal(floorMod, Version(new FloorMod(), x, x));
        Assert.Equal(squared, Version(new SquaredDifference(), x, x));
        TensorType deep = new(type, [2, 1, 1, 1, 2]);
        Assert.Equal(2, Version(new Div(), deep, x));
        Assert.Equal(1, Version(new Div(), deep, deep));
        Assert.Equal(type is DType.I16 ? 4 : 3, Version(new Maximum(), x, deep));
        Assert.Equal(1, Version(new Pow(), deep, x));

        static int Version(IOp op, TensorType a, TensorType b) => new OpCase(op).Input<byte>(a).Input<byte>(b).Version();
    }

    [Fact]
    public void The_activation_survives_text_and_file()
    {
        Div op = new(FusedActivation.Relu6);
        Assert.Equal(op, OpCase.Reparse(op));
        TensorType x = new(DType.F32, [2]);
        DivOptions options = Assert.IsType<DivOptions>(op.Write(new(new(x, x), [])).Options);
        Assert.Equal(ActivationFunctionType.Relu6, options.FusedActivationFunction);
    }

    private static string Failure<T>(IOp op, DType type, T a, T b)
        where T : unmanaged =>
        Assert.Throws<DiagnosticException>(() => new OpCase(op).Input(type, [1], a).Input(type, [1], b).Run<T>()).Message;

    private static (IOp Op, Func<float, float, float> Expected) FloatModel(string name) => name switch
    {
        "add" => (new Add(), (a, b) => Finite(a + b)),
        "sub" => (new Sub(), (a, b) => Finite(a - b)),
        "mul" => (new Mul(), (a, b) => Finite(a * b)),
        "div" => (new Div(), (a, b) => Finite(a / b)),
        "squared_difference" => (new SquaredDifference(), (a, b) => (a - b) * (a - b)),
        "maximum" => (new Maximum(), (a, b) => a > b ? a : b),
        "minimum" => (new Minimum(), (a, b) => a < b ? a : b),
        "pow" => (new Pow(), MathF.Pow),
        _ => (new FloorMod(), (a, b) =>
        {
            float rest = MathF.IEEERemainder(a, b);
            float magnitude = MathF.Abs(b);

            // The remainder of the nearest multiple, moved to the truncated quotient, then to the floored one.
            rest = a > 0 && rest < 0 ? rest + magnitude : a < 0 && rest > 0 ? rest - magnitude : rest;
            return rest != 0 && rest < 0 != b < 0 ? rest + b : rest;
        }
        ),
    };

    /// <summary>Without an activation the reference limits to finite numbers.</summary>
    private static float Finite(float value) => float.IsNaN(value) ? value : Math.Clamp(value, float.MinValue, float.MaxValue);

    private static int Rescale(double factor, int value) => ExactArithmetic.Scale(ExactArithmetic.Normalize(factor), value);

    private static QuantParams Quant(Random random, DType type) => ElementModel.Quant(random, type);

    private static int Raw(Random random, DType type) => type switch
    {
        DType.I8 => random.Next(-128, 128),
        DType.U8 => random.Next(0, 256),
        _ => random.Next(-32768, 32768),
    };

    private static void Check<T>(int seed, IOp op, DType type, Func<T, T, T> expected, bool nonZero = false, Func<Random, T>? second = null)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        Random random = new(seed);
        (Shape a, Shape b) = ElementModel.Pair(random);
        T[] x = ElementModel.Integers<T>(random, a);
        T[] w = second is null ? ElementModel.Integers<T>(random, b) : ElementModel.Fill(b, () => second(random));
        if (nonZero)
        {
            w = [.. w.Select(v => v == T.Zero ? T.CreateTruncating(-1) : v)];
        }

        T[] y = new OpCase(op).Input<T>(type, a, x).Input<T>(type, b, w).Run<T>();

        Assert.True(ElementModel.Combine(a, x, b, w, expected).SequenceEqual(y), $"{op.Schema.Name} {type}, seed {seed}: {a} and {b}");
    }

    private static void CheckQuantized(
        DType type, IOp op, Func<QuantParams, QuantParams, QuantParams, Func<int, int, int>> rule)
    {
        (int low, int high) = type switch { DType.I8 => (-128, 127), DType.U8 => (0, 255), _ => (-32768, 32767) };
        for (int seed = 0; seed < Seeds; seed++)
        {
            Random random = new(seed);
            (Shape a, Shape b) = ElementModel.Pair(random);
            (QuantParams qa, QuantParams qb, QuantParams qy) = (Quant(random, type), Quant(random, type), Quant(random, type));
            int[] x = ElementModel.Fill(a, () => Raw(random, type));
            int[] w = ElementModel.Fill(b, () => Raw(random, type));
            Func<int, int, int> element = rule(qa, qb, qy);
            int[] expected = ElementModel.Combine(
                a, x, b, w, (first, second) => (int)Math.Clamp((long)element(first, second) + qy.ZeroPoint, low, high));

            int[] actual = RunRaw(op, type, a, x, qa, b, w, qb, qy);

            Assert.True(expected.SequenceEqual(actual), $"{op.Schema.Name} {type}, seed {seed}: {a} {qa} and {b} {qb} to {qy}");
        }
    }

    private static int[] RunRaw(
        IOp op, DType type, Shape a, int[] x, QuantParams qa, Shape b, int[] w, QuantParams qb, QuantParams qy)
    {
        return type switch
        {
            DType.I8 => Run<sbyte>(),
            DType.U8 => Run<byte>(),
            _ => Run<short>(),
        };

        int[] Run<T>()
            where T : unmanaged, IBinaryInteger<T> =>
        [
            .. new OpCase(op)
                .Input<T>(qa.With(type, a), [.. x.Select(T.CreateChecked)])
                .Input<T>(qb.With(type, b), [.. w.Select(T.CreateChecked)])
                .OutputQuant(qy.Scale, qy.ZeroPoint)
                .Run<T>()
                .Select(int.CreateChecked),
        ];
    }
}
