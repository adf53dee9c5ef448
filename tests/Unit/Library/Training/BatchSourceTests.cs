using Optc.Ir;
using Optc.Numerics;
using Optc.Runtime;
using Optc.Training;
using Optc.Training.Augmentations;
using Xunit;

namespace Optc.Tests.Unit.Library.Training;

public sealed class BatchSourceTests
{
    [Fact]
    public void Every_epoch_gives_every_sample_once_in_another_order()
    {
        BatchSource stream = new(TrainingData.Of(TrainingDataTests.Labelled(23, 3)), new() { Size = 5, Seed = 4 });

        int[] first = Epoch(stream);
        int[] second = Epoch(stream);

        Assert.Equal(Enumerable.Range(0, 23), first.Order());
        Assert.Equal(Enumerable.Range(0, 23), second.Order());
        Assert.NotEqual(first, second);
        Assert.Equal(new(2, 0), stream.Position);
        Assert.Equal(5, stream.BatchesPerEpoch);
    }

    [Fact]
    public void A_batch_holds_inputs_and_labels_of_its_samples_and_the_last_one_is_short()
    {
        BatchSource stream = new(TrainingData.Of(TrainingDataTests.Labelled(7, 3)), new() { Size = 4, Seed = 1 });

        stream.Next();
        Batch batch = stream.Next();

        Assert.Equal(3, batch.Count);
        Assert.Equal(batch.Samples.ToArray().Select(s => (float)s), batch.Input(0).ToArray());
        Assert.Equal(batch.Samples.ToArray().Select(s => s % 3), batch.Classes.ToArray());
        Assert.Equal(new(0, 4), batch.Start);
        Assert.Equal(12, batch.InputBytes(0).Length);
        Assert.Null(batch.TargetShape);
    }

    [Fact]
    public void Incomplete_batches_can_be_dropped()
    {
        BatchSource stream = new(TrainingData.Of(TrainingDataTests.Labelled(7, 3)), new() { Size = 3, DropLast = true });

        Assert.Equal(6, stream.SamplesPerEpoch);
        Assert.Equal(6, Epoch(stream).Length);
        Assert.Throws<DiagnosticException>(() => new BatchSource(TrainingData.Of(TrainingDataTests.Labelled(7, 3)), new() { Size = 8, DropLast = true }));
    }

    [Fact]
    public void Without_shuffling_samples_come_in_order()
    {
        BatchSource stream = new(TrainingData.Of(TrainingDataTests.Labelled(7, 3)), new() { Size = 3, Shuffle = false });

        Assert.Equal(Enumerable.Range(0, 7), Epoch(stream));
        Assert.Equal(Enumerable.Range(0, 7), Epoch(stream));
    }

    [Fact]
    public void A_stream_that_is_set_to_a_position_goes_on_bit_for_bit()
    {
        TrainingData data = Pictures(11);
        BatchOptions options = new() { Size = 4, Seed = 9, Augmentations = Augmentation.Parse("shift:1,noise:0.3,mixup:0.4,mix:0.2,brightness:0.5") };
        BatchSource whole = new(data, options);
        for (int i = 0; i < 4; i++)
        {
            whole.Next();
        }

        BatchSource resumed = new(data, options) { Position = whole.Position };

        for (int i = 0; i < 5; i++)
        {
            Batch expected = whole.Next();
            Batch found = resumed.Next();
            Assert.Equal(expected.Start, found.Start);
            Assert.Equal(expected.InputBytes(0).ToArray(), found.InputBytes(0).ToArray());
            Assert.Equal(expected.TargetBytes.ToArray(), found.TargetBytes.ToArray());
        }
    }

    [Theory]
    [InlineData("shift:1,noise:0.3,mixup:0.4,mix:0.2,cutout:2")]
    [InlineData("mixup:0.4,flip,mixup:1")]
    public void Neither_threads_nor_the_size_of_batches_reach_a_sample(string augmentations)
    {
        TrainingData data = Pictures(12);
        BatchOptions options = new() { Size = 4, Seed = 9, Augmentations = Augmentation.Parse(augmentations) };
        using ThreadWorkers workers = new(3);

        Dictionary<(int, int), (float[], float[])> expected = Samples(new BatchSource(data, options));
        Dictionary<(int, int), (float[], float[])> threads = Samples(new BatchSource(data, options, workers));
        Dictionary<(int, int), (float[], float[])> larger = Samples(new BatchSource(data, options with { Size = 6 }));
        Dictionary<(int, int), (float[], float[])> inOrder = Samples(new BatchSource(data, options with { Shuffle = false, Size = 12 }));

        Assert.Equal(24, expected.Count);
        foreach (((int, int) key, (float[] x, float[] y)) in expected)
        {
            Assert.Equal(x, threads[key].Item1);
            Assert.Equal(y, threads[key].Item2);
            Assert.Equal(x, larger[key].Item1);
            Assert.Equal(x, inOrder[key].Item1);
            Assert.NotEqual(x, expected[(1 - key.Item1, key.Item2)].Item1);
        }
    }

    [Fact]
    public void Mixup_gives_soft_labels_that_add_up_to_one()
    {
        BatchSource stream = new(TrainingData.Of(TrainingDataTests.Labelled(40, 4)), new() { Size = 40, Seed = 2, Augmentations = [new Mixup(1)] });

        Batch batch = stream.Next();

        Assert.Equal([4], batch.TargetShape!.Dims.ToArray());
        float[][] rows = [.. batch.Targets.ToArray().Chunk(4)];
        Assert.All(rows, r => Assert.Equal(1, r.Sum(), 1e-6));
        Assert.InRange(rows.Count(r => r.Max() < 0.999), 20, 40);

        // The sample is the number of the sample, so that weight and partner show in it: label and input agree.
        for (int i = 0; i < 40; i++)
        {
            int own = batch.Samples[i];
            float weight = 1 - rows[i][own % 4];
            Assert.True(weight is >= 0 and <= 1);
            if (rows[i].Count(v => v > 0) == 2)
            {
                double partner = own + ((batch.Input(0)[i] - own) / weight);
                Assert.Equal(Math.Round(partner), partner, 0.02 / weight);
                Assert.True(rows[i][(int)Math.Round(partner) % 4] > 0 || weight < 1e-3);
            }
        }
    }

    [Fact]
    public void A_stream_does_not_allocate()
    {
        BatchSource stream = new(Pictures(64), new() { Size = 32, Augmentations = Augmentation.Parse("flip,crop:1,cutout:2,mixup:0.2,noise:0.1") });
        for (int i = 0; i < 4; i++)
        {
            stream.Next();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
        {
            stream.Next();
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10 * 256);
    }

    [Fact]
    public void Orders_are_equally_likely()
    {
        int[] counts = new int[6];
        for (ulong seed = 0; seed < 6000; seed++)
        {
            int[] order = SampleOrder.Shuffled([0, 1, 2], SampleOrder.Domain.Shuffle, seed, 0);
            counts[(order[0] * 2) + (order[1] > order[2] ? 1 : 0)]++;
        }

        // Binomial with deviation 29.
        Assert.All(counts, c => Assert.InRange(c, 1000 - 130, 1000 + 130));
    }

    [Fact]
    public void Bounded_numbers_are_uniform_and_streams_depend_on_every_key()
    {
        SplitMix64 random = SplitMix64.Of(1, 2, 3);
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++)
        {
            counts[random.NextBelow(7)]++;
        }

        Assert.All(counts, c => Assert.InRange(c, 9_500, 10_500));
        ulong[] firsts = [.. new[] { SplitMix64.Of(1, 2), SplitMix64.Of(2, 1), SplitMix64.Of(1), SplitMix64.Of(1, 2, 0), SplitMix64.Of() }.Select(r => r.NextUInt64())];
        Assert.Equal(5, firsts.Distinct().Count());
        random.Restart(1, 2);
        Assert.Equal(firsts[0], random.NextUInt64());
    }

    internal static TrainingData Pictures(int count)
    {
        SplitMix64 random = new(5);
        float[] x = [.. Enumerable.Range(0, count * 24).Select(_ => (float)random.NextUnit())];
        return TrainingData.Of(Dataset.Of(TensorData.FromFloats([count, 4, 3, 2], x), TensorData.FromInts([count], [.. Enumerable.Range(0, count).Select(i => i % 3)])));
    }

    private static int[] Epoch(BatchSource stream)
    {
        List<int> samples = [];
        for (int i = 0; i < stream.BatchesPerEpoch; i++)
        {
            samples.AddRange(stream.Next().Samples);
        }

        return [.. samples];
    }

    /// <summary>Input and label by epoch and sample, over two epochs.</summary>
    private static Dictionary<(int Epoch, int Sample), (float[], float[])> Samples(BatchSource stream)
    {
        Dictionary<(int, int), (float[], float[])> result = [];
        for (int i = 0; i < 2 * stream.BatchesPerEpoch; i++)
        {
            Batch batch = stream.Next();
            for (int row = 0; row < batch.Count; row++)
            {
                result.Add((batch.Start.Epoch, batch.Samples[row]), (batch.InputRow(0, row).ToArray(), batch.TargetRow(row).ToArray()));
            }
        }

        return result;
    }
}
