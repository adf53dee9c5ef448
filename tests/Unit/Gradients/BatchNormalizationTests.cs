using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Gradients;

public class BatchNormalizationTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 16)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Gradient_agrees_with_differences_also_through_the_statistics(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        int channels = random.Next(1, 13);
        Shape shape = FunctionGradientTests.RandomShape(random, 3);
        Value x = builder.Input("x", new(DType.F32, Shape.Of([.. shape, channels])));
        Value gamma = builder.Input("gamma", new(DType.F32, [channels]));
        Value beta = builder.Input("beta", new(DType.F32, [channels]));
        Node node = builder.Add(new BatchNormalization(0.05f), [x, gamma, beta], "y");
        ImmutableArray<Value> results = random.Next(3) switch
        {
            0 => [node.Outputs[0]],
            1 => [node.Outputs[0], node.Outputs[2]],
            _ => [.. node.Outputs],
        };
        return ([x, gamma, beta], results);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    public void Every_channel_gets_mean_0_and_variance_1_then_slope_and_offset(int channels)
    {
        const int Rows = 5000;
        float[] x = Noise(seed: 3, Rows * channels, offset: 20);
        float[][] results = Train(x, Rows, channels, threads: 1);
        for (int c = 0; c < channels; c++)
        {
            double[] before = [.. Enumerable.Range(0, Rows).Select(r => (double)x[(r * channels) + c])];
            double mean = before.Average();
            double variance = before.Average(v => (v - mean) * (v - mean));
            Assert.Equal(mean, results[1][c], mean * 1e-6);
            Assert.Equal(variance, results[2][c], variance * 1e-6);
            double[] after = [.. Enumerable.Range(0, Rows).Select(r => (double)results[0][(r * channels) + c])];
            Assert.Equal(Beta(c), after.Average(), 1e-4);
            double expected = Gamma(c) * Math.Sqrt(variance / (variance + new BatchNormalization().Epsilon));
            Assert.Equal(expected, Math.Sqrt(after.Average(v => (v - Beta(c)) * (v - Beta(c)))), 1e-4);
        }
    }

    [Theory]
    [InlineData(5)]
    [InlineData(24)]
    public void Threads_do_not_change_a_bit_of_results_and_gradients(int channels)
    {
        const int Rows = 20000;
        float[] x = Noise(seed: 4, Rows * channels, offset: 1);
        float[][] one = Train(x, Rows, channels, threads: 1);
        foreach (int threads in (int[])[2, 5])
        {
            Assert.Equal(one, Train(x, Rows, channels, threads));
        }
    }

    [Theory]
    [InlineData(1, 33)]
    [InlineData(3, 7)]
    [InlineData(12, 1000)]
    [InlineData(64, 2000)]
    [InlineData(172, 301)]
    public void An_activation_in_it_has_the_bits_of_one_behind_it(int channels, int rows)
    {
        float[] x = Noise(seed: channels, rows * channels, offset: 1);
        foreach ((FusedActivation activation, IOp op) in new (FusedActivation, IOp)[]
        {
            (FusedActivation.Relu, new Relu()), (FusedActivation.Relu6, new Relu6()), (FusedActivation.ReluN1To1, new ReluN1To1()),
        })
        {
            float[][] apart = Train(x, rows, channels, threads: 1, op);
            Assert.Contains(apart[3], v => v != 0);
            Assert.Equal(apart, Train(x, rows, channels, threads: 2, activation: activation));
        }
    }

    [Fact]
    public void Values_far_from_zero_keep_their_variance()
    {
        const int Rows = 3000;
        float[] x = Noise(seed: 6, Rows * 8, offset: 1000);
        float[] variance = Train(x, Rows, 8, threads: 1)[2];
        for (int c = 0; c < 8; c++)
        {
            double[] channel = [.. x.Where((_, i) => i % 8 == c).Select(v => (double)v)];
            double mean = channel.Average();
            double expected = channel.Average(v => (v - mean) * (v - mean));
            Assert.Equal(expected, variance[c], expected * 1e-5);
        }
    }

    [Fact]
    public void Inference_with_the_statistics_of_the_batch_gives_what_training_gave()
    {
        (int rows, int channels) = (50, 3);
        float[] x = Noise(seed: 5, rows * channels, offset: -2);
        float[][] training = Train(x, rows, channels, threads: 1);
        GraphBuilder builder = new("main");
        Value input = builder.Input("x", new(DType.F32, [rows, channels]));
        Value Vector(string name, Func<int, float> element) => GraphBuilder.Constant(
            TensorData.FromFloats([channels], [.. Enumerable.Range(0, channels).Select(element)]), name);
        builder.Output(new BatchNormalization().Inference(
            builder,
            input,
            Vector("gamma", Gamma),
            Vector("beta", Beta),
            Vector("mean", c => training[1][c]),
            Vector("variance", c => training[2][c]),
            "y"));
        using Interpreter interpreter = new(GraphBuilder.Module([builder.Build()]));
        x.CopyTo(interpreter.Input<float>(0));
        interpreter.Run();
        Assert.All(training[0].Zip(interpreter.Output<float>(0).ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void Constant_channels_stay_finite()
    {
        float[][] results = Train([.. Enumerable.Repeat(3f, 40)], 20, 2, threads: 1);
        Assert.Equal([0f, 0f], results[2]);
        Assert.All(results[0].Select((v, i) => (v, i)), e => Assert.Equal(Beta(e.i % 2), e.v, 1e-4f));
    }

    [Fact]
    public void Statistics_of_nothing_are_refused()
    {
        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => Train([], 0, 2, threads: 1));
        Assert.Contains("nothing has no mean", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(float.NaN)]
    public void Epsilon_is_positive(float epsilon)
    {
        TensorType channels = new(DType.F32, [2]);
        Assert.Throws<OpRuleException>(() => new BatchNormalization(epsilon).InferTypes(new(new TensorType(DType.F32, [3, 2]), channels, channels)));
    }

    private static float Gamma(int channel) => 0.5f + channel;

    private static float Beta(int channel) => 1 - (0.25f * channel);

    private static float[] Noise(int seed, int length, float offset)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, length).Select(_ => offset + (random.NextSingle() * 4) - 2)];
    }

    /// <summary>y, mean, variance, and dx, dgamma, dbeta of the sum of y squared.</summary>
    private static float[][] Train(
        float[] x, int rows, int channels, int threads, IOp? behind = null, FusedActivation activation = FusedActivation.None)
    {
        GraphBuilder builder = new("main");
        Value input = builder.Input("x", new(DType.F32, [rows, channels]));
        Value gamma = builder.Input("gamma", new(DType.F32, [channels]));
        Value beta = builder.Input("beta", new(DType.F32, [channels]));
        Node node = builder.Add(new BatchNormalization(Activation: activation), [input, gamma, beta], "y");
        Value y = behind is null ? node.Outputs[0] : builder.Add(behind, [node.Outputs[0]], "activated").Output;
        Value square = builder.Add(new Square(), [y], "square").Output;
        Value axes = GraphBuilder.Constant(TensorData.FromInts([2], [0, 1]), "axes");
        Value loss = builder.Add(new Sum(KeepDims: false), [square, axes], "loss").Output;
        foreach (Value result in (Value[])[y, .. node.Outputs.Skip(1), .. Optc.Ops.Gradients.Differentiation.Add(builder, loss, [input, gamma, beta]).OfType<Value>()])
        {
            builder.Output(result);
        }

        using Interpreter interpreter = new(GraphBuilder.Module([builder.Build()]), options: new() { Threads = threads });
        x.CopyTo(interpreter.Input<float>(0));
        for (int c = 0; c < channels; c++)
        {
            interpreter.Input<float>(1)[c] = Gamma(c);
            interpreter.Input<float>(2)[c] = Beta(c);
        }

        interpreter.Run();
        return [.. Enumerable.Range(0, 6).Select(i => interpreter.Output<float>(i).ToArray())];
    }
}
