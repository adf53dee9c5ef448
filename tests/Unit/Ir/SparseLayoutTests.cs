using Optc.Ir;
using Xunit;

namespace Optc.Tests.Unit.Ir;

public sealed class SparseLayoutTests
{
    [Fact]
    public void Expands_rows_of_compressed_columns()
    {
        SparseLayout layout = new([0, 1], [], [new(3, [], []), new(0, [0, 1, 1, 3], [2, 0, 3])]);

        sbyte[] dense = Expand(layout, [3, 4], [5, 6, 7]);

        Assert.Equal([0, 0, 5, 0, 0, 0, 0, 0, 6, 0, 0, 7], dense);
    }

    [Fact]
    public void Expands_blocks_of_one_by_four()
    {
        SparseLayout layout = new([0, 1, 2], [1], [new(2, [], []), new(0, [0, 1, 2], [1, 0]), new(4, [], [])]);

        sbyte[] dense = Expand(layout, [2, 8], [1, 2, 3, 4, 5, 6, 7, 8]);

        Assert.Equal([0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0], dense);
    }

    [Theory]
    [InlineData(9, 0)]
    [InlineData(0, 9)]
    [InlineData(0, -1)]
    public void Refuses_what_points_outside(int column, int segmentEnd)
    {
        SparseLayout layout = new([0, 1], [], [new(1, [], []), new(0, [0, segmentEnd == 0 ? 1 : segmentEnd], [column])]);

        if (segmentEnd == -1)
        {
            Assert.Equal([0, 0], Expand(layout, [1, 2], []));
            return;
        }

        Assert.Throws<OpRuleException>(() => Expand(layout, [1, 2], [1]));
    }

    private static sbyte[] Expand(SparseLayout layout, Shape shape, sbyte[] stored) =>
        Array.ConvertAll(layout.Expand(DType.I8, shape, Array.ConvertAll(stored, v => (byte)v)), v => (sbyte)v);
}
