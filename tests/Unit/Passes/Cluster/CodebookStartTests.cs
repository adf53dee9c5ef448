using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Cluster;
using Optc.Tests.Unit.Ir;
using Xunit;

namespace Optc.Tests.Unit.Passes.Cluster;

public sealed class CodebookStartTests
{
    private static readonly Dictionary<string, CentroidInitializer> ByName = new()
    {
        ["exact"] = CentroidInitializer.Exact,
        ["linear"] = CentroidInitializer.Linear,
        ["density"] = CentroidInitializer.Density,
        ["random"] = CentroidInitializer.Random(3),
        ["k-means++"] = CentroidInitializer.KMeansPlusPlus(3),
    };

    public static TheoryData<string> Initializers => [.. ByName.Keys];

    /// <summary>Whatever is asked for, the weight that training begins with has it.</summary>
    [Theory]
    [MemberData(nameof(Initializers))]
    public void A_start_has_the_codes_that_were_asked_for(string name)
    {
        for (int seed = 0; seed < 40; seed++)
        {
            Random random = new(seed);
            (TensorData weight, CodebookPlan plan, bool[] kept) = Case(random);
            plan = plan with { Initializer = ByName[name] };

            CodebookStart start = CodebookStart.Of(weight, plan, kept);

            Check(weight, plan, kept, start, $"{name}, seed {seed}");
        }
    }

    /// <summary>Scales for channels and a codebook for all are no worse than one codebook rounded to the grid of each channel.</summary>
    [Fact]
    public void The_error_is_below_that_of_one_codebook_on_real_values()
    {
        for (int seed = 0; seed < 10; seed++)
        {
            Random random = new(seed);
            Shape shape = [8, 3, 3, 4];
            float[] gains = [.. Enumerable.Range(0, 8).Select(_ => (float)Math.Exp((random.NextDouble() * 4) - 2))];
            float[] w = [.. Enumerable.Range(0, (int)shape.ElementCount).Select(i => gains[i / 36] * Normal(random))];
            TensorData weight = TensorData.FromFloats(shape, w);

            double shared = Error(w, Expanded(weight, new(8, 0), CodebookStart.Of(weight, new(8, 0))));

            CodebookPlan plain = new(8, 0) { Largest = 0, PerChannel = false };
            Assert.True(shared < Error(w, Expanded(weight, plain, CodebookStart.Of(weight, plain))), $"seed {seed}");
        }
    }

    /// <summary>Off the grid the exact codebook is the optimum in one dimension.</summary>
    [Fact]
    public void The_exact_start_is_the_optimum()
    {
        float[] w = [.. Enumerable.Range(0, 300).Select(_ => Normal(new(_)))];
        TensorData weight = TensorData.FromFloats([300], w);
        CodebookPlan plan = new(6, 0) { Largest = 0, PerChannel = false };

        float[] centroids = [.. ExactClusters.Solve(w, 6, pinZero: true)];

        double best = w.Sum(v => centroids.Min(c => ((double)v - c) * ((double)v - c)));
        Assert.Equal(best, Error(w, Expanded(weight, plan, CodebookStart.Of(weight, plan))), best * 1e-5);
    }

    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(2, 2, 2, 2)]
    [InlineData(0, 0, 0, -3)]
    [InlineData(1e-30f, -1e-30f, 2e-30f, 0)]
    [InlineData(1e30f, -1e30f, 2e30f, 0)]
    public void Odd_weights_have_a_start(float a, float b, float c, float d)
    {
        TensorData weight = TensorData.FromFloats([2, 2], [a, b, c, d]);
        foreach (CodebookPlan plan in (CodebookPlan[])[new(4, 0), new(1, 0), new(2, 1) { Groups = 2 }, new(4, 0) { Largest = 0, PerChannel = false }, new(4, 0) { PinsZero = false }])
        {
            CodebookStart start = CodebookStart.Of(weight, plan);

            Check(weight, plan, [], start, plan.ToString());
        }

        float[] close = Expanded(weight, new(4, 0), CodebookStart.Of(weight, new(4, 0)));
        Assert.True(Error([a, b, c, d], close) <= 0.05 * (((double)a * a) + ((double)b * b) + ((double)c * c) + ((double)d * d)));
    }

    [Fact]
    public void A_single_weight_has_a_start()
    {
        TensorData weight = TensorData.FromFloats([1], [-0.7f]);

        CodebookStart start = CodebookStart.Of(weight, new(16, 0));

        Assert.Equal(-0.7f, Expanded(weight, new(16, 0), start)[0], 0.005f);
        Assert.Equal(16, start.Values.Length);
    }

    [Fact]
    public void A_mask_that_leaves_nothing_has_a_start()
    {
        TensorData weight = TensorData.FromFloats([2, 2], [1, 2, 3, 4]);

        CodebookStart start = CodebookStart.Of(weight, new(4, 0), [false, false, false, false]);

        Assert.Equal([0f, 0, 0, 0], Expanded(weight, new(4, 0), start));
    }

    /// <summary>From a structure and back: the same values, the same codes.</summary>
    [Fact]
    public void The_start_of_a_clustered_weight_is_that_weight()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            Random random = new(seed);
            (Shape shape, int axis) = random.Next(2) == 0 ? (Shape.Of([5, 2, 3]), 0) : (Shape.Of([1, 3, 3, 6]), 3);
            bool grid = random.Next(2) == 0;
            TensorData weight = PlantedWeight.Make(random, shape, axis, grid, codes: random.Next(2, 9), masked: random.Next(2) == 0, perChannel: random.Next(2) == 0);
            CodebookPlan plan = new(weight.Structure!.Codebook!.Codes, axis)
            {
                PerChannel = weight.Structure.Grid is { Scales.Length: > 1 },
                Largest = grid ? 127 : 0,
            };

            CodebookStart start = CodebookStart.OfStructure(weight, plan);

            float[] w = Expanded(weight, plan, start);
            Assert.All(weight.AsFloats().ToArray().Zip(w), pair => Assert.Equal(pair.First, pair.Second, 1e-6 * Math.Max(1, Math.Abs(pair.First))));
            Assert.Equal(weight.Structure.Codes(weight).AsEnumerable(), weight.Structure.Codes(TensorData.FromFloats(shape, w)));
            Assert.Single(start.Zeros);
            Assert.Equal(0, start.Values[start.Zeros[0]]);
        }
    }

    [Fact]
    public void The_start_of_a_clustered_weight_pins_zero_only_where_there_is_room()
    {
        TensorData weight = TensorData.FromFloats([4], [1, 2, 1, 2]).With(new WeightStructure { Codebook = new(2), Grid = new([1], 0) });

        Assert.Empty(CodebookStart.OfStructure(weight, new(2, 0) { PerChannel = false }).Zeros);
        Assert.Equal([0f, 1, 2], CodebookStart.OfStructure(weight, new(3, 0) { PerChannel = false }).Values.Select(v => v == 0 ? 0 : MathF.Round(v / CodebookStart.OfStructure(weight, new(3, 0) { PerChannel = false }).Steps[0])));
    }

    private static void Check(TensorData weight, CodebookPlan plan, bool[] kept, CodebookStart start, string what)
    {
        ChannelMap map = new(weight.Shape, plan.Axis);
        Assert.Equal(plan.Groups * plan.Codes, start.Values.Length);
        Assert.All(start.LogScale, s => Assert.True(float.IsFinite(s), what));
        Assert.All(start.Latent, u => Assert.True(float.IsFinite(u), what));
        Assert.Equal(plan.Largest == 0 ? 0 : plan.Groups, start.Steps.Count(s => s > 0));
        Assert.All(start.Index, i => Assert.InRange(i, 0, plan.Codes - 1));
        Assert.Equal(plan.PinsZero ? plan.Groups : 0, start.Zeros.Length);
        for (int g = 0; g < start.Zeros.Length; g++)
        {
            Assert.Equal(0, start.Values[(g * plan.Codes) + start.Zeros[g]]);
        }

        float[] w = Expanded(weight, plan, start);
        Assert.All(w, v => Assert.True(float.IsFinite(v), what));
        float[] scales = [.. Enumerable.Range(0, start.LogScale.Length == 1 && plan.Groups == 1 ? 1 : map.Channels).Select(c =>
            LearnedFakeQuant.ScaleOf(start.LogScale[start.LogScale.Length == 1 ? 0 : c]) * start.Steps[plan.Groups == 1 ? 0 : c / (map.Channels / plan.Groups)])];
        WeightStructure structure = new()
        {
            Codebook = new(plan.Codes, plan.Groups, plan.Axis),
            Grid = plan.Largest == 0 ? null : new([.. scales], plan.Axis),
            Mask = plan.PinsZero && kept.Contains(false) ? new("elements", [.. kept]) : null,
        };
        Assert.True(structure.Check(TensorData.FromFloats(weight.Shape, w)).IsEmpty, $"{what}: {string.Join(", ", structure.Check(TensorData.FromFloats(weight.Shape, w)))}");
    }

    private static (TensorData Weight, CodebookPlan Plan, bool[] Kept) Case(Random random)
    {
        (Shape shape, int axis) = random.Next(3) switch
        {
            0 => (Shape.Of([6, 2, 3, random.Next(1, 5)]), 0),
            1 => (Shape.Of([1, 3, 3, 6]), 3),
            _ => (Shape.Of([6, random.Next(1, 12)]), 0),
        };
        float[] w = [.. Enumerable.Range(0, (int)shape.ElementCount).Select(_ => Normal(random))];
        bool onGrid = random.Next(3) > 0;
        CodebookPlan plan = new(random.Next(1, 17), axis)
        {
            Groups = random.Next(3) switch { 0 => 6, 1 => 2, _ => 1 },
            PerChannel = onGrid && random.Next(2) == 0,
            Largest = onGrid ? (random.Next(2) == 0 ? 127 : 7) : 0,
            PinsZero = random.Next(4) > 0,
        };
        return (TensorData.FromFloats(shape, w), plan, random.Next(2) == 0 ? [] : [.. w.Select(_ => random.Next(2) == 0)]);
    }

    private static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    private static float[] Expanded(TensorData weight, CodebookPlan plan, CodebookStart start)
    {
        float[] w = new float[weight.Shape.ElementCount];
        new CodebookWeight(plan.Axis, plan.Largest).Expand(
            weight.Shape, start.Index, start.Values, [plan.Groups, plan.Codes], start.Steps, start.LogScale, w);
        return w;
    }

    private static double Error(float[] w, float[] approximation) => w.Zip(approximation, (a, b) => ((double)a - b) * ((double)a - b)).Sum();
}
