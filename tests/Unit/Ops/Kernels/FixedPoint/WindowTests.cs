using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels;

public sealed class WindowTests
{
    [Theory]
    [InlineData(49, 10, 2, 1, 25, 4, 5)]
    [InlineData(10, 3, 1, 1, 10, 1, 1)]
    [InlineData(10, 3, 2, 1, 5, 0, 1)]
    [InlineData(10, 3, 1, 2, 10, 2, 2)]
    [InlineData(4, 1, 3, 1, 2, 0, 0)]
    [InlineData(0, 3, 1, 1, 0, 0, 0, true)]
    public void Pads_the_same_size(
        int input, int kernel, int stride, int dilation, int output, int before, int after, bool empty = false)
    {
        Window window = Window.Same(input, kernel, stride, dilation);
        Assert.Equal(output, window.Output);
        if (!empty)
        {
            Assert.Equal((before, after), (window.Before, window.After));
        }
    }

    [Theory]
    [InlineData(49, 10, 2, 1, 20)]
    [InlineData(10, 3, 1, 1, 8)]
    [InlineData(10, 3, 2, 1, 4)]
    [InlineData(10, 3, 1, 2, 6)]
    [InlineData(3, 3, 5, 1, 1)]
    [InlineData(2, 3, 1, 1, 0)]
    [InlineData(2, 30, 1, 1, 0)]
    public void Counts_valid_windows(int input, int kernel, int stride, int dilation, int output) =>
        Assert.Equal(
            new Window(input, kernel, stride, dilation, 0, 0, output), Window.Valid(input, kernel, stride, dilation));

    [Theory]
    [InlineData(5, 3, 1, 1, 2, 2, 7)]
    [InlineData(5, 3, 2, 1, 1, 1, 3)]
    [InlineData(5, 3, 2, 1, 0, 1, 2)]
    [InlineData(5, 3, 1, 1, -1, -1, 1)]
    public void Takes_given_padding(int input, int kernel, int stride, int dilation, int before, int after, int output) =>
        Assert.Equal(output, Window.Explicit(input, kernel, stride, dilation, before, after).Output);

    /// <summary>Against walking over all taps of all outputs.</summary>
    [Fact]
    public void Names_the_taps_and_outputs_inside_the_input()
    {
        const int Seed = 5;
        Random random = new(Seed);
        for (int i = 0; i < 2000; i++)
        {
            (int input, int kernel) = (random.Next(1, 12), random.Next(1, 6));
            (int stride, int dilation) = (random.Next(1, 4), random.Next(1, 4));
            Window window = random.Next(3) switch
            {
                0 => Window.Same(input, kernel, stride, dilation),
                1 => Window.Valid(input, kernel, stride, dilation),
                _ => Window.Explicit(input, kernel, stride, dilation, random.Next(-2, 9), random.Next(-2, 9)),
            };
            List<int> interior = [];
            for (int y = 0; y < window.Output; y++)
            {
                int[] inside = [.. Enumerable.Range(0, kernel).Where(
                    t => (y * stride) - window.Before + (t * dilation) is int x && x >= 0 && x < input)];
                (int first, int end) = window.Taps(y);
                Assert.True(
                    inside.SequenceEqual(Enumerable.Range(first, end - first)),
                    $"seed {Seed}, case {i}: {window}, output {y}: taps {first} to {end}");
                if (inside.Length == kernel)
                {
                    interior.Add(y);
                }
            }

            (int from, int to) = window.Interior();
            Assert.True(
                interior.SequenceEqual(Enumerable.Range(from, to - from)),
                $"seed {Seed}, case {i}: {window}: interior {from} to {to}");
        }
    }

    [Fact]
    public void Puts_the_odd_padding_behind()
    {
        for (int input = 1; input < 30; input++)
        {
            for (int kernel = 1; kernel < 8; kernel++)
            {
                for (int stride = 1; stride < 5; stride++)
                {
                    Window window = Window.Same(input, kernel, stride);
                    Assert.Equal((input + stride - 1) / stride, window.Output);
                    Assert.InRange(window.After - window.Before, 0, 1);
                    int total = Math.Max(0, ((window.Output - 1) * stride) + kernel - input);
                    Assert.Equal(total, window.Before + window.After);
                }
            }
        }
    }

    [Theory]
    [InlineData(-1, 3, 1, 1)]
    [InlineData(5, 0, 1, 1)]
    [InlineData(5, 3, 0, 1)]
    [InlineData(5, 3, 1, 0)]
    [InlineData(5, int.MaxValue, 1, 2)]
    public void Rejects_sizes_that_are_none(int input, int kernel, int stride, int dilation)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Window.Same(input, kernel, stride, dilation));
        Assert.Throws<ArgumentOutOfRangeException>(() => Window.Valid(input, kernel, stride, dilation));
    }
}
