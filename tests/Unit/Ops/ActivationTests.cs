using System.Numerics;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Tests.Unit.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class ActivationTests
{
    private const int Seeds = 60;

    private static readonly float[] Special =
    [
        0, -0f, 1, -1, 0.5f, -0.5f, 1.5f, 2.5f, -2.5f, 3, -3, 6, 7, -9, -9.5f, 16.7f, 88, -88, 1e-8f, -1e-8f, 3e-5f, -1e-6f, 1e4f,
        float.PositiveInfinity, float.NegativeInfinity, float.NaN, float.MaxValue, float.MinValue, float.Epsilon,
    ];

    public static TheoryData<string> FloatOps() => [.. FloatModels.Select(m => m.Op.Schema.Name + ((m.Op as Gelu)?.Approximate == true ? "~" : ""))];

    // Error in units of the result, and absolute where a result may be a difference of nearly equal numbers.
    private static (IOp Op, Func<double, double> Model, double Relative, double Absolute)[] FloatModels =>
    [
        (new Abs(), Math.Abs, 0, 0),
        (new Neg(), x => -x, 0, 0),
        (new Square(), x => (float)(x * x), 0, 0),
        (new Floor(), Math.Floor, 0, 0),
        (new Ceil(), Math.Ceiling, 0, 0),
        (new Round(), x => Math.Round(x, MidpointRounding.ToEven), 0, 0),
        (new Sign(), x => double.IsNaN(x) ? 0 : Math.Sign(x), 0, 0),
        (new Sqrt(), x => (float)Math.Sqrt(x), 0, 0),
        (new Rsqrt(), x => 1 / Math.Sqrt(x), 2e-7, 0),
        (new Relu(), x => x < 0 ? 0 : x, 0, 0),
        (new Relu6(), x => x < 0 ? 0 : x > 6 ? 6 : x, 0, 0),
        (new ReluN1To1(), x => x < -1 ? -1 : x > 1 ? 1 : x, 0, 0),
        (new Relu0To1(), x => x < 0 ? 0 : x > 1 ? 1 : x, 0, 0),
        (new LeakyRelu(0.1f), x => x > 0 ? x : (float)(x * 0.1f), 0, 0),
        (new Exp(), Math.Exp, 3e-7, 1e-44),
        (new Log(), Math.Log, 3e-7, 1e-7),
        (new Sin(), Math.Sin, 3e-7, 1e-7),
        (new Cos(), Math.Cos, 3e-7, 1e-7),
        (new Tanh(), Math.Tanh, 3e-7, 0),
        (new Logistic(), x => x < -9 ? Math.Exp(x) : 1 / (1 + Math.Exp(-x)), 4e-7, 1e-44),
        (new Elu(), x => x < 0 ? (x > -1e-3 ? x + (x * x / 2) + (x * x * x / 6) : Math.Exp(x) - 1) : x, 3e-7, 0),
        (new HardSwish(), x => x * Math.Min(6, Math.Max(0, x + 3)) / 6, 5e-7, 1e-44),
        (new Gelu(false), x => x / 2 * Erfc(-x / Math.Sqrt(2)), 1e-5, 1e-8),
        (new Gelu(true), x => x / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))), 1e-5, 4e-7),
    ];

    [Theory]
    [MemberData(nameof(FloatOps))]
    public void Floats_go_through_the_function(string name)
    {
        (IOp op, Func<double, double> model, double relative, double absolute) = FloatModels.Single(
            m => m.Op.Schema.Name + ((m.Op as Gelu)?.Approximate == true ? "~" : "") == name);
        Random random = new(7);
        float[] x = [.. Special.Where(v => InDomain(op, v)), .. ElementModel.Fill(Shape.Of([2000]), () => (random.NextSingle() - 0.5f) * 24)];

        float[] y = new OpCase(op).Input<float>(DType.F32, [x.Length], x).Run<float>();

        for (int i = 0; i < x.Length; i++)
        {
            double expected = model(x[i]);
            bool overflows = Math.Abs(expected) > float.MaxValue && float.IsInfinity(y[i]) && Math.Sign(expected) == Math.Sign(y[i]);
            Assert.True(
                expected.Equals((double)y[i]) || overflows || Math.Abs(expected - y[i]) <= absolute + (relative * Math.Abs(expected)),
                $"{name}({x[i]:R}) is {y[i]:R}, not {expected:R}");
        }
    }

    /// <summary>Whole vectors and what is left behind them give the same.</summary>
    [Theory]
    [MemberData(nameof(FloatOps))]
    public void The_place_of_an_element_does_not_matter(string name)
    {
        IOp op = FloatModels.Single(m => m.Op.Schema.Name + ((m.Op as Gelu)?.Approximate == true ? "~" : "") == name).Op;
        Random random = new(8);
        float[] x = ElementModel.Fill(Shape.Of([43]), () => (random.NextSingle() - 0.4f) * 9);
        float[] all = Run(x);

        foreach (int length in new[] { 1, 3, 7, 8, 9, 17, 31 })
        {
            Assert.Equal(all[..length], Run(x[..length]));
            Assert.Equal(all[(43 - length)..], Run(x[(43 - length)..]));
        }

        float[] Run(float[] values) => new OpCase(op).Input<float>(DType.F32, [values.Length], values).Run<float>();
    }

    [Fact]
    public void Plain_integers_wrap()
    {
        int[] x = [0, 1, -1, 7, int.MaxValue, int.MinValue];
        Assert.Equal(x.Select(v => v < 0 ? unchecked(-v) : v), new OpCase(new Abs()).Input<int>(DType.I32, [6], x).Run<int>());
        Assert.Equal(x.Select(v => unchecked(-v)), new OpCase(new Neg()).Input<int>(DType.I32, [6], x).Run<int>());
        Assert.Equal(x.Select(Math.Sign), new OpCase(new Sign()).Input<int>(DType.I32, [6], x).Run<int>());
        Assert.Equal([long.MinValue, 3], new OpCase(new Neg()).Input(DType.I64, [2], long.MinValue, -3L).Run<long>());
        Assert.Equal(new short[] { short.MinValue, 3 }, new OpCase(new Abs()).Input<short>(DType.I16, [2], short.MinValue, -3).Run<short>());
    }

    [Theory]
    [InlineData(DType.I8)]
    [InlineData(DType.U8)]
    [InlineData(DType.I16)]
    public void Rectifiers_rescale_in_fixed_point(DType type)
    {
        ForEveryRaw(type, new Relu(), (x, y, q) => Math.Max(y.ZeroPoint, y.ZeroPoint + Rescale(x.Scale / y.Scale, q - x.ZeroPoint)));
        if (type is not DType.U8)
        {
            ForEveryRaw(type, new LeakyRelu(0.3f), (x, y, q) => y.ZeroPoint
                + (q >= x.ZeroPoint ? Rescale(x.Scale / y.Scale, q - x.ZeroPoint) : Rescale(x.Scale * 0.3f / y.Scale, q - x.ZeroPoint)));
            ForEveryRaw(type, new LeakyRelu(-0.3f), (x, y, q) => y.ZeroPoint
                + (q >= x.ZeroPoint ? Rescale(x.Scale / y.Scale, q - x.ZeroPoint) : -Rescale(x.Scale * 0.3f / y.Scale, q - x.ZeroPoint)));
            ForEveryRaw(type, new Abs(), (x, y, q) => y.ZeroPoint + Rescale(x.Scale / y.Scale, Math.Abs(q - x.ZeroPoint)));
        }
    }

    [Theory]
    [InlineData(DType.I8)]
    [InlineData(DType.U8)]
    [InlineData(DType.I16)]
    public void Bounded_rectifiers_clamp_raw_values(DType type)
    {
        ForEveryRaw(type, new Relu6(), (x, _, q) => Math.Clamp(q, x.ZeroPoint, Math.Max(x.ZeroPoint, Math.Min(High(type), x.ZeroPoint + Steps(6, x)))), sameQuant: true);
        if (type is not DType.I16)
        {
            ForEveryRaw(
                type,
                new ReluN1To1(),
                (x, _, q) => Math.Min(Math.Max(q, Math.Max(Low(type), x.ZeroPoint + Steps(-1, x))), Math.Min(High(type), x.ZeroPoint + Steps(1, x))),
                sameQuant: true);
        }

        static int Steps(float bound, QuantParams x) => (int)MathF.Round(bound / x.Scale, MidpointRounding.AwayFromZero);
    }

    [Theory]
    [InlineData(DType.I8)]
    [InlineData(DType.U8)]
    public void Tabulated_functions_are_the_rounded_real_ones(DType type)
    {
        Near(type, new Gelu(false), x => x / 2 * Erfc(-x / Math.Sqrt(2)), null);
        Near(type, new Gelu(true), x => x / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))), null);
        Near(type, new Logistic(), x => 1 / (1 + Math.Exp(-x)), new(1f / 256, type is DType.I8 ? -128 : 0), 1.02);
        Near(type, new Tanh(), Math.Tanh, new(1f / 128, type is DType.I8 ? 0 : 128), 1.02);
        if (type is DType.I8)
        {
            Near(type, new Elu(), x => x < 0 ? Math.Exp(x) - 1 : x, null);
            Near(type, new Exp(), Math.Exp, null);
        }
    }

    [Fact]
    public void Wide_sigmoids_are_near_the_real_ones()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            Random random = new(seed);
            float scale = seed == 0 ? 1f / 4096 : (float)Math.Pow(2, -15 + (random.NextDouble() * 5));
            short[] x = [.. Enumerable.Range(-32768, 65536).Select(v => (short)v)];
            TensorType type = new QuantParams(scale, 0).With(DType.I16, [x.Length]);

            short[] logistic = new OpCase(new Logistic()).Input<short>(type, x).OutputQuant(1f / 32768, 0).Run<short>();
            short[] tanh = new OpCase(new Tanh()).Input<short>(type, x).OutputQuant(1f / 32768, 0).Run<short>();

            // The table has a node for every 1/24 of the operand, interpolated.
            for (int i = 0; i < x.Length; i++)
            {
                double real = x[i] * (double)scale;
                Assert.InRange(logistic[i], (32768 / (1 + Math.Exp(-real))) - 12, (32768 / (1 + Math.Exp(-real))) + 12);
                Assert.InRange(tanh[i], (32768 * Math.Tanh(real)) - 24, (32768 * Math.Tanh(real)) + 24);
            }
        }
    }

    [Fact]
    public void Hard_swish_follows_the_steps_of_the_reference() => ForEveryRaw(
        DType.I8,
        new HardSwish(),
        (x, y, q) =>
        {
            float fine = 1f / 128 * x.Scale;
            FixedPoint toOutput = ExactArithmetic.Normalize(fine / y.Scale);
            FixedPoint toGate = ExactArithmetic.Normalize(fine / (3f / 32768));
            int h = (int)(q - x.ZeroPoint) * 128;
            int product = High16(h, Upper(toOutput));
            int gate = h;
            if (toGate.Exponent > 0)
            {
                gate = Math.Clamp(gate << (toGate.Exponent - 1), short.MinValue, short.MaxValue);
            }

            gate = High16(gate, Upper(toGate));
            gate = toGate.Exponent > 0 ? Math.Clamp(2 * gate, short.MinValue, short.MaxValue) : ExactArithmetic.ShiftRight(gate, -toGate.Exponent);
            int open = (gate + 32768) / 2;
            return ExactArithmetic.ShiftRight(open * product / 32768, -toOutput.Exponent) + y.ZeroPoint;

            static int Upper(FixedPoint factor) => Math.Min(32767, (int)ExactArithmetic.HalvesUp(factor.Mantissa, 65536));
            static int High16(int a, int b) => Math.Min(32767, (int)ExactArithmetic.HalvesUp((BigInteger)a * b, 32768));
        },
        resultScale: x => x * 0.7f);

    [Fact]
    public void Inverse_roots_are_near_the_real_ones_and_need_positive_operands()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Random random = new(seed);
            QuantParams x = new(0.01f + random.NextSingle(), random.Next(-128, 100));
            QuantParams y = new(0.01f + (random.NextSingle() / 10), random.Next(-128, 0));
            sbyte[] raw = [.. Enumerable.Range((int)x.ZeroPoint, 128 - (int)x.ZeroPoint).Select(v => (sbyte)v)];

            sbyte[] actual = new OpCase(new Rsqrt()).Input<sbyte>(x.With(DType.I8, [raw.Length]), raw).OutputQuant(y.Scale, y.ZeroPoint).Run<sbyte>();

            Assert.Equal(127, actual[0]);
            for (int i = 1; i < raw.Length; i++)
            {
                double real = Math.Clamp((1 / Math.Sqrt(i * x.Scale) / y.Scale) + y.ZeroPoint, -128, 127);
                Assert.InRange(actual[i], real - 0.51, real + 0.51);
            }
        }

        Assert.Throws<DiagnosticException>(() => new OpCase(new Rsqrt())
            .Input<sbyte>(new QuantParams(1, 5).With(DType.I8, [1]), 4).OutputQuant(1, 0).Run<sbyte>());
    }

    [Fact]
    public void Slopes_of_their_own_are_broadcast()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Random random = new(seed);
            Shape shape = MovedElements.RandomShape(random, random.Next(1, 5));
            Shape slopes = ElementModel.Part(random, shape);
            float[] x = ElementModel.Floats(random, shape);
            float[] alpha = ElementModel.Floats(random, slopes);
            Assert.Equal(
                ElementModel.Combine(shape, x, slopes, alpha, (v, a) => v >= 0 ? v : v * a),
                new OpCase(new Prelu()).Input<float>(DType.F32, shape, x).Constant<float>(DType.F32, slopes, alpha).Run<float>());

            foreach (DType type in new[] { DType.I8, DType.I16 })
            {
                (QuantParams qx, QuantParams qa, QuantParams qy) =
                    (ElementModel.Quant(random, type), ElementModel.Quant(random, DType.I8), ElementModel.Quant(random, type));
                int[] raw = ElementModel.Fill(shape, () => random.Next(Low(type), High(type) + 1));
                int[] a = ElementModel.Fill(slopes, () => random.Next(-128, 128));
                int[] expected = ElementModel.Combine(shape, raw, slopes, a, (v, s) => (int)Math.Clamp(
                    qy.ZeroPoint + (v >= qx.ZeroPoint
                        ? Rescale((double)qx.Scale / qy.Scale, v - qx.ZeroPoint)
                        : Rescale((double)qx.Scale * qa.Scale / qy.Scale, (v - qx.ZeroPoint) * (s - qa.ZeroPoint))),
                    Low(type),
                    High(type)));

                OpCase op = new(new Prelu());
                op = type is DType.I8 ? op.Input<sbyte>(qx.With(type, shape), [.. raw.Select(v => (sbyte)v)])
                    : op.Input<short>(qx.With(type, shape), [.. raw.Select(v => (short)v)]);
                op.Constant<sbyte>(qa.With(DType.I8, slopes), [.. a.Select(v => (sbyte)v)]).OutputQuant(qy.Scale, qy.ZeroPoint);
                Assert.Equal(expected, type is DType.I8 ? [.. op.Run<sbyte>().Select(v => (int)v)] : op.Run<short>().Select(v => (int)v));
            }
        }
    }

    [Fact]
    public void Refuses_operands_and_quantizations_without_a_kernel()
    {
        void Refused(IOp op, DType type, QuantParams x, QuantParams y) => Assert.Throws<DiagnosticException>(() => new OpCase(op)
            .Input<byte>(x.With(type, [2]), new byte[2 * type.BitWidth / 8]).OutputQuant(y.Scale, y.ZeroPoint).Run<byte>());

        QuantParams q = new(0.1f, 0);
        Refused(new Logistic(), DType.I8, q, new(1f / 256, 0));
        Refused(new Logistic(), DType.I16, q, new(1f / 256, 0));
        Refused(new Tanh(), DType.I8, q, new(1f / 64, 0));
        Refused(new Tanh(), DType.I16, new(0.1f, 3), new(1f / 32768, 0));
        Refused(new Relu6(), DType.I8, q, new(0.2f, 0));
        Refused(new Relu(), DType.I16, new(0.1f, 1), q);
        Refused(new Abs(), DType.I16, new(0.1f, 1), q);
        Refused(new HardSwish(), DType.I8, new(1, 0), new(1e-3f, 0));
        Refused(new Relu(), DType.I8, new(float.NaN, 0), q);
        Refused(new Relu(), DType.I8, new(0, 0), q);
        Refused(new Gelu(false), DType.I8, q, new(-1, 0));
        Assert.Throws<DiagnosticException>(() => new OpCase(new Relu()).Input<sbyte>(DType.I8, [1], 1).Run<sbyte>());
        Assert.Throws<OpRuleException>(() => new OpCase(new Sin()).Input(DType.I32, [1], 1).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new Prelu()).Input<float>(DType.F32, [2]).Input<float>(DType.F32, [3]).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new Prelu()).Input<float>(DType.F32, [2]).Input<float>(DType.F32, [1, 2]).Infer());
    }

    [Fact]
    public void The_profile_of_the_delegate_takes_any_quantization_of_a_bounded_rectifier()
    {
        sbyte[] y = new OpCase(new Relu6()).Input<sbyte>(new QuantParams(0.5f, 0).With(DType.I8, [4]), -4, 4, 10, 100)
            .OutputQuant(0.25f, -128).Run<sbyte>(options: new() { Rounding = RoundingProfile.Xnnpack });
        Assert.Equal(new sbyte[] { -128, -120, -108, -104 }, y);
    }

    [Theory]
    [InlineData(DType.F32, 1, 1, 1, 1, 1, 1, 1, 1)]
    [InlineData(DType.I8, 2, 2, 1, 2, 2, 2, 2, 2)]
    [InlineData(DType.I16, 3, 3, 2, 3, 2, 3, 1, 3)]
    public void Has_the_version_of_the_table(
        DType type, int sigmoid, int relu, int leaky, int abs, int exp, int relu6, int gelu, int rsqrt)
    {
        TensorType x = new QuantParams(0.5f, 0).With(type, [2]);
        foreach ((IOp op, int version) in new (IOp, int)[]
        {
            (new Logistic(), sigmoid), (new Tanh(), sigmoid), (new Relu(), relu), (new LeakyRelu(0.1f), leaky), (new Abs(), abs),
            (new Exp(), exp), (new Log(), exp), (new Relu6(), relu6), (new Gelu(true), gelu), (new Rsqrt(), rsqrt), (new Elu(), 1),
            (new HardSwish(), 1), (new Prelu(), 1), (new ReluN1To1(), 1), (new Relu0To1(), 1), (new Neg(), 1), (new Sqrt(), 1),
            (new Square(), 1), (new Sin(), 1), (new Cos(), 1), (new Floor(), 1), (new Ceil(), 1), (new Round(), 1), (new Sign(), 1),
        })
        {
            Assert.True(version == new OpCase(op).Input<byte>(x).Output(x).Version(), op.Schema.Name);
            Assert.Equal(op, OpCase.Reparse(op));
        }

        Assert.Equal(4, new OpCase(new Abs()).Input<byte>(DType.I16, [1]).Version());
        Assert.Equal(5, new OpCase(new Abs()).Input<byte>(DType.I32, [1]).Version());
        Assert.Equal(2, new OpCase(new Sign()).Input<byte>(DType.I32, [1]).Version());
    }

    private static bool InDomain(IOp op, float x) => op switch
    {
        // Beyond this the argument reduction of the C library and of .NET differ.
        Sin or Cos => float.IsNaN(x) || MathF.Abs(x) <= 1e4f,
        Rsqrt => x > 1e-30f,
        HardSwish or Gelu => float.IsFinite(x) && MathF.Abs(x) < 1e4f,
        Elu => !float.IsNaN(x),
        _ => true,
    };

    /// <summary>Complementary error function: power series near 0, continued fraction away from it.</summary>
    private static double Erfc(double x)
    {
        if (x < 0)
        {
            return 2 - Erfc(-x);
        }

        if (x < 2.5)
        {
            double term = x;
            double sum = x;
            for (int n = 1; n < 120; n++)
            {
                term *= -x * x / n;
                sum += term / ((2 * n) + 1);
            }

            return 1 - (2 / Math.Sqrt(Math.PI) * sum);
        }

        double fraction = x;
        for (int n = 80; n > 0; n--)
        {
            fraction = x + (n / 2.0 / fraction);
        }

        return Math.Exp(-x * x) / (Math.Sqrt(Math.PI) * fraction);
    }

    private static int Low(DType type) => type switch { DType.I8 => -128, DType.U8 => 0, _ => -32768 };

    private static int High(DType type) => type switch { DType.I8 => 127, DType.U8 => 255, _ => 32767 };

    private static long Rescale(double factor, long value) => ExactArithmetic.Scale(ExactArithmetic.Normalize(factor), (int)value);

    /// <summary>Compares all raw operands of 8 bits, every 37th of 16, with a scalar rule.</summary>
    private static void ForEveryRaw(
        DType type, IOp op, Func<QuantParams, QuantParams, long, long> rule, bool sameQuant = false, Func<float, float>? resultScale = null)
    {
        int[] raw = [.. Enumerable.Range(Low(type), High(type) - Low(type) + 1).Where(v => type is not DType.I16 || v % 37 == 0)];
        for (int seed = 0; seed < Seeds; seed++)
        {
            Random random = new(seed);
            QuantParams x = ElementModel.Quant(random, type);
            QuantParams y = sameQuant ? x : ElementModel.Quant(random, type);
            y = resultScale is null ? y : new(resultScale(x.Scale), y.ZeroPoint);

            int[] actual = Run(type, op, raw, x, y);

            for (int i = 0; i < raw.Length; i++)
            {
                long expected = Math.Clamp(rule(x, y, raw[i]), Low(type), High(type));
                Assert.True(expected == actual[i], $"{op.Schema.Name}, seed {seed}, {x} to {y}: {raw[i]} gave {actual[i]}, not {expected}");
            }
        }
    }

    /// <summary>Compares all raw operands of 8 bits with a real function.</summary>
    private static void Near(DType type, IOp op, Func<double, double> function, QuantParams? result, double tolerance = 0.501)
    {
        int[] raw = [.. Enumerable.Range(Low(type), 256)];
        for (int seed = 0; seed < Seeds; seed++)
        {
            Random random = new(seed);
            QuantParams x = ElementModel.Quant(random, type, smallest: 0.005, largest: 0.1);
            QuantParams y = result ?? ElementModel.Quant(random, type, smallest: 0.01, largest: 0.2);

            int[] actual = Run(type, op, raw, x, y);

            for (int i = 0; i < raw.Length; i++)
            {
                double real = Math.Clamp((function((raw[i] - x.ZeroPoint) * (double)x.Scale) / y.Scale) + y.ZeroPoint, Low(type), High(type));
                Assert.True(Math.Abs(actual[i] - real) <= tolerance, $"{op.Schema.Name}, seed {seed}, {x} to {y}: {raw[i]} gave {actual[i]}, not {real}");
            }
        }
    }

    private static int[] Run(DType type, IOp op, int[] raw, QuantParams x, QuantParams y)
    {
        return type switch { DType.I8 => Of<sbyte>(), DType.U8 => Of<byte>(), _ => Of<short>() };

        int[] Of<T>()
            where T : unmanaged, IBinaryInteger<T> =>
        [
            .. new OpCase(op).Input<T>(x.With(type, [raw.Length]), [.. raw.Select(T.CreateChecked)])
                .OutputQuant(y.Scale, y.ZeroPoint).Run<T>().Select(int.CreateChecked),
        ];
    }
}
