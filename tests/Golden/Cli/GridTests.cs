using Optc.Cli.Output;
using Xunit;

namespace Optc.Tests.Golden.Cli;

public sealed class GridTests
{
    [Fact]
    public void Numbers_stand_at_the_right_and_no_line_ends_in_blanks()
    {
        Grid grid = new("name", ">bytes", "note");
        grid.Add("a", "7", "");
        grid.Add("longer", "12345", "x");

        Assert.Equal(["name    bytes  note", "a           7", "longer  12345  x"], Lines(grid, int.MaxValue));
    }

    [Fact]
    public void The_end_of_a_word_that_is_too_long_is_shown()
    {
        Grid grid = new("name");
        grid.Add(new string('a', 60) + "/end");

        Assert.Equal("..." + new string('a', 41) + "/end", Lines(grid, int.MaxValue)[1]);
    }

    [Fact]
    public void Columns_without_content_go_first()
    {
        Grid grid = new("name", "structure", ">bytes");
        grid.Add("conv", "", "7");

        Assert.Equal(["name  bytes", "conv      7"], Lines(grid, 15));
        Assert.Equal(["name  structure  bytes", "conv                 7"], Lines(grid, 80));
    }

    [Fact]
    public void Words_of_the_last_column_go_to_further_lines()
    {
        Grid grid = new("layer", "reason");
        grid.Add("conv", "the operator has no rule for integers");

        Assert.Equal(["layer  reason", "conv   the operator has no rule", "       for integers"], Lines(grid, 32));
    }

    [Fact]
    public void Names_are_cut_when_that_is_enough()
    {
        Grid grid = new("name", ">bytes");
        grid.Add("a/path/that/leads/to/a/layer/deep/inside", "7");

        Assert.Equal(["name                             bytes", "...leads/to/a/layer/deep/inside      7"], Lines(grid, 38));
    }

    [Fact]
    public void Titles_are_split_where_a_word_begins()
    {
        Grid grid = new("name", ">distinctPerChannel", ">entropy");
        grid.Add("conv", "9", "7.52");

        Assert.Equal(["      distinct", "           Per", "name   Channel  entropy", "conv         9     7.52"], Lines(grid, 25));
    }

    [Fact]
    public void A_row_takes_several_lines_as_the_last_resort()
    {
        Grid grid = new("name", ">first", ">second", ">third");
        grid.Add("conv", "1", "2", "3");
        grid.Add("dense", "10", "20", "30");

        Assert.Equal(
            ["name   first", "    second  third", "conv       1", "         2      3", "dense     10", "        20     30"],
            Lines(grid, 18));
    }

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    public void No_line_is_wider_than_the_terminal(int width)
    {
        Grid grid = new("name", "op", "type", "shape", ">bytes", ">zeroPercent", ">distinct", ">distinctPerChannel", ">entropy", ">idealBytes", "structure");
        grid.Add("functional_1/depthwise_conv2d_1/BiasAdd/ReadVariableOp/resource", "depthwise_conv_2d", "i8", "[1, 3, 3, 64]", "576", "0.7", "206", "9", "7.20", "519", "2:4, 3 zero channels");

        Assert.All(Lines(grid, width), line => Assert.InRange(line.Length, 1, width));
        Assert.Contains("519", string.Concat(Lines(grid, width)), StringComparison.Ordinal);
    }

    private static List<string> Lines(Grid grid, int width)
    {
        (IReadOnlyList<string> header, IReadOnlyList<string> body) = grid.Layout(width);
        return [.. header, .. body];
    }
}
