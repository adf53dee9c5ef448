using Optc.Passes.Cluster;
using Xunit;

namespace Optc.Tests.Unit.Passes.Cluster;

public class CodebookBudgetTests
{
    [Theory]
    [InlineData(0.2)]
    [InlineData(0.05)]
    [InlineData(0.01)]
    [InlineData(0.001)]
    public void An_error_budget_takes_no_more_codes_than_it_needs(double budget)
    {
        float[] weights = Gaussian(4000, 1);
        int codes = CodebookBudget.ForError(weights, budget);

        Assert.True(CodebookBudget.Measure(weights, codes).Error <= budget);
        Assert.True(codes == 2 || CodebookBudget.Measure(weights, codes - 1).Error > budget || codes > 6);
        int[] tried = [2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256];
        int before = tried[Math.Max(0, Array.IndexOf(tried, codes) - 1)];
        Assert.True(before == codes || CodebookBudget.Measure(weights, before).Error > budget);
    }

    [Theory]
    [InlineData(1.5)]
    [InlineData(2.5)]
    [InlineData(4)]
    public void A_bit_budget_is_kept_and_spent_where_errors_are_large(double bits)
    {
        float[][] weights = [Gaussian(3000, 1), [.. Gaussian(3000, 2).Select(w => 10 * w)], Gaussian(500, 3)];
        int[] codes = [.. CodebookBudget.ForBits(weights, bits)];

        double spent = weights.Zip(codes).Sum(p => CodebookBudget.Measure(p.First, p.Second).BitsPerWeight * p.First.Length);
        Assert.InRange(spent, 0, bits * weights.Sum(w => w.Length));
        Assert.True(codes[1] >= codes[0]);
        Assert.All(codes, n => Assert.InRange(n, 2, 256));
    }

    [Fact]
    public void Few_values_need_no_more_codes_than_there_are() =>
        Assert.Equal(3, CodebookBudget.ForError([-1, 0, 2, 2, -1, 0, 0, 2], 1e-6));

    [Fact]
    public void Zeros_alone_have_no_error() => Assert.Equal(2, CodebookBudget.ForError(new float[10], 0.1));

    private static float[] Gaussian(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}
