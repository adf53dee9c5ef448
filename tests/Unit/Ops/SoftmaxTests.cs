using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Tests.Unit.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class SoftmaxTests
{
    private const int Seeds = 60;

    [Fact]
    public void Float_rows_are_normalised_exponentials()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            (Random random, Shape shape) = Rows(seed);
            float beta = 0.25f + random.NextSingle();
            float[] x = ElementModel.Fill(shape, () => ((random.NextSingle() * 2) - 1) * (seed % 3 == 0 ? 90 : 4));

            float[] y = new OpCase(new Softmax(beta)).Input<float>(DType.F32, shape, x).Run<float>();
            float[] log = new OpCase(new LogSoftmax()).Input<float>(DType.F32, shape, x).Run<float>();

            // The exponent, up to 225, is rounded to float32 before the exponential.
            Check(seed, x, y, shape[-1], row => Exponentials(row, beta) is var e ? [.. e.Select(v => v / e.Sum())] : [], 2e-5, 1e-30);
            Check(seed, x, log, shape[-1], row => [.. row.Select(v => v - row.Max() - Math.Log(Exponentials(row, 1).Sum()))], 2e-6, 4e-6);
        }
    }

    [Fact]
    public void A_row_has_the_same_bits_wherever_it_stands()
    {
        Random random = new(1);
        float[] row = ElementModel.Fill(Shape.Of([37]), () => random.NextSingle() * 5);
        float[] many = [.. Enumerable.Range(0, 600).SelectMany(_ => row)];

        float[] one = new OpCase(new Softmax()).Input<float>(DType.F32, [37], row).Run<float>();

        Assert.Equal(
            Enumerable.Range(0, 600).SelectMany(_ => one),
            new OpCase(new Softmax()).Input<float>(DType.F32, [600, 37], many).Run<float>(options: new() { Threads = 2 }));
    }

    [Theory]
    [InlineData(DType.I8, DType.I8)]
    [InlineData(DType.I8, DType.I16)]
    [InlineData(DType.U8, DType.U8)]
    public void Byte_rows_follow_the_steps_of_the_reference(DType from, DType to)
    {
        int bits = to is DType.I16 ? 16 : 8;
        int zero = to switch { DType.I8 => -128, DType.I16 => -32768, _ => 0 };
        for (int seed = 0; seed < Seeds; seed++)
        {
            (Random random, Shape shape) = Rows(seed);
            QuantParams x = ElementModel.Quant(random, from);
            float beta = seed % 2 == 0 ? 1 : 0.5f + random.NextSingle();
            byte[] raw = ElementModel.Fill(shape, () => (byte)random.Next(256));
            OpCase op = new OpCase(new Softmax(beta)).Input<byte>(x.With(from, shape), raw)
                .Output(new(to, shape, new(MathF.Pow(2, -bits), zero)));
            int[] actual = bits == 16 ? [.. op.Run<short>().Select(v => (int)v)]
                : to is DType.I8 ? [.. op.Run<sbyte>().Select(v => (int)v)]
                : [.. op.Run<byte>().Select(v => (int)v)];

            double m = Math.Min((double)beta * x.Scale * Math.Pow(2, 26), int.MaxValue);
            FixedPoint factor = ExactArithmetic.Normalize(m);
            double smallest = -Math.Floor(31 * Math.Pow(2, 26 - factor.Exponent));
            for (int start = 0; start < raw.Length; start += shape[-1])
            {
                int[] row = [.. raw.AsSpan(start, shape[-1]).ToArray().Select(v => from is DType.I8 ? (sbyte)v : (int)v)];
                int?[] exponentials = [.. row.Select(v => v - row.Max() is var d && d < smallest
                    ? (int?)null
                    : FixedPointMath.ExpOfNegative(ExactArithmetic.HighProduct(ExactArithmetic.Wrap(d * ExactArithmetic.Power(factor.Exponent)), factor.Mantissa), 5))];
                int sum = exponentials.Sum(e => e is { } value ? ExactArithmetic.ShiftRight(value, 12) : 0);
                (int inverse, int shift) = FixedPointMath.Reciprocal(sum, 12);
                for (int i = 0; i < row.Length; i++)
                {
                    int expected = exponentials[i] is { } e
                        ? Math.Clamp(ExactArithmetic.ShiftRight(ExactArithmetic.HighProduct(inverse, e), shift + 31 - bits) + zero, zero, zero + (1 << bits) - 1)
                        : zero;
                    Assert.True(expected == actual[start + i], $"seed {seed}: {actual[start + i]}, not {expected}");
                    double real = Math.Exp(beta * x.Scale * (row[i] - row.Max())) / row.Sum(v => Math.Exp(beta * x.Scale * (v - row.Max())));
                    Assert.InRange((actual[start + i] - zero) / Math.Pow(2, bits), real - 0.006, real + 0.006);
                }
            }
        }
    }

    [Fact]
    public void Wide_rows_stay_near_the_real_probabilities()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            (Random random, Shape shape) = Rows(seed);
            float scale = 0.0005f * (1 + random.NextSingle());
            short[] raw = ElementModel.Integers<short>(random, shape);

            short[] y = new OpCase(new Softmax()).Input<short>(new QuantParams(scale, 0).With(DType.I16, shape), raw)
                .OutputQuant(1f / 32768, 0).Run<short>();

            Check(seed, [.. raw.Select(v => v * scale)], [.. y.Select(v => v / 32768f)], shape[-1], row => Exponentials(row, 1) is var e
                ? [.. e.Select(v => v / e.Sum())] : [], 0, 0.003);
        }
    }

    [Fact]
    public void Logarithms_of_bytes_stay_near_the_real_ones()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            (Random random, Shape shape) = Rows(seed);
            QuantParams x = ElementModel.Quant(random, DType.I8, smallest: 0.01, largest: 0.3);
            sbyte[] raw = ElementModel.Integers<sbyte>(random, shape);

            sbyte[] y = new OpCase(new LogSoftmax()).Input<sbyte>(x.With(DType.I8, shape), raw).OutputQuant(1f / 16, 127).Run<sbyte>();

            Check(
                seed,
                [.. raw.Select(v => v * x.Scale)],
                [.. y.Select(v => (v - 127) / 16f)],
                shape[-1],
                row => [.. row.Select(v => Math.Max(-255 / 16.0, v - row.Max() - Math.Log(Exponentials(row, 1).Sum())))],
                0,
                1.01 / 16);
        }
    }

    [Fact]
    public void Rows_are_divided_by_their_norm()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            (Random random, Shape shape) = Rows(seed);
            float[] x = ElementModel.Fill(shape, () => (random.NextSingle() * 2) - 1);
            Check(
                seed,
                x,
                new OpCase(new L2Normalization()).Input<float>(DType.F32, shape, x).Run<float>(),
                shape[-1],
                row => [.. row.Select(v => v / Math.Sqrt(row.Sum(w => w * w)))],
                1e-5,
                0);

            sbyte[] raw = ElementModel.Integers<sbyte>(random, shape);
            int zero = random.Next(-128, 128);
            sbyte[] y = new OpCase(new L2Normalization()).Input<sbyte>(new QuantParams(0.3f, zero).With(DType.I8, shape), raw)
                .OutputQuant(1f / 128, 0).Run<sbyte>();
            byte[] unsigned = new OpCase(new L2Normalization())
                .Input<byte>(new QuantParams(0.3f, zero + 128).With(DType.U8, shape), [.. raw.Select(v => (byte)(v + 128))])
                .OutputQuant(1f / 128, 128).Run<byte>();
            for (int start = 0; start < raw.Length; start += shape[-1])
            {
                int sum = raw.AsSpan(start, shape[-1]).ToArray().Sum(v => (v - zero) * (v - zero));
                FixedPoint inverse = FixedPointMath.InverseSquareRoot(sum);
                for (int i = start; i < start + shape[-1]; i++)
                {
                    Assert.Equal(
                        Math.Clamp(ExactArithmetic.Scale(inverse with { Exponent = inverse.Exponent + 7 }, raw[i] - zero), -128, 127), y[i]);
                    Assert.Equal(
                        Math.Clamp(ExactArithmetic.Scale(inverse, 128 * (raw[i] - zero)) + 128, 0, 255), unsigned[i]);
                    double real = sum == 0 ? 0 : 128 * (raw[i] - zero) / Math.Sqrt(sum);
                    Assert.InRange(y[i], real - 1.01, real + 0.6);
                }
            }
        }

        Assert.Equal([0f, 0], new OpCase(new L2Normalization()).Input<float>(DType.F32, [2], 0, 0).Run<float>());
    }

    [Fact]
    public void Refuses_results_with_another_quantization_than_the_format_fixes()
    {
        TensorType x = new QuantParams(0.1f, 0).With(DType.I8, [4]);
        void Refused(IOp op, float scale, int zero) =>
            Assert.Throws<DiagnosticException>(() => new OpCase(op).Input<sbyte>(x, 1, 2, 3, 4).OutputQuant(scale, zero).Run<sbyte>());

        Refused(new Softmax(), 1f / 128, -128);
        Refused(new Softmax(), 1f / 256, 0);
        Refused(new Softmax(1e-9f), 1f / 256, -128);
        Refused(new Softmax(-1), 1f / 256, -128);
        Refused(new LogSoftmax(), 1f / 16, 0);
        Refused(new L2Normalization(), 1f / 64, 0);
        foreach (IOp op in new IOp[] { new Softmax(), new LogSoftmax(), new L2Normalization() })
        {
            Assert.Throws<OpRuleException>(() => new OpCase(op).Input<float>(DType.F32, Shape.Scalar, 1).Infer());
            Assert.Throws<OpRuleException>(() => new OpCase(op).Input(DType.I32, [1], 1).Infer());
        }
    }

    [Theory]
    [InlineData(DType.F32, 1, 1, 1)]
    [InlineData(DType.I8, 2, 2, 2)]
    [InlineData(DType.I16, 3, 1, 1)]
    public void Has_the_version_of_the_table(DType type, int softmax, int log, int norm)
    {
        TensorType x = new(type, [2]);
        Assert.Equal(softmax, new OpCase(new Softmax()).Input<byte>(x).Output(x).Version());
        Assert.Equal(log, new OpCase(new LogSoftmax()).Input<byte>(x).Output(x).Version());
        Assert.Equal(norm, new OpCase(new L2Normalization()).Input<byte>(x).Output(x).Version());
        Assert.Equal(new Softmax(0.3f), OpCase.Reparse(new Softmax(0.3f)));
    }

    private static (Random Random, Shape Shape) Rows(int seed)
    {
        Random random = new(seed);
        return (random, MovedElements.RandomShape(random, random.Next(1, 4), most: seed % 4 == 0 ? 40 : 6));
    }

    private static double[] Exponentials(double[] row, double beta) => [.. row.Select(v => Math.Exp(beta * (v - row.Max())))];

    private static void Check(int seed, float[] x, float[] y, int depth, Func<double[], double[]> expected, double relative, double absolute)
    {
        for (int start = 0; start < x.Length; start += depth)
        {
            double[] row = expected([.. x.AsSpan(start, depth).ToArray().Select(v => (double)v)]);
            for (int i = 0; i < depth; i++)
            {
                double error = Math.Abs(row[i] - y[start + i]);
                Assert.True(error <= absolute + (relative * Math.Abs(row[i])), $"seed {seed}: {y[start + i]}, not {row[i]}");
            }
        }
    }
}
