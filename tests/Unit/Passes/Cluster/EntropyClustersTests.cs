using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Passes.Cluster;
using Xunit;

namespace Optc.Tests.Unit.Passes.Cluster;

public sealed class EntropyClustersTests
{
    private static readonly double[] Prices = [0, 0.001, 0.004, 0.01, 0.02, 0.05, 0.1, 0.3, 1, 4];

    public static TheoryData<string> Coders => [.. WeightCoders.All.Where(c => c.Name != "ethos-u-smallest").Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Coders))]
    public void The_sum_of_distance_and_price_never_grows(string coder)
    {
        bool some = false;
        for (int seed = 0; seed < 5; seed++)
        {
            (TensorData weight, CodebookPlan plan, bool[] kept) = Case(seed);
            CodebookStart start = CodebookStart.Of(weight, plan, kept);

            EntropyFrontier frontier = EntropyClusters.Frontier(start, weight.Shape, plan, WeightCoders.Find(coder)!, kept);
            foreach (EntropyClustering result in Prices.Select(frontier.At))
            {
                some |= result.Objectives.Length > 1;
                Assert.All(result.Objectives.Zip(result.Objectives.Skip(1)), p => Assert.True(p.Second < p.First, $"seed {seed}: {p.First} to {p.Second}"));
            }
        }

        Assert.True(some);
    }

    [Theory]
    [MemberData(nameof(Coders))]
    public void A_higher_price_never_takes_more_bits_and_no_price_is_the_exact_clustering(string name)
    {
        IWeightCoder coder = WeightCoders.Find(name)!;
        bool isAnyLess = false;
        for (int seed = 0; seed < 5; seed++)
        {
            (TensorData weight, CodebookPlan plan, bool[] kept) = Case(seed);
            CodebookStart start = CodebookStart.Of(weight, plan, kept);
            EntropyFrontier frontier = EntropyClusters.Frontier(start, weight.Shape, plan, coder, kept);
            long before = long.MaxValue;
            foreach (double price in Prices)
            {
                EntropyClustering result = frontier.At(price);

                Assert.True(result.Bits <= before, $"seed {seed}, price {price}: {result.Bits} after {before}");
                Assert.True(result.Bits <= result.BitsWithout);
                Assert.Equal(coder.CountBits(IntegersOf(result.Start, weight.Shape, plan)), result.Bits);
                if (price == 0)
                {
                    Assert.Equal(start.Index, result.Start.Index);
                    Assert.Equal(start.Values, result.Start.Values);
                    Assert.Equal(coder.CountBits(IntegersOf(start, weight.Shape, plan)), result.Bits);
                }

                before = result.Bits;
                isAnyLess |= result.Bits < result.BitsWithout;
            }
        }

        Assert.True(isAnyLess);
    }

    [Fact]
    public void Zeros_stay_zeros()
    {
        for (int seed = 0; seed < 5; seed++)
        {
            (TensorData weight, CodebookPlan plan, bool[] kept) = Case(seed, sparsity: 0.3);
            plan = plan with { PinsZero = true };
            CodebookStart start = CodebookStart.Of(weight, plan, kept);
            EntropyFrontier frontier = EntropyClusters.Frontier(start, weight.Shape, plan, WeightCoders.EthosU, kept);
            foreach (double price in Prices)
            {
                CodebookStart result = frontier.At(price).Start;

                short[] codes = IntegersOf(result, weight.Shape, plan);
                ReadOnlySpan<float> w = weight.AsFloats();
                for (int i = 0; i < codes.Length; i++)
                {
                    Assert.True((w[i] != 0 && (kept.Length == 0 || kept[i])) || codes[i] == 0, $"seed {seed}, price {price}, weight {i}");
                }
            }
        }
    }

    /// <summary>Whatever a bit is worth, codes that were chosen for it are no worse than the best number of nearest codes, and mostly better.</summary>
    [Theory]
    [InlineData("order-0", 0.98)]
    [InlineData("ethos-u", 0.99)]
    public void A_price_beats_every_number_of_nearest_codes(string name, double gain)
    {
        IWeightCoder coder = WeightCoders.Find(name)!;
        TensorData weight = TensorData.FromFloats([32, 100], Normals(5, 3200));
        EntropyClustering[] unpriced =
        [
            .. new[] { 2, 3, 4, 6, 8, 12, 16, 32 }.Select(n => new CodebookPlan(n, 0))
                .Select(plan => EntropyClusters.Refine(CodebookStart.Of(weight, plan), weight.Shape, plan, 0, coder)),
        ];
        CodebookPlan many = new(32, 0);
        CodebookStart start = CodebookStart.Of(weight, many);
        EntropyFrontier frontier = EntropyClusters.Frontier(start, weight.Shape, many, coder);
        List<double> ratios = [];
        foreach (double price in (ReadOnlySpan<double>)[0.005, 0.01, 0.02, 0.04, 0.08, 0.16])
        {
            EntropyClustering priced = frontier.At(price);

            ratios.Add((priced.Distortion + (price * priced.Bits)) / unpriced.Min(u => u.Distortion + (price * u.Bits)));
        }

        // Scales that were fitted to another number of codes may be better by a little.
        Assert.All(ratios, r => Assert.True(r < 1.01, string.Join(", ", ratios)));
        Assert.True(ratios.Average() < gain, string.Join(", ", ratios));
    }

    private static (TensorData Weight, CodebookPlan Plan, bool[] Kept) Case(int seed, double sparsity = 0)
    {
        Random random = new(seed);
        Shape shape = [4 * random.Next(1, 5), 3, random.Next(1, 4), random.Next(2, 12)];
        float[] w = Normals(seed + 100, (int)shape.ElementCount);
        bool[] kept = random.Next(2) == 0 ? [] : [.. w.Select(_ => random.NextDouble() < 0.6)];
        w = [.. w.Select(v => random.NextDouble() < sparsity ? 0 : v)];
        bool onGrid = random.Next(3) > 0;
        return (TensorData.FromFloats(shape, w), new(random.Next(2, 40), 0)
        {
            Groups = random.Next(3) == 0 ? 4 : 1,
            PerChannel = onGrid,
            Largest = onGrid ? 127 : 0,
            PinsZero = kept.Length > 0 || random.Next(2) == 0,
        }, kept);
    }

    private static short[] IntegersOf(CodebookStart start, Shape shape, CodebookPlan plan)
    {
        short[] entries = EntropyClusters.CodesOf(start.Values, start.Steps, plan.Codes, plan.Largest);
        ChannelMap map = new(shape, plan.Axis);
        return [.. start.Index.Select((index, i) => entries[((plan.Groups == 1 ? 0 : map.ChannelOf(i) / (map.Channels / plan.Groups)) * plan.Codes) + (int)index])];
    }

    private static float[] Normals(int seed, int count)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}
