using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Runtime.Training;
using Xunit;
using Architecture = Optc.Architectures.Architecture;

namespace Optc.Tests.Unit.Library.Training;

/// <summary>Blocks of a training step against the same step operator by operator, which is their oracle.</summary>
public class FusedBlocksTests
{
    private const int Batch = 8;

    public static TheoryData<string> Names => ["ds-cnn-s", "resnet-8", "mobilenet-v1", "mobilenet-v2"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Blocks_train_as_single_operators_do(string name)
    {
        (float[] losses, float[][] state, int blocks) = Train(name, fuse: true, threads: 1, steps: 1);
        (float[] expected, float[][] expectedState, int none) = Train(name, fuse: false, threads: 1, steps: 1);

        Assert.True(blocks > 0 && none == 0);
        Assert.All(expected.Zip(losses), p => Assert.Equal(p.First, p.Second, 1e-5 * Math.Abs(p.First)));

        // A last bit can decide whether a rectifier lets a gradient through, and 27 layers amplify that: a last bit of the input
        // moves the step as far. So lengths, not elements, after one step.
        foreach ((float[] a, float[] b) in expectedState.Zip(state))
        {
            double distance = Math.Sqrt(a.Zip(b).Sum(p => (p.First - (double)p.Second) * (p.First - p.Second)));
            Assert.InRange(distance, 0, 1e-3 + (0.03 * Math.Sqrt(a.Sum(v => (double)v * v))));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Blocks_have_the_same_bits_for_any_number_of_threads(string name)
    {
        (float[] losses, float[][] state, _) = Train(name, fuse: true, threads: 1, steps: 3);
        (float[] again, float[][] stateAgain, _) = Train(name, fuse: true, threads: 3, steps: 3);
        Assert.Equal(losses, again);
        Assert.Equal(state, stateAgain);
    }

    /// <summary>With statistics that stay as they are both ways compute the same bits forward; else a last bit of a statistic can move a value by a step.</summary>
    [Theory]
    [InlineData("ds-cnn-s", false)]
    [InlineData("ds-cnn-s", true)]
    [InlineData("resnet-8", false)]
    [InlineData("resnet-8", true)]
    [InlineData("mobilenet-v1", true)]
    public void Blocks_round_what_they_read_as_single_operators_do(string name, bool frozen)
    {
        (float[] losses, float[][] state, int blocks) = Train(name, fuse: true, threads: 1, steps: 1, rounds: true, frozen);
        (float[] expected, float[][] expectedState, int none) = Train(name, fuse: false, threads: 1, steps: 1, rounds: true, frozen);

        Assert.True(blocks > 0 && none == 0);
        Assert.All(expected.Zip(losses), p => Assert.Equal(p.First, p.Second, (frozen ? 0 : 1e-3) * Math.Abs(p.First)));
        foreach ((float[] a, float[] b) in expectedState.Zip(state))
        {
            double distance = Math.Sqrt(a.Zip(b).Sum(p => (p.First - (double)p.Second) * (p.First - p.Second)));
            Assert.InRange(distance, 0, (frozen ? 1e-5 : 2e-3) + ((frozen ? 1e-4 : 0.05) * Math.Sqrt(a.Sum(v => (double)v * v))));
        }
    }

    [Theory]
    [InlineData("ds-cnn-s", false)]
    [InlineData("resnet-8", true)]
    public void Rounding_blocks_have_the_same_bits_for_any_number_of_threads(string name, bool frozen)
    {
        (float[] losses, float[][] state, _) = Train(name, fuse: true, threads: 1, steps: 3, rounds: true, frozen);
        (float[] again, float[][] stateAgain, _) = Train(name, fuse: true, threads: 3, steps: 3, rounds: true, frozen);
        Assert.Equal(losses, again);
        Assert.Equal(state, stateAgain);
    }

    [Fact]
    public void No_value_between_blocks_is_rounded_in_memory()
    {
        (Module model, TrainingOptions options) = Case("ds-cnn-s", fuse: true, rounds: true, frozen: false);
        TrainingOptions single = options with { FuseBlocks = false };
        int Count(TrainingOptions how) => TrainingGraph.Of(model, Batch, how).Module.Main.Nodes.Count(n => n.Op is LearnedFakeQuant);

        // The value that the pooling reads is left.
        Assert.Equal(options.Activations.Count, Count(single));
        Assert.Equal(1, Count(options));
    }

    private static (Module Model, TrainingOptions Options) Case(string name, bool fuse, bool rounds, bool frozen)
    {
        Module model = Architecture.Find(name).Build(new() { Input = [40, 36, 3], Classes = 4, Width = 0.25, Seed = 5 });
        Dictionary<Value, ActivationForm> grids = [];
        if (rounds)
        {
            grids = model.Main.Inputs.Concat(model.Main.Nodes.Where(n => n.Op is Add && n.Output.Type.Shape.Rank == 4).Select(n => n.Output)).ToDictionary(
                v => v,
                v => new ActivationForm($"grid/{v.Name}", -3, v.Producer?.Op is Add { Activation: not FusedActivation.None } ? -128 : 0, -128, 127));
        }

        return (model, new() { Optimizer = Optimizer.Sgd(0.9f), FuseBlocks = fuse, FreezeStatistics = frozen, Activations = grids });
    }

    private static (float[] Losses, float[][] State, int Blocks) Train(
        string name, bool fuse, int threads, int steps, bool rounds = false, bool frozen = false)
    {
        (Module model, TrainingOptions options) = Case(name, fuse, rounds, frozen);
        using Trainer trainer = new(model, Batch, options, new() { Threads = threads });
        Random random = new(3);
        float[] x = [.. Enumerable.Range(0, Batch * 40 * 36 * 3).Select(_ => (random.NextSingle() * 2) - 1)];
        int[] labels = [.. Enumerable.Range(0, Batch).Select(i => i % 4)];
        ImmutableArray<ReadOnlyMemory<byte>> inputs = [MemoryMarshal.AsBytes(x.AsSpan()).ToArray(), MemoryMarshal.AsBytes(labels.AsSpan()).ToArray()];
        float[] losses = [.. Enumerable.Range(0, steps).Select(_ => trainer.Step(Batch, inputs, default, 0.001))];
        int blocks = TrainingGraph.Of(model, Batch, options).Module.Main.Nodes.Count(n => n.Op is NormalizedConvolution);
        return (losses, [.. trainer.SaveState().Select(s => s.Content.AsFloats().ToArray())], blocks);
    }
}
