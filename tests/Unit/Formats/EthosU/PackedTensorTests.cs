using System.Collections.Immutable;
using Optc.Formats;
using Optc.Formats.EthosU;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Unit.Formats.EthosU;

public sealed class PackedTensorTests
{
    public static TheoryData<string> Reordered => WeightVector.Names(reordered: true);

    [Fact]
    public void Reads_back_what_it_packs()
    {
        for (int seed = 0; seed < 150; seed++)
        {
            (TensorLayout layout, short[] weights, ImmutableArray<ScaleEntry> entries) = Random(seed);

            PackedTensor packed = PackedTensor.Of(layout, weights, entries.AsSpan(), (WeightCodecMode)(seed % 2));
            (short[] read, ImmutableArray<ScaleEntry> readEntries) = PackedTensor.Read(layout, packed.Bytes.Span, packed.Ranges.AsSpan());

            Assert.Equal(weights, read);
            Assert.Equal<ScaleEntry>(entries.AsEnumerable(), readEntries.AsEnumerable());
            Assert.Equal(layout.CountReordered(), packed.ReorderedWeights);
            Assert.All(packed.Ranges, r => Assert.Equal(0, (r.Offset | r.WeightOffset | r.WeightBytes) % 16));
            Assert.Equal(packed.Bytes.Length, packed.Ranges[^1].End);
            Assert.Equal(entries.Length * ScaleEntry.Length, packed.Ranges.Sum(r => r.ScaleBytes));
        }
    }

    [SharedTheory]
    [MemberData(nameof(Reordered))]
    public void Streams_are_those_of_the_reference(string name)
    {
        WeightVector vector = WeightVector.Read(name);
        TraversalOptions options = vector.Options!;
        TensorLayout layout = new()
        {
            Accelerator = Accelerator.All.First(a => a.Cores == 1 && a.OutputMicroBlockDepth == options.OutputMicroBlockDepth),
            Shape = vector.Shape,
            Traversal = options.Traversal,
            InputBits = options.InputBits,
            DilationHeight = 8 / options.SubKernelHeight,
            DilationWidth = 8 / options.SubKernelWidth,
            BlockDepth = options.OutputBlockDepth,
            DepthOffsets = [0, vector.Shape.OutputChannels],
        };

        PackedTensor packed = PackedTensor.Of(layout, vector.Source, new ScaleEntry[vector.Shape.OutputChannels]);

        WeightRange range = Assert.Single(packed.Ranges);
        Assert.Equal(Convert.ToHexString(vector.Stream), Convert.ToHexString(packed.Bytes.Span[range.WeightOffset..]));
    }

    [Fact]
    public void Two_cores_take_every_other_channel_of_a_slice()
    {
        TensorLayout layout = new()
        {
            Accelerator = Accelerator.Find("ethos-u65-512")!,
            Shape = new(19, 1, 1, 1),
            Traversal = WeightTraversal.DepthFirst,
            BlockDepth = 16,
            DepthOffsets = [0, 16, 19],
        };
        short[] weights = [.. Enumerable.Range(1, 19).Select(i => (short)i)];
        ScaleEntry[] entries = [.. Enumerable.Range(0, 19).Select(i => new ScaleEntry(i, 1, 1))];

        PackedTensor packed = PackedTensor.Of(layout, weights, entries);

        Assert.Equal([(0, 0, 80), (0, 1, 80), (1, 0, 20), (1, 1, 10)], packed.Ranges.Select(r => (r.Slice, r.Core, r.ScaleBytes)));
        WeightRange last = packed.Ranges[3];
        Assert.Equal(17, ScaleEntry.Read(packed.Bytes.Span[last.Offset..], 0).Bias);
        Assert.Equal(18, WeightCodec.Decode(packed.Bytes.Span[(last.Offset + last.WeightOffset)..])[0]);
    }

    [Fact]
    public void A_core_without_a_channel_has_an_empty_range()
    {
        TensorLayout layout = new()
        {
            Accelerator = Accelerator.Find("ethos-u65-512")!,
            Shape = new(17, 1, 1, 1),
            Traversal = WeightTraversal.DepthFirst,
            BlockDepth = 16,
            DepthOffsets = [0, 16, 17],
        };

        PackedTensor packed = PackedTensor.Of(layout, new short[17], new ScaleEntry[17]);

        Assert.Equal(new(1, 1, packed.Bytes.Length, 0, 0, 0), packed.Ranges[3]);
        Assert.Equal(17, PackedTensor.Read(layout, packed.Bytes.Span, packed.Ranges.AsSpan()).Weights.Length);
    }

    [Fact]
    public void Refuses_ranges_that_are_not_those_of_the_layout()
    {
        (TensorLayout layout, short[] weights, ImmutableArray<ScaleEntry> entries) = Random(11);
        PackedTensor packed = PackedTensor.Of(layout, weights, entries.AsSpan());
        WeightRange first = packed.Ranges[0];
        ImmutableArray<WeightRange>[] wrong =
        [
            [], packed.Ranges.RemoveAt(packed.Ranges.Length - 1), packed.Ranges.Add(first), packed.Ranges.SetItem(0, first with { Core = 1 }),
            packed.Ranges.SetItem(0, first with { Offset = 16 }), packed.Ranges.SetItem(0, first with { Offset = -16 }),
            packed.Ranges.SetItem(0, first with { ScaleBytes = first.ScaleBytes - 10 }), packed.Ranges.SetItem(0, first with { WeightBytes = int.MaxValue - 15 }),
            packed.Ranges.SetItem(0, first with { WeightBytes = 0 }), packed.Ranges.SetItem(0, first with { WeightOffset = int.MaxValue }),
        ];

        Assert.All(wrong, ranges => Assert.Throws<MalformedDataException>(() => PackedTensor.Read(layout, packed.Bytes.Span, ranges.AsSpan())));
    }

    [Fact]
    public void Refuses_padding_that_is_not_zero()
    {
        TensorLayout layout = new()
        {
            Accelerator = Accelerator.All[1],
            Shape = new(1, 1, 1, 1),
            Traversal = WeightTraversal.DepthFirst,
            BlockDepth = 8,
            DepthOffsets = [0, 1],
        };
        short[] reordered = new short[layout.CountReordered()];
        (reordered[0], reordered[5]) = (3, 1);
        byte[] stream = WeightCodec.Encode(reordered);
        byte[] blob = [.. new byte[16], .. stream];

        MalformedDataException refusal = Assert.Throws<MalformedDataException>(
            () => PackedTensor.Read(layout, blob, [new(0, 0, 0, 10, 16, stream.Length)]));

        Assert.Equal("range 0, weight 5", refusal.Path);
    }

    [Theory]
    [InlineData("ethos-u55-32", 20, "4 8 12 16 20")]
    [InlineData("ethos-u55-128", 20, "16 24")]
    [InlineData("ethos-u55-128", 3, "8")]
    [InlineData("ethos-u65-512", 200, "16 32 48 64 80 96 112 128")]
    public void Block_depths_are_multiples_of_16_or_the_whole_depth(string accelerator, int channels, string expected)
    {
        ImmutableArray<int> depths = TensorLayout.BlockDepths(Accelerator.Find(accelerator)!, channels);

        Assert.Equal(expected.Split(' ').Select(int.Parse).Where(d => d % 16 == 0 || d >= channels), depths);
    }

    private static (TensorLayout Layout, short[] Weights, ImmutableArray<ScaleEntry> Entries) Random(int seed)
    {
        Random random = new(seed);
        WeightTraversal traversal = (WeightTraversal)random.Next(3);
        WeightShape shape = new(
            random.Next(1, 70), random.Next(1, 11), random.Next(1, 5), traversal == WeightTraversal.Depthwise ? 1 : random.Next(1, 40));
        Accelerator accelerator = Accelerator.All[random.Next(Accelerator.All.Length)];
        ImmutableArray<int> depths = TensorLayout.BlockDepths(accelerator, shape.OutputChannels);
        TensorLayout layout = new()
        {
            Accelerator = accelerator,
            Shape = shape,
            Traversal = traversal,
            InputBits = random.Next(2) == 0 ? 8 : 16,
            DilationHeight = random.Next(1, 3),
            DilationWidth = random.Next(1, 3),
            BlockDepth = depths[random.Next(depths.Length)],
            DepthOffsets = TensorLayout.Slices(shape.OutputChannels, 16 * random.Next(1, 5)),
        };
        short[] weights = [.. Enumerable.Range(0, shape.Count).Select(_ => (short)(random.Next(3) == 0 ? 0 : random.Next(-128, 128)))];
        return (layout, weights, [.. Enumerable.Range(0, shape.OutputChannels).Select(i => new ScaleEntry(random.Next() - (1 << 30), (uint)random.Next(), i % 64))]);
    }
}
