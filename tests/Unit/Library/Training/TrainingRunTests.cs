using System.Collections.Immutable;
using Optc.Architectures;
using Optc.Ir;
using Optc.Numerics;
using Optc.Runtime.Training;
using Optc.Training;
using Optc.Training.Augmentations;
using Xunit;

namespace Optc.Tests.Unit.Library.Training;

/// <summary>Data, architectures and the trainer together.</summary>
public sealed class TrainingRunTests
{
    private const int Side = 12;
    private const int Classes = 3;

    public static TheoryData<string, bool> Names
    {
        get
        {
            TheoryData<string, bool> names = [];
            foreach (Architecture architecture in Architecture.All)
            {
                names.Add(architecture.Name, true);
                names.Add(architecture.Name, false);
            }

            return names;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_architecture_learns(string name, bool normalized)
    {
        Architecture architecture = Architecture.Find(name);
        bool classifies = architecture.DefaultClasses is not null;
        Module model = architecture.Build(new()
        {
            Input = [Side, Side],
            Classes = classifies ? Classes : null,
            Width = 0.125,
            BatchNormalization = normalized,
        });
        TrainingData data = TrainingData.Of(Stripes(24), new() { InputShapes = [Sample(model)], Targets = classifies ? null : TargetKind.None });
        BatchSource source = new(data, new() { Size = 12 });
        using Trainer trainer = new(model, 12, new() { Loss = classifies ? Loss.SparseCrossEntropy : Loss.MeanSquaredError, Optimizer = Optimizer.Adam() });

        double[] losses = [.. Enumerable.Range(0, 100).Select(_ => (double)Step(trainer, source, 0.003))];

        Assert.InRange(losses[^8..].Average(), 0, 0.9 * losses[..4].Average());
    }

    [Fact]
    public void A_run_that_is_resumed_has_the_weights_of_one_that_was_not_interrupted()
    {
        Module model = Architecture.Find("ds-cnn-s").Build(new() { Input = [Side, Side], Classes = Classes, Width = 0.125, BatchNormalization = false });
        TrainingData data = TrainingData.Of(Stripes(22), new() { InputShapes = [Sample(model)] });
        TrainingOptions options = new() { Loss = Loss.CrossEntropy, Optimizer = Optimizer.Adam() };
        BatchOptions batches = new() { Size = 8, Seed = 5, Augmentations = Augmentation.Parse("crop:2,noise:0.2,mixup:0.4") };

        using Trainer whole = new(model, 8, options);
        BatchSource source = new(data, batches);
        for (int i = 0; i < 7; i++)
        {
            Step(whole, source, 0.01);
        }

        using Trainer begun = new(model, 8, options);
        source = new(data, batches);
        for (int i = 0; i < 4; i++)
        {
            Step(begun, source, 0.01);
        }

        using Trainer resumed = new(model, 8, options);
        resumed.LoadState(begun.StepCount, begun.SaveState().ToDictionary(s => s.Name, s => s.Content));
        source = new(data, batches) { Position = source.Position };
        for (int i = 0; i < 3; i++)
        {
            Step(resumed, source, 0.01);
        }

        Assert.Equal(new(2, 8), source.Position);
        Assert.All(whole.SaveState().Zip(resumed.SaveState()), s => Assert.Equal(s.First.Content.Bytes.ToArray(), s.Second.Content.Bytes.ToArray()));
    }

    [Fact]
    public void Only_the_new_head_learns_while_the_body_is_frozen()
    {
        Module body = Architecture.Find("mlp").Build(new() { Input = [Side, Side], Classes = 10, Width = 0.125, BatchNormalization = false });
        Module model = HeadReplacement.Apply(body, Classes, seed: 2);
        BatchSource source = new(TrainingData.Of(Stripes(24), new() { InputShapes = [Sample(model)] }), new() { Size = 24 });
        using Trainer trainer = new(model, 24, new() { Rates = [new(".*", 0), new("^head/", 1)], Optimizer = Optimizer.Adam() });

        float first = Step(trainer, source, 0.05);
        for (int i = 0; i < 40; i++)
        {
            Step(trainer, source, 0.05);
        }

        Assert.InRange(Step(trainer, source, 0.05), 0, 0.5f * first);
        ImmutableArray<TensorData?> before = [.. model.Main.Nodes.Select(n => n.Input(1)?.Constant)];
        ImmutableArray<TensorData?> after = [.. trainer.Export().Main.Nodes.Select(n => n.Input(1)?.Constant)];
        Assert.All(before[..^2].Zip(after[..^2]), p => Assert.Equal(p.First?.Bytes.ToArray(), p.Second?.Bytes.ToArray()));
        Assert.NotEqual(before[^2]!.Bytes.ToArray(), after[^2]!.Bytes.ToArray());
    }

    private static float Step(Trainer trainer, BatchSource source, double rate)
    {
        Batch batch = source.Next();
        ReadOnlyMemory<byte> target = batch.TargetShape is not null ? batch.TargetBytes : batch.ClassBytes.IsEmpty ? batch.InputBytes(0) : batch.ClassBytes;
        return trainer.Step(batch.Count, [batch.InputBytes(0), target], default, rate);
    }

    private static Shape Sample(Module module) => Shape.Create(module.Main.Inputs[0].Type.Shape.Dims.AsSpan()[1..]);

    /// <summary>Noisy pictures of stripes: lying, standing, slanting.</summary>
    private static Dataset Stripes(int count)
    {
        SplitMix64 random = SplitMix64.Of(77);
        float[] x = new float[count * Side * Side];
        int[] y = new int[count];
        for (int i = 0; i < x.Length; i++)
        {
            (int sample, int row, int column) = (i / (Side * Side), i / Side % Side, i % Side);
            y[sample] = sample % Classes;
            int position = y[sample] switch { 0 => row, 1 => column, _ => row + column };
            x[i] = (float)((position % 4 < 2 ? 1 : -1) + (0.3 * random.NextNormal()));
        }

        return Dataset.Of(TensorData.FromFloats([count, Side, Side], x), TensorData.FromInts([count], y));
    }
}
