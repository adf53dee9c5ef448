using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Tests.Unit.Ops;
using Xunit;

namespace Optc.Tests.Unit.Gradients;

/// <summary>Gradients of the ops of quantization-aware training, by differences where there are some and by their formulas else.</summary>
public sealed class QuantizationAwareGradientTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 8)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Rounded_weights_pass_gradients_straight_through(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Shape shape = Case.Of(random).Shape;
        Value w = builder.Input("w", new(DType.F32, shape));
        return ([w], [builder.Add(new FakeQuantWeights(random.Next(2, 9), random.Next(-1, shape.Rank)), [w], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Rounded_activations_pass_gradients_inside_of_their_grid_only(int seed) => GradientCheck.Verify(
        seed,
        (builder, random) =>
        {
            Value x = builder.Input("x", new(DType.F32, [2, 19]));
            Value step = GraphBuilder.Constant(TensorData.Scalar(-2f), "log_scale");
            Value zero = GraphBuilder.Constant(TensorData.Scalar((float)random.Next(-8, 8)), "zero");
            return ([x], [builder.Add(new LearnedFakeQuant(-8, 7), [x, step, zero], "y").Output]);
        },
        draw: random => (random.NextDouble() * 4) - 2);

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Codebooks_and_scales_of_a_weight(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Case made = Case.Of(random);
        Value values = builder.Input("values", new(DType.F32, [made.Groups, made.Codes]));
        Value scales = builder.Input("log_scale", new(DType.F32, [random.Next(2) == 0 ? 1 : made.Channels]));
        ImmutableArray<Value?> operands =
        [
            GraphBuilder.Constant(TensorData.FromFloats(made.Shape, new float[made.Count]), "latent"),
            GraphBuilder.Constant(TensorData.FromFloats(made.Shape, made.Indices(random)), "index"),
            values,
            GraphBuilder.Constant(TensorData.FromFloats([made.Groups], new float[made.Groups]), "steps"),
            scales,
        ];
        return ([values, scales], [builder.Add(new CodebookWeight(made.Axis, 0), operands, "w").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Indices_have_no_gradient(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Case made = Case.Of(random);
        Value latent = builder.Input("latent", new(DType.F32, made.Shape));
        Value values = builder.Input("values", new(DType.F32, [made.Groups, made.Codes]));
        Value steps = GraphBuilder.Constant(TensorData.FromFloats([made.Groups], new float[made.Groups]), "steps");
        Value prices = GraphBuilder.Constant(TensorData.FromFloats([made.Groups, made.Codes], new float[made.Groups * made.Codes]), "prices");
        return ([latent, values], [builder.Add(new AssignCodes(made.Axis, 0), [latent, values, steps, prices], "index").Output]);
    });

    /// <summary>The docstring's formulas, element by element in double precision; see Esser et al., 2020.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_step_of_activations_is_trained_by_the_formula_of_learned_step_sizes(int seed)
    {
        Random random = new(seed);
        (int low, int high) = random.Next(2) == 0 ? (-128, 127) : (-8, 7);
        float[] x = Numbers(random, 3 * LearnedFakeQuant.Chunk / 2, 3);
        float[] dy = Numbers(random, x.Length, 1);
        (float logScale, float zero) = ((float)(-3 - random.NextDouble()), random.Next(low, high + 1));

        float[][] found = Both(new LearnedFakeQuantGradient(low, high), x, dy, logScale, zero, threads: 1);

        double step = (float)Math.Exp(logScale);
        double sum = 0;
        double magnitude = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double rounded = Math.Round((double)(x[i] * (1 / (float)step)));
            double kept = Math.Clamp(rounded, low - zero, high - zero);
            bool inside = rounded == kept;
            Assert.Equal(inside ? dy[i] : 0, found[0][i]);
            double part = dy[i] * ((kept * step) - (inside ? x[i] : 0));
            sum += part;
            magnitude += Math.Abs(part);
        }

        double share = 1 / Math.Sqrt((double)x.Length * (high - low));
        Assert.Equal(sum * share, found[1][0], 1e-5 * magnitude * share);
        Assert.Equal(found, Both(new LearnedFakeQuantGradient(low, high), x, dy, logScale, zero, threads: 4));
    }

    /// <summary>Straight through the rounding: <c>dlatent = s dw</c>, entries take the sum or the mean of that, scales <c>sum dw w</c>.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Weights_on_a_grid_are_trained_by_the_formulas_of_the_docstring(int seed)
    {
        Random random = new(seed);
        Case made = Case.Of(random);
        int largest = random.Next(2) == 0 ? 127 : 7;
        bool mean = random.Next(2) == 0;
        float[] dw = Numbers(random, made.Count, 1);
        float[] index = made.Indices(random);
        float[] values = Numbers(random, made.Groups * made.Codes, 1);
        float[] steps = [.. Enumerable.Range(0, made.Groups).Select(_ => (float)((1 + random.NextDouble()) / largest))];
        float[] logScale = Numbers(random, random.Next(2) == 0 ? 1 : made.Channels, 1);
        OpCase op = new OpCase(new CodebookWeightGradient(made.Axis, largest, mean))
            .Input<float>(DType.F32, made.Shape, dw).Input<float>(DType.F32, made.Shape, index)
            .Input<float>(DType.F32, [made.Groups, made.Codes], values).Input<float>(DType.F32, [made.Groups], steps)
            .Input<float>(DType.F32, [logScale.Length], logScale);

        double[] ofValues = new double[values.Length];
        double[] members = new double[values.Length];
        double[] ofScales = new double[logScale.Length];
        double[] ofLatent = new double[made.Count];
        for (int i = 0; i < made.Count; i++)
        {
            int channel = made.ChannelOf(i);
            int group = channel / (made.Channels / made.Groups);
            int entry = (group * made.Codes) + (int)index[i];
            int own = logScale.Length == 1 ? 0 : channel;
            double scale = Math.Exp(logScale[own]);
            ofLatent[i] = scale * dw[i];
            ofValues[entry] += scale * dw[i];
            members[entry]++;
            ofScales[own] += dw[i] * scale * steps[group] * Math.Clamp(Math.Round(values[entry] / steps[group]), -largest, largest);
        }

        Near(ofLatent, op.Run<float>(0));
        Near([.. ofValues.Select((v, j) => mean ? v / Math.Max(1, members[j]) : v)], op.Run<float>(1));
        Near(ofScales, op.Run<float>(2));
    }

    private static void Near(double[] expected, float[] found) => Assert.All(
        expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 2e-5 * Math.Max(1, expected.Max(Math.Abs))));

    private static float[][] Both(IOp op, float[] x, float[] dy, float logScale, float zero, int threads)
    {
        using OpRun run = new OpCase(op).Input<float>(DType.F32, [x.Length], dy).Input<float>(DType.F32, [x.Length], x)
            .Input<float>(DType.F32, [], logScale).Input<float>(DType.F32, [], zero).Prepare(new() { Threads = threads });
        return [run.Next<float>(0), run.Next<float>(1)];
    }

    private static float[] Numbers(Random random, int count, double scale) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(((random.NextDouble() * 2) - 1) * scale))];

    /// <summary>A weight with codebooks, of random shape.</summary>
    private sealed record Case(Shape Shape, int Axis, int Groups, int Codes)
    {
        public int Count => (int)Shape.ElementCount;

        public int Channels => Shape[Axis];

        public static Case Of(Random random)
        {
            int groups = random.Next(1, 4);
            int channels = groups * random.Next(1, 4);
            return random.Next(2) == 0
                ? new([channels, random.Next(1, 3), 2, random.Next(1, 4)], 0, groups, random.Next(1, 6))
                : new([1, 2, random.Next(1, 4), channels], 3, groups, random.Next(1, 6));
        }

        public int ChannelOf(int element) => new ChannelMap(Shape, Axis).ChannelOf(element);

        public float[] Indices(Random random) => [.. Enumerable.Range(0, Count).Select(_ => (float)random.Next(Codes))];
    }
}
