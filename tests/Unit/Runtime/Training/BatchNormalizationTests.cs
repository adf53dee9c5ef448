using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Runtime;
using Optc.Runtime.Training;
using Xunit;

namespace Optc.Tests.Unit.Runtime.Training;

public class BatchNormalizationTests
{
    private const int Samples = 16;

    [Fact]
    public void Statistics_move_towards_those_of_the_batch()
    {
        using Trainer trainer = new(Model(), Samples, new() { Loss = Loss.MeanSquaredError, Optimizer = Optimizer.Sgd(), StatisticsMomentum = 0 });
        float[] x = Numbers(3, Samples * 2);
        trainer.Step(Samples, [Bytes(x), Bytes(new float[Samples * 2])], default, 0);

        ChannelStatistics seen = trainer.Statistics["norm"];
        for (int c = 0; c < 2; c++)
        {
            double[] column = [.. Enumerable.Range(0, Samples).Select(i => (double)x[(i * 2) + c])];
            double mean = column.Average();
            Assert.Equal(mean, seen.Mean[c], 1e-5);
            Assert.Equal(column.Sum(v => (v - mean) * (v - mean)) / (Samples - 1), seen.Variance[c], 1e-5);
        }
    }

    [Fact]
    public void An_exported_model_normalizes_with_the_statistics_of_training()
    {
        using Trainer trainer = new(Model(), Samples, new() { Loss = Loss.MeanSquaredError, Optimizer = Optimizer.Sgd(), StatisticsMomentum = 0 });
        float[] x = Numbers(3, Samples * 2);
        float[] target = Numbers(4, Samples * 2);
        for (int i = 0; i < 20; i++)
        {
            trainer.Step(Samples, [Bytes(x), Bytes(target)], default, 0.1);
        }

        Module exported = trainer.Export();
        trainer.Step(Samples, [Bytes(x), Bytes(target)], default, 0);
        float[] trained = trainer.Outputs(Samples).ToArray();
        using Interpreter interpreter = new(exported);
        for (int i = 0; i < Samples; i++)
        {
            x.AsSpan(i * 2, 2).CopyTo(interpreter.Input<float>(0));
            interpreter.Run();
            for (int c = 0; c < 2; c++)
            {
                // The kept variance is the unbiased one.
                Assert.Equal(trained[(i * 2) + c], interpreter.Output<float>(0)[c], 0.1);
            }
        }
    }

    [Fact]
    public void A_run_that_knows_the_statistics_starts_where_the_file_ends()
    {
        using Trainer trainer = new(Model(), Samples, new() { Loss = Loss.MeanSquaredError, Optimizer = Optimizer.Sgd() });
        for (int i = 0; i < 20; i++)
        {
            trainer.Step(Samples, [Bytes(Numbers(i, Samples * 2)), Bytes(Numbers(i + 100, Samples * 2))], default, 0.1);
        }

        Module exported = trainer.Export();
        using Trainer next = new(exported, Samples, new() { Loss = Loss.MeanSquaredError, Optimizer = Optimizer.Sgd(), Statistics = trainer.Statistics });

        foreach (((string name, TensorData before), (_, TensorData after)) in trainer.SaveState().Zip(next.SaveState()))
        {
            for (int i = 0; i < before.Shape.ElementCount; i++)
            {
                Assert.True(Math.Abs(before.AsFloats()[i] - after.AsFloats()[i]) < 1e-5, name);
            }
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(4)]
    public void Statistics_of_averaged_weights_are_averaged_alike(int? microBatch)
    {
        const float past = 0.75f;
        TrainingOptions options = new()
        {
            Loss = Loss.MeanSquaredError,
            Optimizer = Optimizer.Sgd(),
            StatisticsMomentum = 0.5f,
            MicroBatch = microBatch,
        };
        using Trainer averaged = new(Model(), Samples, options with { MovingAverage = past });
        using Trainer plain = new(Model(), Samples, options);
        (float[] mean, float[] variance) = ([0, 0], [0.999f, 0.999f]);
        for (int i = 0; i < 12; i++)
        {
            foreach (Trainer trainer in new[] { averaged, plain })
            {
                trainer.Step(Samples, [Bytes(Numbers(i, Samples * 2)), Bytes(Numbers(i + 100, Samples * 2))], default, 0.1);
            }

            for (int c = 0; c < 2; c++)
            {
                mean[c] = (past * mean[c]) + ((1 - past) * plain.Statistics["norm"].Mean[c]);
                variance[c] = (past * variance[c]) + ((1 - past) * plain.Statistics["norm"].Variance[c]);
            }
        }

        ChannelStatistics kept = averaged.Statistics["norm"];
        for (int c = 0; c < 2; c++)
        {
            Assert.Equal(mean[c], kept.Mean[c], 1e-5);
            Assert.Equal(variance[c], kept.Variance[c], 1e-5);
            Assert.NotEqual(plain.Statistics["norm"].Mean[c], kept.Mean[c], 1e-4);
        }

        // What is exported goes on where it ends: gamma and beta come back with these statistics.
        using Trainer next = new(averaged.Export(), Samples, options with { Statistics = averaged.Statistics });
        Assert.Equal(State(averaged, "norm/gamma/average"), State(next, "norm/gamma"), (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal(State(averaged, "norm/beta/average"), State(next, "norm/beta"), (a, b) => Math.Abs(a - b) < 1e-5);

        static float[] State(Trainer trainer, string name) =>
            trainer.SaveState().Single(s => s.Name == name).Content.AsFloats().ToArray();
    }

    [Fact]
    public void A_frozen_layer_keeps_its_factors_and_ignores_the_batch()
    {
        using Trainer trainer = new(Model(), Samples, new() { Loss = Loss.MeanSquaredError, Optimizer = Optimizer.Sgd(), Rates = [new("norm", 0)] });
        trainer.Step(Samples, [Bytes(Numbers(1, Samples * 2)), Bytes(Numbers(2, Samples * 2))], default, 0.1);

        Assert.Empty(trainer.Statistics);
        Assert.All(trainer.Export().Main.Nodes.Where(n => n.Op is Mul), n => Assert.Equal([1f, 1f], n.Inputs[1]!.Constant!.AsFloats().ToArray()));
    }

    [Fact]
    public void Fused_blocks_give_the_losses_and_weights_of_single_operators()
    {
        (float[] Losses, (string Name, TensorData Content)[] State) Run(bool fuse)
        {
            using Trainer trainer = new(Model(), Samples, new() { Loss = Loss.MeanSquaredError, FuseBlocks = fuse });
            float[] losses = [.. Enumerable.Range(0, 10).Select(i => trainer.Step(
                Samples, [Bytes(Numbers(i, Samples * 2)), Bytes(Numbers(i + 100, Samples * 2))], default, 0.1))];
            return (losses, [.. trainer.SaveState()]);
        }

        (float[] losses, (string, TensorData)[] state) = Run(fuse: true);
        (float[] expected, (string, TensorData)[] expectedState) = Run(fuse: false);
        Assert.Equal(expected, losses);
        Assert.All(expectedState.Zip(state), p => Assert.Equal(p.First.Item2.AsFloats().ToArray(), p.Second.Item2.AsFloats().ToArray()));
    }

    [Fact]
    public void A_fused_graph_has_no_activation_behind_a_normalization()
    {
        Assert.Contains(TrainingGraph.Of(Model(), 4, Options(fuse: false)).Module.Main.Nodes, n => n.Op is Relu);
        Assert.DoesNotContain(TrainingGraph.Of(Model(), 4, Options(fuse: true)).Module.Main.Nodes, n => n.Op is Relu or ActivationGradient);

        static TrainingOptions Options(bool fuse) => new() { Loss = Loss.MeanSquaredError, FuseBlocks = fuse };
    }

    /// <summary>x [1, 2], normalized, then dense.</summary>
    private static Module Model()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, 2]));
        Value scaled = builder.Add(new Mul(), [x, Constant("scale", [2], 1, 1)], "norm/bn_scale").Output;
        Value shifted = builder.Add(new Add(FusedActivation.Relu), [scaled, Constant("shift", [2], 0.5f, 0.25f)], "norm/bn_shift").Output;
        builder.Output(builder.Add(new FullyConnected(), [shifted, Constant("w", [2, 2], 0.5f, -0.5f, 0.3f, 0.4f)], "dense").Output);
        return GraphBuilder.Module([builder.Build()]);
    }

    private static Value Constant(string name, Shape shape, params ReadOnlySpan<float> values) =>
        GraphBuilder.Constant(TensorData.FromFloats(shape, values), name);

    private static float[] Numbers(int seed, int count)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 4) - 1)];
    }

    private static ReadOnlyMemory<byte> Bytes(ReadOnlySpan<float> values) => MemoryMarshal.AsBytes(values).ToArray();
}
