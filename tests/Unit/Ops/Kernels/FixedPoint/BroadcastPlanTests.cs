using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels;

public sealed class BroadcastPlanTests
{
    [Theory]
    [InlineData(new[] { 2, 3, 4 }, new[] { 2, 3, 4 }, 1, 24)]
    [InlineData(new[] { 2, 3, 4 }, new int[0], 1, 24)]
    [InlineData(new[] { 1, 1 }, new[] { 2, 3, 4 }, 1, 24)]
    [InlineData(new[] { 2, 3, 4 }, new[] { 4 }, 6, 4)]
    [InlineData(new[] { 2, 3, 4 }, new[] { 3, 4 }, 2, 12)]
    [InlineData(new[] { 2, 3, 4 }, new[] { 2, 1, 1 }, 2, 12)]
    [InlineData(new[] { 2, 1, 4 }, new[] { 2, 3, 1 }, 6, 4)]
    [InlineData(new[] { 5, 1 }, new[] { 5, 1 }, 1, 5)]
    [InlineData(new int[0], new int[0], 1, 1)]
    [InlineData(new[] { 0, 3 }, new[] { 3 }, 0, 3)]
    public void Merges_dimensions_into_long_runs(int[] first, int[] second, int runs, int length)
    {
        BroadcastPlan plan = BroadcastPlan.Create(first, second);
        Assert.Equal((runs, length), (plan.RunCount, plan.RunLength));
    }

    [Fact]
    public void Reads_the_elements_that_the_indices_name()
    {
        const int Seed = 88;
        Random random = new(Seed);
        for (int i = 0; i < 1000; i++)
        {
            int[] shape = [.. Enumerable.Range(0, random.Next(0, 9)).Select(_ => random.Next(1, 4))];
            int[] first = Shrink(random, shape);
            int[] second = Shrink(random, shape);
            int[] third = Shrink(random, shape);
            int[] expectedShape = OutputShape(first, second, third);
            BroadcastPlan plan = BroadcastPlan.Create(first, second, third);

            Assert.Equal(expectedShape, plan.OutputShape);
            Assert.Equal(Volume(expectedShape), plan.Length);
            int next = 0;
            foreach (BroadcastRun run in plan)
            {
                Assert.Equal(next, run.Output);
                for (int k = 0; k < run.Length; k++, next++)
                {
                    (int, int, int) expected =
                        (Offset(expectedShape, first, next), Offset(expectedShape, second, next), Offset(expectedShape, third, next));
                    (int, int, int) actual =
                        (run.First + (k * run.FirstStep), run.Second + (k * run.SecondStep), run.Third + (k * run.ThirdStep));
                    Assert.True(
                        expected == actual,
                        $"seed {Seed}, case {i}, element {next}: {actual} instead of {expected}");
                }
            }

            Assert.Equal(plan.Length, next);
        }
    }

    [Fact]
    public void Applies_an_operation_to_every_pair()
    {
        const int Seed = 89;
        Random random = new(Seed);
        for (int i = 0; i < 300; i++)
        {
            int[] shape = [.. Enumerable.Range(0, random.Next(0, 6)).Select(_ => random.Next(1, 5))];
            int[] first = Shrink(random, shape);
            int[] second = Shrink(random, shape);
            int[] output = OutputShape(first, second, []);
            int[] a = [.. Enumerable.Range(100, Volume(first))];
            long[] b = [.. Enumerable.Range(1, Volume(second)).Select(value => 1000L * value)];
            long[] y = new long[Volume(output)];
            BroadcastPlan.Create(first, second).Apply<int, long, long, Difference>(a, b, y, default);
            for (int n = 0; n < y.Length; n++)
            {
                Assert.True(
                    a[Offset(output, first, n)] - b[Offset(output, second, n)] == y[n], $"seed {Seed}, case {i}, element {n}");
            }
        }
    }

    [Theory]
    [InlineData(new[] { 2, 3 }, new[] { 2 })]
    [InlineData(new[] { 2, 0 }, new[] { 2 })]
    [InlineData(new[] { -1 }, new[] { 1 })]
    [InlineData(new[] { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, new[] { 1 })]
    public void Declines_shapes_that_do_not_fit(int[] first, int[] second)
    {
        Assert.False(BroadcastPlan.TryCreate(first, second, out BroadcastPlan? plan));
        Assert.Null(plan);
        Assert.Throws<ArgumentException>(() => BroadcastPlan.Create(first, second));
        Assert.Throws<ArgumentException>(() => BroadcastPlan.Create(second, first, []));
    }

    [Fact]
    public void Refuses_a_result_that_no_array_can_hold() =>
        Assert.Throws<OverflowException>(() => BroadcastPlan.Create([65536, 1], [65536]));

    [Fact]
    public void Refuses_a_short_result() =>
        Assert.Throws<ArgumentException>(() => BroadcastPlan.Create([2], [2])
            .Apply<int, long, long, Difference>(new int[2], new long[2], new long[1], default));

    private static int[] Shrink(Random random, int[] shape)
    {
        int[] kept = shape[random.Next(0, shape.Length + 1)..];
        return [.. kept.Select(size => random.Next(3) == 0 ? 1 : size)];
    }

    private static int[] OutputShape(int[] first, int[] second, int[] third)
    {
        int rank = Math.Max(first.Length, Math.Max(second.Length, third.Length));
        return [.. Enumerable.Range(0, rank).Select(d => ((int[][])[first, second, third]).Max(
            shape => d - rank + shape.Length is >= 0 and int own ? shape[own] : 1))];
    }

    private static int Volume(int[] shape) => shape.Aggregate(1, (product, size) => product * size);

    /// <summary>Offset in an operand of the element at a flat position of the result, by its index in each dimension.</summary>
    private static int Offset(int[] output, int[] operand, int position)
    {
        int offset = 0;
        int stride = 1;
        for (int axis = 1; axis <= output.Length; axis++)
        {
            int index = position % output[^axis];
            position /= output[^axis];
            if (axis <= operand.Length)
            {
                offset += operand[^axis] == 1 ? 0 : index * stride;
                stride *= operand[^axis];
            }
        }

        return offset;
    }

    private readonly struct Difference : IBinaryElement<int, long, long>
    {
        public long Invoke(int first, long second) => first - second;
    }
}
