using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Ops.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class UnidirectionalSequenceLstmTests
{
    private const int Batch = 2;
    private const int Time = 19;
    private const int Inputs = 3;
    private const int Cells = 5;

    [Fact]
    public void One_cell_follows_the_equations()
    {
        // All gates see the sum 0 of their own, but the candidate, which sees x.
        float[] y = new OpCase(new UnidirectionalSequenceLstm(FusedActivation.Tanh))
            .Input<float>(DType.F32, [1, 2, 1], 1, 0)
            .Constant<float>(DType.F32, [1, 1], 0).Constant<float>(DType.F32, [1, 1], 0).Constant<float>(DType.F32, [1, 1], 1).Constant<float>(DType.F32, [1, 1], 0)
            .Constant<float>(DType.F32, [1, 1], 0).Constant<float>(DType.F32, [1, 1], 0).Constant<float>(DType.F32, [1, 1], 0).Constant<float>(DType.F32, [1, 1], 0)
            .Missing(3)
            .Constant<float>(DType.F32, [1], 0).Constant<float>(DType.F32, [1], 0).Constant<float>(DType.F32, [1], 0).Constant<float>(DType.F32, [1], 0)
            .Missing(2)
            .Variable(new(DType.F32, [1, 1]))
            .Variable(new(DType.F32, [1, 1]))
            .Run<float>();

        float c = 0.5f * MathF.Tanh(1);
        Assert.Equal(0.5f * MathF.Tanh(c), y[0], 1e-6f);
        Assert.Equal(0.5f * MathF.Tanh(c / 2), y[1], 1e-6f);
    }

    [Theory]
    [InlineData(1, Part.None)]
    [InlineData(2, Part.TimeMajor)]
    [InlineData(3, Part.Coupled)]
    [InlineData(4, Part.Peepholes)]
    [InlineData(5, Part.Projection)]
    [InlineData(6, Part.Projection | Part.ProjectionBias | Part.TimeMajor)]
    [InlineData(7, Part.Norms)]
    [InlineData(8, Part.Clips | Part.Projection)]
    [InlineData(9, Part.Diagonal)]
    [InlineData(10, Part.Coupled | Part.Peepholes | Part.Norms | Part.Projection | Part.Clips)]
    [InlineData(11, Part.Peepholes | Part.Norms | Part.Projection | Part.ProjectionBias | Part.Clips | Part.TimeMajor)]
    [InlineData(12, Part.Computed | Part.Peepholes)]
    public void Floats_follow_the_equations(int seed, Part parts)
    {
        FloatLstm reference = new(new Random(seed), parts);
        using OpRun run = reference.Case().Prepare();
        for (int call = 0; call < 2; call++)
        {
            double[] expected = reference.Next();
            float[] actual = run.Next<float>();
            for (int i = 0; i < expected.Length; i++)
            {
                // Sums of a dozen float32 products, through 38 steps of a contracting recurrence.
                Assert.True(Math.Abs(expected[i] - actual[i]) < 1e-5, $"seed {seed}, call {call}, element {i}: {expected[i]} and {actual[i]}");
            }
        }
    }

    [Theory]
    [InlineData(31, false, 0)]
    [InlineData(32, true, 0)]
    [InlineData(33, false, 0.6)]
    public void Int8_follows_the_formula(int seed, bool timeMajor, double clip) => CheckInteger<sbyte>(seed, timeMajor, (float)clip);

    [Theory]
    [InlineData(41, false, 0)]
    [InlineData(42, true, 0)]
    [InlineData(43, false, 0.6)]
    public void Int16_follows_the_formula(int seed, bool timeMajor, double clip) => CheckInteger<short>(seed, timeMajor, (float)clip);

    [Fact]
    public void Infers_the_projected_width_and_keeps_unknown_dimensions()
    {
        FloatLstm layer = new(new Random(1), Part.Projection);

        Assert.Equal([-1, -1, FloatLstm.Projected], layer.Case([-1, -1, Inputs]).Infer()[0].Shape);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(12)]
    [InlineData(11)]
    [InlineData(20)]
    public void Refuses_a_part_of_which_an_operand_is_missing(int operand)
    {
        FloatLstm layer = new(new Random(1), Part.Peepholes | Part.Norms);

        Assert.Equal("all or none", Assert.Throws<OpRuleException>(() => layer.Case(without: operand).Infer()).Expected);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(13)]
    [InlineData(18)]
    [InlineData(19)]
    public void Refuses_a_missing_operand(int operand) =>
        Assert.Throws<OpRuleException>(() => new FloatLstm(new Random(1), Part.None).Case(without: operand).Infer());

    [Fact]
    public void Refuses_another_number_of_features() =>
        Assert.Throws<OpRuleException>(() => new FloatLstm(new Random(1), Part.None).Case([Batch, Time, Inputs + 1]).Infer());

    [Fact]
    public void Refuses_negative_clips_and_unknown_activations()
    {
        Assert.Throws<OpRuleException>(() => new UnidirectionalSequenceLstm(FusedActivation.Tanh, CellClip: -1).InferTypes(new()));
        Assert.Throws<OpRuleException>(() => new UnidirectionalSequenceLstm(FusedActivation.Tanh, ProjectionClip: float.NaN).InferTypes(new()));
        Assert.Throws<OpRuleException>(() => new UnidirectionalSequenceLstm((FusedActivation)77).InferTypes(new()));
    }

    [Theory]
    [InlineData(DType.F32, DType.F32, false, false, 1)]
    [InlineData(DType.F32, DType.I8, false, false, 2)]
    [InlineData(DType.F32, DType.I8, true, false, 3)]
    [InlineData(DType.F32, DType.F32, false, true, 4)]
    [InlineData(DType.I8, DType.I8, false, false, 1)]
    [InlineData(DType.I16, DType.I8, false, false, 5)]
    public void Has_the_version_of_the_standard_converter(DType x, DType weights, bool asymmetric, bool diagonal, int version)
    {
        UnidirectionalSequenceLstm op = new(FusedActivation.Tanh, AsymmetricQuantizeInputs: asymmetric, DiagonalRecurrent: diagonal);

        Assert.Equal(version, new OpCase(op).Input<byte>(x, [1, 1, 1]).Missing().Input<byte>(weights, [1, 1]).Output(new(x, [1, 1, 1])).Version());
    }

    [Fact]
    public void Attributes_survive_text_and_file()
    {
        UnidirectionalSequenceLstm op = new(FusedActivation.Relu, 1.5f, 0.1f, TimeMajor: true, AsymmetricQuantizeInputs: true, DiagonalRecurrent: true);
        TfLiteEncoding encoding = op.Write(new(new(new TensorType(DType.F32, [1]), null, new TensorType(DType.F32, [1])), []));

        Assert.Equal(op, OpCase.Reparse(op));
        Assert.Equal(op, UnidirectionalSequenceLstm.Read(new(new OperatorRecord { BuiltinOptions = (IBuiltinOptions)encoding.Options! }, [])));
    }

    private static void CheckInteger<T>(int seed, bool timeMajor, float clip)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>, System.Numerics.IMinMaxValue<T>
    {
        const float CellScale = 1f / 4096;
        bool wide = typeof(T) == typeof(short);
        DType type = wide ? DType.I16 : DType.I8;
        Random random = new(seed);
        float xScale = wide ? 1f / 20000 : 0.021f;
        float hScale = wide ? 1f / 32768 : 0.0079f;
        int xZero = wide ? 0 : random.Next(-100, 100);
        int hZero = wide ? 0 : random.Next(-3, 4);
        sbyte[][] weights = [.. Enumerable.Range(0, 4).Select(_ => Bytes(random, Cells * Inputs))];
        sbyte[][] recurrent = [.. Enumerable.Range(0, 4).Select(_ => Bytes(random, Cells * Cells))];
        float[] wScale = [.. Enumerable.Range(0, 4).Select(_ => 0.002f + (0.01f * random.NextSingle()))];
        float[] rScale = [.. Enumerable.Range(0, 4).Select(_ => 0.002f + (0.01f * random.NextSingle()))];
        long[][] bias = [.. wScale.Select(s => Enumerable.Range(0, Cells).Select(_ => (long)((random.NextDouble() - 0.5) / (s * xScale))).ToArray())];
        T[] x = [.. Enumerable.Range(0, Batch * Time * Inputs).Select(_ => T.CreateTruncating(random.Next()))];
        OpCase @case = new OpCase(new UnidirectionalSequenceLstm(FusedActivation.Tanh, clip, TimeMajor: timeMajor))
            .Input<T>(new TensorType(type, timeMajor ? [Time, Batch, Inputs] : [Batch, Time, Inputs], new(xScale, xZero)), x);
        for (int g = 0; g < 4; g++)
        {
            @case.Constant<sbyte>(new TensorType(DType.I8, [Cells, Inputs], new(wScale[g], 0)), weights[g]);
        }

        for (int g = 0; g < 4; g++)
        {
            @case.Constant<sbyte>(new TensorType(DType.I8, [Cells, Cells], new(rScale[g], 0)), recurrent[g]);
        }

        @case.Missing(3);
        for (int g = 0; g < 4; g++)
        {
            QuantParams quant = new(wScale[g] * xScale, 0);
            _ = wide
                ? @case.Constant<long>(new TensorType(DType.I64, [Cells], quant), bias[g])
                : @case.Constant<int>(new TensorType(DType.I32, [Cells], quant), [.. bias[g].Select(b => (int)b)]);
        }

        using OpRun run = @case.Missing(2)
            .Variable(new(type, [Batch, Cells], new(hScale, hZero)))
            .Variable(new(DType.I16, [Batch, Cells], new(CellScale, 0)))
            .Missing(4)
            .OutputQuant(hScale, hZero)
            .Prepare();
        int[,] h = new int[Batch, Cells];
        int[,] c = new int[Batch, Cells];
        for (int b = 0; b < Batch; b++)
        {
            for (int n = 0; n < Cells; n++)
            {
                h[b, n] = hZero;
            }
        }

        for (int call = 0; call < 2; call++)
        {
            T[] expected = new T[Batch * Time * Cells];
            for (int t = 0; t < Time; t++)
            {
                for (int b = 0; b < Batch; b++)
                {
                    int position = timeMajor ? (t * Batch) + b : (b * Time) + t;
                    int[] next = new int[Cells];
                    for (int n = 0; n < Cells; n++)
                    {
                        int Gate(int g)
                        {
                            long fromX = bias[g][n];
                            for (int i = 0; i < Inputs; i++)
                            {
                                fromX += weights[g][(n * Inputs) + i] * (int.CreateChecked(x[(position * Inputs) + i]) - xZero);
                            }

                            long fromH = 0;
                            for (int i = 0; i < Cells; i++)
                            {
                                fromH += recurrent[g][(n * Cells) + i] * (h[b, i] - hZero);
                            }

                            FixedPoint mx = FixedPoint.FromReal((double)(xScale * wScale[g]) * 4096);
                            FixedPoint mh = FixedPoint.FromReal((double)(hScale * rScale[g]) * 4096);
                            int a = Limit16(wide ? mx.ScaleLong(fromX) : mx.Scale((int)fromX));
                            int r = Limit16(wide ? mh.ScaleLong(fromH) : mh.Scale((int)fromH));
                            return Limit16(a + r);
                        }

                        int forget = SigmoidTable.Logistic((short)Gate(1), new(3, 0));
                        int input = SigmoidTable.Logistic((short)Gate(0), new(3, 0));
                        int candidate = SigmoidTable.Tanh((short)Gate(2), new(3, 0));
                        int output = SigmoidTable.Logistic((short)Gate(3), new(3, 0));
                        int kept = Limit16(FixedPoint.FromReal(1.0 / 32768).Scale(forget * c[b, n]));
                        int added = Limit16(FixedPoint.FromReal(1.0 / 32768 / 32768 / CellScale).Scale(input * candidate));
                        c[b, n] = Limit16(kept + added);
                        if (clip > 0)
                        {
                            int limit = (int)(clip / (double)CellScale);
                            c[b, n] = Math.Max(-limit, Math.Min(limit, c[b, n]));
                        }

                        // The scale is 2^-12, so that p = -12 and the shift 12 + p is 0.
                        int squashed = SigmoidTable.Tanh((short)c[b, n], new(3, 0));
                        next[n] = int.CreateChecked(T.CreateSaturating(FixedPoint.FromReal(1.0 / 32768 / 32768 / hScale).Scale(squashed * output) + hZero));
                    }

                    for (int n = 0; n < Cells; n++)
                    {
                        h[b, n] = next[n];
                        expected[(position * Cells) + n] = T.CreateChecked(next[n]);
                    }
                }
            }

            Assert.True(expected.Distinct().Count() > 20, $"seed {seed}: the outputs say little");
            Assert.True(expected.AsSpan().SequenceEqual(run.Next<T>()), $"seed {seed}, call {call}");
        }
    }

    private static sbyte[] Bytes(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (sbyte)random.Next(-127, 128))];

    private static int Limit16(int value) => Math.Max(short.MinValue, Math.Min(short.MaxValue, value));

    [Flags]
    public enum Part
    {
        None = 0,
        TimeMajor = 1,
        Coupled = 2,
        Peepholes = 4,
        Projection = 8,
        ProjectionBias = 16,
        Norms = 32,
        Clips = 64,
        Diagonal = 128,

        /// <summary>Weights that are inputs of the graph instead of constants.</summary>
        Computed = 256,
    }

    /// <summary>A layer with random operands, computed in double by the equations.</summary>
    private sealed class FloatLstm
    {
        public const int Projected = 4;

        private readonly Part _parts;
        private readonly Dictionary<int, (int[] Shape, float[] Values)> _operands = [];
        private readonly double[,] _h;
        private readonly double[,] _c = new double[Batch, Cells];

        public FloatLstm(Random random, Part parts)
        {
            _parts = parts;
            int width = Has(Part.Projection) ? Projected : Cells;
            _h = new double[Batch, width];
            Add(random, 0, Has(Part.TimeMajor) ? [Time, Batch, Inputs] : [Batch, Time, Inputs]);
            for (int gate = Has(Part.Coupled) ? 1 : 0; gate < 4; gate++)
            {
                Add(random, 1 + gate, [Cells, Inputs]);
                Add(random, 5 + gate, Has(Part.Diagonal) ? [Cells] : [Cells, width]);
                Add(random, 12 + gate, [Cells]);
                if (Has(Part.Norms))
                {
                    Add(random, 20 + gate, [Cells]);
                }

                if (Has(Part.Peepholes) && gate != 2)
                {
                    Add(random, 9 + Math.Min(gate, 2), [Cells]);
                }
            }

            if (Has(Part.Projection))
            {
                Add(random, 16, [Projected, Cells]);
            }

            if (Has(Part.ProjectionBias))
            {
                Add(random, 17, [Projected]);
            }
        }

        private float CellClip => Has(Part.Clips) ? 0.3f : 0;

        private float ProjectionClip => Has(Part.Clips) ? 0.15f : 0;

        public OpCase Case(int[]? x = null, int without = -1)
        {
            OpCase @case = new(new UnidirectionalSequenceLstm(
                FusedActivation.Tanh, CellClip, ProjectionClip, Has(Part.TimeMajor), DiagonalRecurrent: Has(Part.Diagonal)));
            for (int i = 0; i < 24; i++)
            {
                if (i == without || (i is not (18 or 19) && !_operands.ContainsKey(i)))
                {
                    @case.Missing();
                }
                else if (i is 18 or 19)
                {
                    int[] shape = [x is null ? Batch : x[0], i == 18 ? _h.GetLength(1) : Cells];
                    @case.Variable(new(DType.F32, Shape.Create(shape)));
                }
                else if (i == 0 || Has(Part.Computed))
                {
                    @case.Input<float>(DType.F32, Shape.Create(i == 0 && x is not null ? x : _operands[i].Shape), _operands[i].Values);
                }
                else
                {
                    @case.Constant<float>(DType.F32, Shape.Create(_operands[i].Shape), _operands[i].Values);
                }
            }

            return @case;
        }

        /// <summary>The results of one more invocation.</summary>
        public double[] Next()
        {
            int width = _h.GetLength(1);
            double[] y = new double[Batch * Time * width];
            for (int t = 0; t < Time; t++)
            {
                for (int b = 0; b < Batch; b++)
                {
                    int position = Has(Part.TimeMajor) ? (t * Batch) + b : (b * Time) + t;
                    double[] old = Row(_c, b);
                    double[] forget = [.. Gate(1, position, b, old).Select(Logistic)];
                    double[] input = Has(Part.Coupled) ? [.. forget.Select(f => 1 - f)] : [.. Gate(0, position, b, old).Select(Logistic)];
                    double[] candidate = [.. Gate(2, position, b, old).Select(Math.Tanh)];
                    for (int n = 0; n < Cells; n++)
                    {
                        _c[b, n] = Limit((forget[n] * old[n]) + (input[n] * candidate[n]), CellClip);
                    }

                    double[] output = [.. Gate(3, position, b, Row(_c, b)).Select((o, n) => Logistic(o) * Math.Tanh(_c[b, n]))];
                    for (int p = 0; p < width; p++)
                    {
                        _h[b, p] = !Has(Part.Projection) ? output[p] : Limit(
                            output.Select((o, n) => o * At(16, (p * Cells) + n)).Sum() + (Has(Part.ProjectionBias) ? At(17, p) : 0),
                            ProjectionClip);
                        y[(position * width) + p] = _h[b, p];
                    }
                }
            }

            return y;
        }

        private double[] Gate(int gate, int position, int b, double[] cell)
        {
            int width = _h.GetLength(1);
            double[] sums = new double[Cells];
            for (int n = 0; n < Cells; n++)
            {
                sums[n] = Enumerable.Range(0, Inputs).Sum(i => (double)At(1 + gate, (n * Inputs) + i) * At(0, (position * Inputs) + i));
                sums[n] += Has(Part.Diagonal)
                    ? At(5 + gate, n) * _h[b, n]
                    : Enumerable.Range(0, width).Sum(i => At(5 + gate, (n * width) + i) * _h[b, i]);
                sums[n] += Has(Part.Peepholes) && gate != 2 ? At(9 + Math.Min(gate, 2), n) * cell[n] : 0;
            }

            if (Has(Part.Norms))
            {
                double mean = sums.Average();
                double deviation = Math.Sqrt(sums.Select(s => (s - mean) * (s - mean)).Average() + 1e-8);
                sums = [.. sums.Select((s, n) => (s - mean) / deviation * At(20 + gate, n))];
            }

            return [.. sums.Select((s, n) => s + At(12 + gate, n))];
        }

        private bool Has(Part part) => (_parts & part) != 0;

        private float At(int operand, int index) => _operands[operand].Values[index];

        private void Add(Random random, int operand, int[] shape) => _operands[operand] = (
            shape,
            [.. Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b)).Select(_ => (float)(random.NextDouble() - 0.5))]);

        private static double[] Row(double[,] values, int row) => [.. Enumerable.Range(0, values.GetLength(1)).Select(n => values[row, n])];

        private static double Logistic(double x) => 1 / (1 + Math.Exp(-x));

        private static double Limit(double x, double limit) => limit > 0 ? Math.Clamp(x, -limit, limit) : x;
    }
}
