using Optc.Formats.EthosU;
using Xunit;

namespace Optc.Tests.Unit.Formats.EthosU;

public sealed class WeightReorderingTests
{
    private static readonly TraversalOptions DepthFirst = new() { Traversal = WeightTraversal.DepthFirst, OutputBlockDepth = 16 };

    [Fact]
    public void Depth_first_fills_the_last_block_of_input_channels()
    {
        WeightShape shape = new(2, 1, 1, 3);

        short[] reordered = WeightReordering.Reorder([1, 2, 3, 4, 5, 6], shape, DepthFirst);

        // Four micro-blocks of 8 IFM channels for each of 8 OFM channels.
        Assert.Equal(8 * 32, reordered.Length);
        Assert.Equal([1, 2, 3, 0, 0, 0, 0, 0, 4, 5, 6, 0], reordered[..12]);
        Assert.All(reordered[16..], w => Assert.Equal(0, w));
    }

    [Fact]
    public void Depthwise_has_the_output_channels_innermost_and_four_kernel_elements_together()
    {
        WeightShape shape = new(2, 1, 3, 1);

        short[] reordered = WeightReordering.Reorder([1, 2, 3, 4, 5, 6], shape, DepthFirst with { Traversal = WeightTraversal.Depthwise });

        Assert.Equal(4 * 8, reordered.Length);
        Assert.Equal([1, 4, 0, 0, 0, 0, 0, 0, 2, 5], reordered[..10]);
        Assert.Equal([3, 6], reordered[16..18]);
    }

    [Fact]
    public void Every_weight_is_there_once_and_the_rest_is_zero()
    {
        Random random = new(7);
        foreach (WeightTraversal traversal in Enum.GetValues<WeightTraversal>())
        {
            for (int round = 0; round < 15; round++)
            {
                WeightShape shape = new(
                    random.Next(1, 40), random.Next(1, 11), random.Next(1, 11), traversal == WeightTraversal.Depthwise ? 1 : random.Next(1, 40));
                TraversalOptions options = new()
                {
                    Traversal = traversal,
                    OutputMicroBlockDepth = 4 << random.Next(2),
                    OutputBlockDepth = 8 * random.Next(1, 6),
                    InputBits = 8 << random.Next(2),
                    SubKernelHeight = 4 << random.Next(2),
                    SubKernelWidth = 4 << random.Next(2),
                };
                short[] weights = [.. Enumerable.Range(1, shape.Count).Select(i => (short)(i % 32767))];

                short[] reordered = WeightReordering.Reorder(weights, shape, options);

                Assert.Equal(weights.Where(w => w != 0).Order(), reordered.Where(w => w != 0).Order());
                Assert.Equal(reordered.Length, WeightReordering.CountReordered(shape, options));
                short[] restored = new short[weights.Length];
                Assert.Equal(-1, WeightReordering.Restore(reordered, shape, options, restored));
                Assert.Equal(weights, restored);
            }
        }
    }

    [Theory]
    [InlineData(3, 3, 1, WeightTraversal.PartKernelFirst)]
    [InlineData(1, 1, 8, WeightTraversal.PartKernelFirst)]
    [InlineData(1, 1, 64, WeightTraversal.DepthFirst)]
    [InlineData(3, 3, 64, WeightTraversal.DepthFirst)]
    [InlineData(3, 3, 40, WeightTraversal.PartKernelFirst)]
    [InlineData(2, 2, 64, WeightTraversal.PartKernelFirst)]
    public void Convolutions_take_the_traversal_with_less_padding(int height, int width, int inputs, WeightTraversal expected) =>
        Assert.Equal(expected, TraversalOptions.ForConvolution(new(16, height, width, inputs)));

    [Fact]
    public void Impossible_shapes_are_refused()
    {
        Assert.Throws<ArgumentException>(() => WeightReordering.CountReordered(new(0, 1, 1, 1), DepthFirst));
        Assert.Throws<ArgumentException>(() => WeightReordering.Reorder([1], new(1, 1, 1, 2), DepthFirst));
        Assert.Throws<ArgumentException>(() =>
            WeightReordering.CountReordered(new(4, 3, 3, 2), DepthFirst with { Traversal = WeightTraversal.Depthwise }));
        Assert.Throws<ArgumentException>(() => WeightReordering.CountReordered(new(4, 3, 3, 2), DepthFirst with { InputBits = 4 }));
        Assert.Throws<ArgumentException>(() => WeightReordering.CountReordered(new(4, 3, 3, 2), DepthFirst with { OutputBlockDepth = 0 }));
    }
}
