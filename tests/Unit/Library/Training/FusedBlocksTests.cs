using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops;
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

    private static (float[] Losses, float[][] State, int Blocks) Train(string name, bool fuse, int threads, int steps)
    {
        Module model = Architecture.Find(name).Build(new() { Input = [40, 36, 3], Classes = 4, Width = 0.25, Seed = 5 });
        TrainingOptions options = new() { Optimizer = Optimizer.Sgd(0.9f), FuseBlocks = fuse };
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
