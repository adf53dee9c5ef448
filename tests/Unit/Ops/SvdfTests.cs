using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class SvdfTests
{
    [Fact]
    public void Weighs_the_projections_of_the_last_steps()
    {
        // Two filters of memory 2, one unit of rank 2: filter 0 projects to x0, filter 1 to x0 + x1.
        using OpRun run = new OpCase(new Svdf(2, FusedActivation.None))
            .Input<float>(DType.F32, [1, 2], 3, 4)
            .Constant<float>(DType.F32, [2, 2], 1, 0, 1, 1)
            .Constant<float>(DType.F32, [2, 2], 10, 1, 100, 2)
            .Constant<float>(DType.F32, [1], 0.5f)
            .Variable(new(DType.F32, [1, 4]))
            .Prepare();

        Assert.Equal([0.5f + 3 + (2 * 7)], run.Next<float>());
        Assert.Equal([0.5f + (10 * 3) + 1 + (100 * 7) + (2 * 1)], run.Set<float>(0, 1, 0).Next<float>());
    }

    [Fact]
    public void Applies_the_activation_to_floats() => Assert.Equal(
        [0f],
        new OpCase(new Svdf(1, FusedActivation.Relu))
            .Input<float>(DType.F32, [1, 1], -3)
            .Constant<float>(DType.F32, [1, 1], 1)
            .Constant<float>(DType.F32, [1, 1], 1)
            .Missing()
            .Variable(new(DType.F32, [1, 1]))
            .Run<float>());

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Int8_with_int16_state_follows_the_formula(int seed) => CheckInteger<short>(seed, DType.I16);

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(23)]
    public void Int8_with_int8_state_follows_the_formula(int seed) => CheckInteger<sbyte>(seed, DType.I8);

    [Fact]
    public void Infers_the_units_and_keeps_an_unknown_batch()
    {
        TensorType y = new OpCase(new Svdf(2, FusedActivation.None))
            .Input<float>(DType.F32, [-1, 3])
            .Constant<float>(DType.F32, [4, 3], new float[12])
            .Constant<float>(DType.F32, [4, 5], new float[20])
            .Missing()
            .Variable(new(DType.F32, [-1, 20]))
            .Infer()[0];

        Assert.Equal(new(DType.F32, [-1, 2]), y);
    }

    [Theory]
    [InlineData(0, 4, 3, 20)]
    [InlineData(-2, 4, 3, 20)]
    [InlineData(3, 4, 3, 20)]
    [InlineData(2, 4, 2, 20)]
    [InlineData(2, 4, 3, 19)]
    public void Refuses_shapes_that_do_not_fit(int rank, int filters, int inputs, int state) =>
        Assert.Throws<OpRuleException>(() => new OpCase(new Svdf(rank, FusedActivation.None))
            .Input<float>(DType.F32, [1, 3])
            .Constant<float>(DType.F32, [filters, inputs], new float[filters * inputs])
            .Constant<float>(DType.F32, [4, 5], new float[20])
            .Missing()
            .Variable(new(DType.F32, [1, state]))
            .Infer());

    [Fact]
    public void Refuses_a_state_that_no_memory_could_hold() => Assert.Throws<OpRuleException>(() =>
        new OpCase(new Svdf(1, FusedActivation.None))
            .Input<float>(DType.F32, [1, 3])
            .Input<float>(DType.F32, [1 << 20, 3])
            .Input<float>(DType.F32, [1 << 20, 1 << 20])
            .Missing()
            .Variable(new(DType.F32, [1, -1]))
            .Infer());

    [Fact]
    public void Refuses_a_bias_in_other_units()
    {
        OpCase @case = new OpCase(new Svdf(1, FusedActivation.None))
            .Input<sbyte>(new TensorType(DType.I8, [1, 1], new(0.5f, 0)), 1)
            .Constant<sbyte>(new TensorType(DType.I8, [1, 1], new(0.5f, 0)), 1)
            .Constant<short>(new TensorType(DType.I16, [1, 1], new(0.5f, 0)), 1)
            .Constant<int>(new TensorType(DType.I32, [1], new(0.5f, 0)), 1)
            .Variable(new(DType.I16, [1, 1], new(0.5f, 0)))
            .OutputQuant(0.5f, 0);

        Assert.Equal("0.25", Assert.Throws<DiagnosticException>(() => @case.Prepare()).Diagnostics[0].Expected);
    }

    [Theory]
    [InlineData(DType.F32, DType.F32, false, 1)]
    [InlineData(DType.F32, DType.I8, false, 2)]
    [InlineData(DType.F32, DType.I8, true, 4)]
    [InlineData(DType.I8, DType.I8, false, 3)]
    public void Has_the_version_of_the_standard_converter(DType x, DType weights, bool asymmetric, int version) => Assert.Equal(
        version,
        new OpCase(new Svdf(1, FusedActivation.None, asymmetric)).Input<byte>(x, [1, 1]).Input<byte>(weights, [1, 1]).Version());

    [Fact]
    public void Attributes_survive_their_printed_form() => Assert.Equal(
        new Svdf(3, FusedActivation.Relu6, AsymmetricQuantizeInputs: true),
        OpCase.Reparse(new Svdf(3, FusedActivation.Relu6, AsymmetricQuantizeInputs: true)));

    [Fact]
    public void A_quantized_filter_has_wide_state_and_a_bias_in_its_units()
    {
        OpOperands operands = new([.. Enumerable.Repeat(new TensorType(DType.F32, [1]), 5)], [], []);

        QuantRule rule = new Svdf(1, FusedActivation.Relu).QuantRule(operands);
        Assert.Equal(KernelTypes.I8, rule.Activations);
        Assert.Equal(
            [OperandRule.Activation, OperandRule.WeightsAlong(0, perChannel: false), OperandRule.Wide, OperandRule.BiasOf(4, 2), OperandRule.Wide],
            [.. rule.Inputs]);
        Assert.Throws<OpRuleException>(() => new Svdf(1, FusedActivation.Relu6).QuantRule(operands));
    }

    private static void CheckInteger<T>(int seed, DType stateType)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>, System.Numerics.IMinMaxValue<T>
    {
        const int Batch = 2;
        const int Inputs = 19;
        const int Rank = 2;
        const int Units = 3;
        const int Memory = 4;
        const int Filters = Rank * Units;
        Random random = new(seed);
        float xScale = Scale(random);
        float featureScale = Scale(random);
        float timeScale = Scale(random) / 50;
        float stateScale = xScale * featureScale * 60;
        float yScale = stateScale * timeScale * 40000;
        (int xZero, int yZero) = (random.Next(-128, 128), random.Next(-20, 20));
        int stateZero = stateType is DType.I8 ? random.Next(-3, 4) : 0;
        sbyte[] features = Fill<sbyte>(random, Filters * Inputs);
        T[] weights = Fill<T>(random, Filters * Memory);
        int[] bias = [random.Next(-5000, 5000), random.Next(-5000, 5000), random.Next(-5000, 5000)];
        using OpRun run = new OpCase(new Svdf(Rank, FusedActivation.Relu))
            .Input<sbyte>(new TensorType(DType.I8, [Batch, Inputs], new(xScale, xZero)))
            .Constant<sbyte>(new TensorType(DType.I8, [Filters, Inputs], new(featureScale, 0)), features)
            .Constant<T>(new TensorType(stateType, [Filters, Memory], new(timeScale, 0)), weights)
            .Constant<int>(new TensorType(DType.I32, [Units], new(stateScale * timeScale, 0)), bias)
            .Variable(new(stateType, [Batch, Filters * Memory], new(stateScale, stateZero)))
            .OutputQuant(yScale, yZero)
            .Prepare();
        FixedPoint toState = FixedPoint.FromReal(xScale * featureScale / stateScale);
        FixedPoint toOutput = FixedPoint.FromReal(stateScale * timeScale / yScale);
        T[,,] state = new T[Batch, Filters, Memory];
        foreach ((int b, int f, int m) in from b in Enumerable.Range(0, Batch) from f in Enumerable.Range(0, Filters) from m in Enumerable.Range(0, Memory) select (b, f, m))
        {
            state[b, f, m] = T.CreateTruncating(stateZero);
        }

        for (int step = 0; step < 6; step++)
        {
            sbyte[] x = Fill<sbyte>(random, Batch * Inputs);
            List<sbyte> expected = [];
            for (int b = 0; b < Batch; b++)
            {
                int[] sums = new int[Units];
                for (int f = 0; f < Filters; f++)
                {
                    int projection = Enumerable.Range(0, Inputs).Sum(i => features[(f * Inputs) + i] * (x[(b * Inputs) + i] - xZero));
                    for (int m = 0; m + 1 < Memory; m++)
                    {
                        state[b, f, m] = state[b, f, m + 1];
                    }

                    int limited = int.CreateTruncating(T.CreateSaturating(toState.Scale(projection)));
                    state[b, f, Memory - 1] = T.CreateTruncating(limited + stateZero);
                    for (int m = 0; m < Memory; m++)
                    {
                        sums[f / Rank] = unchecked(sums[f / Rank] + (int.CreateChecked(weights[(f * Memory) + m]) * (int.CreateChecked(state[b, f, m]) - stateZero)));
                    }
                }

                expected.AddRange(sums.Select((sum, u) => sbyte.CreateSaturating(toOutput.Scale(unchecked(sum + bias[u])) + yZero)));
            }

            Assert.True(expected.SequenceEqual(run.Set(0, x).Next<sbyte>()), $"seed {seed}, step {step}");
        }
    }

    private static float Scale(Random random) => (float)Math.Exp((random.NextDouble() * 3) - 4);

    private static T[] Fill<T>(Random random, int count)
        where T : System.Numerics.IBinaryInteger<T> =>
        [.. Enumerable.Range(0, count).Select(_ => T.CreateTruncating(random.Next()))];
}
