using System.Collections.Immutable;
using Optc.Architectures;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Prune;
using Xunit;

namespace Optc.Tests.Unit.Passes.Prune;

public class SparsityDistributionTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 30)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_distribution_reaches_the_sparsity_of_the_model_to_the_number(int seed)
    {
        Random random = new(seed);
        ImmutableArray<PrunableWeight> weights = Weights(random);
        double sparsity = random.NextDouble() * 0.95;
        ImmutableArray<SensitivityCurve> curves =
        [
            .. weights.Select(w => new SensitivityCurve(w.Name, [(0, 0), (0.5, random.NextDouble()), (0.99, random.NextDouble() + 1)])),
        ];
        foreach (SparsityDistribution distribution in new[]
        {
            SparsityDistribution.Uniform, SparsityDistribution.Global, SparsityDistribution.ErdosRenyiKernel, SparsityDistribution.PerLayer(),
            SparsityDistribution.Sensitivity(curves),
        })
        {
            SparsityPlan plan = distribution.Plan(weights, sparsity, PruningSelection.Everything, PruningCriterion.NormalizedMagnitude);
            long count = weights.Sum(w => (long)w.Values.Length);
            long kept = Math.Max(weights.Length, (long)Math.Round(count * (1 - sparsity), MidpointRounding.ToEven));

            Assert.Equal(count, plan.Count);
            Assert.True(count - kept == plan.Zeros, $"{distribution}: {plan.Zeros} of {count} zeros at {sparsity}, not {count - kept}");
            Assert.All(plan.Layers, l => Assert.Equal(l.Zeros, l.Mask().Count(k => !k)));
            Assert.All(plan.Layers, l => Assert.InRange(l.Zeros, 0, l.Weight.Values.Length - 1));
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void No_distribution_makes_a_layer_less_sparse_while_the_schedule_rises(int seed)
    {
        Random random = new(seed);
        ImmutableArray<PrunableWeight> weights = Weights(random);
        foreach (SparsityDistribution distribution in new[]
        {
            SparsityDistribution.Uniform, SparsityDistribution.Global, SparsityDistribution.ErdosRenyiKernel,
            SparsityDistribution.PerLayer(new LayerSparsity("layer0", 0.3)),
        })
        {
            int[] before = new int[weights.Length];
            foreach (double part in new[] { 0, 0.2, 0.5, 0.9, 1 })
            {
                int[] zeros = [.. distribution.Plan(weights, 0.8, PruningSelection.Everything, part: part).Layers.Select(l => l.Zeros)];

                // Largest remainders may give one number to a layer and later to another.
                Assert.All(zeros.Zip(before), p => Assert.True(p.First >= p.Second - 1));
                before = zeros;
            }
        }
    }

    [Fact]
    public void Uniform_is_as_sparse_everywhere() => Assert.Equal(
        [50, 200, 5],
        SparsityDistribution.Uniform.Plan([Dense("a", 10, 10), Dense("b", 20, 20), Dense("c", 5, 2)], 0.5).Layers.Select(l => l.Zeros));

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Global_drops_what_is_smallest_in_the_whole_model(int seed)
    {
        Random random = new(seed);
        ImmutableArray<PrunableWeight> weights = Weights(random);
        SparsityPlan plan = SparsityDistribution.Global.Plan(weights, 0.6, PruningSelection.Everything);
        (float Score, bool Kept)[] all =
        [
            .. plan.Layers.SelectMany(l => l.Weight.Values.ToArray().Zip(l.Mask(), (w, k) => (Math.Abs(w), k))),
        ];
        float[] alone = [.. plan.Layers.Where(l => l.Zeros == l.Weight.Values.Length - 1).Select(l => l.Weight.Values.ToArray().Max(Math.Abs))];

        Assert.True(all.Where(e => e.Kept && !alone.Contains(e.Score)).Min(e => e.Score) >= all.Where(e => !e.Kept).Max(e => e.Score));
    }

    [Fact]
    public void Normalized_magnitudes_do_not_see_the_scale_of_a_channel()
    {
        PrunableWeight weight = new("a", "w", WeightRole.Dense, new(2, 1, 1, 2), new float[] { 3, 4, 300, 400 });
        Assert.Equal([0.848528f, 1.131371f, 0.848528f, 1.131371f], PruningCriterion.NormalizedMagnitude.Scores(weight), (a, b) => Math.Abs(a - b) < 1e-5);
        PrunableWeight depthwise = new("a", "w", WeightRole.Depthwise, new(2, 1, 2, 1, OutputsInnermost: true), new float[] { 3, 300, -4, 400 });
        Assert.Equal([0.848528f, 0.848528f, 1.131371f, 1.131371f], PruningCriterion.NormalizedMagnitude.Scores(depthwise), (a, b) => Math.Abs(a - b) < 1e-5);

        PrunableWeight large = Dense("large", 30, 10) with { Values = Array.ConvertAll(Dense("large", 30, 10).Values.ToArray(), w => 1000 * w) };
        SparsityPlan plan = SparsityDistribution.Global.Plan([large, Dense("small", 30, 10)], 0.5, criterion: PruningCriterion.NormalizedMagnitude);
        Assert.InRange(plan.Layers[0].Zeros, 120, 180);
        Assert.Equal(0, SparsityDistribution.Global.Plan([large, Dense("small", 30, 10)], 0.4).Layers[0].Zeros);
    }

    /// <summary>By hand: 10, 106 and 1012 links of 24, 400 and 10,000 numbers.</summary>
    [Fact]
    public void ErdosRenyi_leaves_small_kernels_whole_and_shares_the_rest_by_links()
    {
        ImmutableArray<PrunableWeight> weights =
        [
            new("a", "w", WeightRole.Convolution, new(4, 3, 2, 1), new float[24]),
            Dense("b", 100, 4),
            Dense("c", 1000, 10),
        ];
        int total = 10424 - SparsityDistribution.ErdosRenyiKernel.Plan(weights, 0.5).Layers.Sum(l => l.Zeros);
        Assert.Equal(5212, total);

        // a and b would get more than they have: 5212 - 424 are left for c.
        Assert.Equal([0, 0, 10000 - 4788], SparsityDistribution.ErdosRenyiKernel.Plan(weights, 0.5).Layers.Select(l => l.Zeros));

        // At 95 % 521 are left to be shared, and no weight is whole.
        double each = 521.2 / 1128;
        int[] kept = [.. SparsityDistribution.ErdosRenyiKernel.Plan(weights, 0.95).Layers.Select(l => l.Weight.Values.Length - l.Zeros)];
        Assert.Equal(521, kept.Sum());
        Assert.All(kept.Zip([10, 106, 1012]), p => Assert.InRange(p.First, (each * p.Second) - 1, (each * p.Second) + 1));
    }

    [Fact]
    public void Rules_count_for_the_layers_they_name_and_the_last_one_wins()
    {
        ImmutableArray<PrunableWeight> weights = [Dense("stem", 10, 10), Dense("block1/dense", 10, 10), Dense("block2/dense", 10, 10)];
        SparsityDistribution rules = SparsityDistribution.PerLayer(new("block", 0.3), new("block2", 0.9));

        Assert.Equal([50, 30, 90], rules.Plan(weights, 0.5).Layers.Select(l => l.Zeros));
        Assert.Equal([25, 15, 45], rules.Plan(weights, 0.5, part: 0.5).Layers.Select(l => l.Zeros));
        Assert.Contains("head", Assert.Throws<DiagnosticException>(() => SparsityDistribution.PerLayer(new LayerSparsity("head", 0.3)).Plan(weights, 0.5)).Message, StringComparison.Ordinal);
        Assert.Throws<DiagnosticException>(() => SparsityDistribution.PerLayer(new LayerSparsity("a", 1)));
        Assert.Throws<DiagnosticException>(() => SparsityDistribution.PerLayer(new LayerSparsity("(", 0.1)));
    }

    /// <summary>Against every choice on a grid of tenths; convex curves, for which the envelope is the curve.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Sensitivity_has_the_least_error_of_all_choices(int seed)
    {
        Random random = new(seed);
        ImmutableArray<PrunableWeight> weights = [Dense("a", 10, 10), Dense("b", 20, 10), Dense("c", 10, 30)];
        double[][] errors = [.. weights.Select(_ => Convex(random))];
        ImmutableArray<SensitivityCurve> curves =
        [
            .. weights.Select((w, i) => new SensitivityCurve(w.Name, [.. errors[i].Select((e, k) => (k / 10.0, e))])),
        ];
        double Error(int weight, double zeros)
        {
            double place = zeros / weights[weight].Values.Length * 10;
            int below = Math.Min((int)place, 8);
            return errors[weight][below] + ((place - below) * (errors[weight][below + 1] - errors[weight][below]));
        }

        SparsityPlan plan = SparsityDistribution.Sensitivity(curves).Plan(weights, 0.5);
        double found = plan.Layers.Select((l, i) => Error(i, l.Zeros)).Sum();
        double best = double.PositiveInfinity;
        for (int a = 0; a <= 90; a += 10)
        {
            for (int b = 0; b <= 180; b += 10)
            {
                int c = 300 - a - b;
                best = c is >= 0 and <= 270 ? Math.Min(best, Error(0, a) + Error(1, b) + Error(2, c)) : best;
            }
        }

        Assert.Equal(300, plan.Zeros);
        Assert.True(found <= best + 1e-9, $"{found} > {best}");
    }

    [Fact]
    public void Sensitivity_goes_no_further_than_was_measured_and_misses_no_weight()
    {
        ImmutableArray<PrunableWeight> weights = [Dense("a", 10, 10), Dense("b", 10, 10)];
        SensitivityCurve a = new("a", [(0, 1), (0.5, 2)]);
        Assert.Throws<DiagnosticException>(() => SparsityDistribution.Sensitivity(a).Plan(weights, 0.1));
        SparsityDistribution both = SparsityDistribution.Sensitivity(a, new("b", [(0, 1), (0.3, 1), (0.6, 9)]));
        Assert.Equal([10, 30], both.Plan(weights, 0.2).Layers.Select(l => l.Zeros));
        Assert.Equal([50, 60], both.Plan(weights, 0.55).Layers.Select(l => l.Zeros));
        Assert.Throws<DiagnosticException>(() => both.Plan(weights, 0.6));
        Assert.Throws<DiagnosticException>(() => SparsityDistribution.Sensitivity(new SensitivityCurve("a", [(0.1, 1)])).Plan(weights[..1], 0.05));
    }

    [Fact]
    public void Sensitivity_is_measured_with_one_weight_pruned_at_a_time()
    {
        ImmutableArray<PrunableWeight> weights = [Dense("a", 10, 10), Dense("b", 10, 5)];
        List<string> asked = [];
        ImmutableArray<SensitivityCurve> curves = SensitivityCurve.Measure(weights, [0, 0.5, 0.2], PruningCriterion.Magnitude, (w, mask) =>
        {
            asked.Add($"{w.Name} {mask.Count(k => !k)}");
            return mask.Count(k => !k);
        });
        Assert.Equal(["a 0", "a 20", "a 50", "b 10", "b 25"], asked);
        Assert.Equal([(0, 0), (0.2, 10), (0.5, 25)], curves[1].Points.AsEnumerable());
    }

    [Fact]
    public void Gradient_times_weight_is_the_change_of_the_loss()
    {
        PrunableWeight weight = new("a", "w", WeightRole.Dense, new(1, 1, 1, 3), new float[] { 1, -2, 3 }) { Gradients = new float[] { 0.5f, 1, -0.1f } };
        Assert.Equal([0.5f, 2, 0.3f], PruningCriterion.GradientTimesWeight.Scores(weight), (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal([true, true, false], SparsityDistribution.Global.Plan([weight], 1 / 3.0, criterion: PruningCriterion.GradientTimesWeight).Layers[0].Mask());
        Assert.Throws<DiagnosticException>(() => PruningCriterion.GradientTimesWeight.Scores(weight with { Gradients = default }));
    }

    [Fact]
    public void What_is_left_alone_says_why_and_does_not_count()
    {
        ImmutableArray<PrunableWeight> weights = PrunableWeight.Of(Architecture.Find("ds-cnn-s").Build().Main);
        SparsityPlan plan = SparsityDistribution.Uniform.Plan(weights, 0.5, PruningSelection.Default with { First = false, Dense = false, Except = "block3/p" });

        Assert.Equal(
            ["stem/conv: first", "block1/depthwise: depthwise", "block1/pointwise", "block2/depthwise: depthwise", "block2/pointwise", "block3/depthwise: depthwise", "block3/pointwise: block3", "block4/depthwise: depthwise", "block4/pointwise", "head/dense: dense"],
            plan.Layers.Select(l => l.Reason is null ? l.Weight.Name : $"{l.Weight.Name}: {new[] { "first", "depthwise", "dense", "block3" }.Single(l.Reason.Contains)}"));
        Assert.Equal(3 * 64 * 64, plan.Count);
        Assert.Equal(3 * 64 * 32, plan.Zeros);
        Assert.All(plan.Layers.Where(l => l.Reason is not null), l => Assert.DoesNotContain(false, l.Mask()));
        Assert.Throws<DiagnosticException>(() => SparsityDistribution.Uniform.Plan(weights, 0.5, new() { Only = "nothing" }));
        Assert.Equal("head/dense", Assert.Single(weights, w => w.IsLast).Name);
        Assert.Equal(weights.Length, SparsityDistribution.Uniform.Plan(weights, 0.5, PruningSelection.Everything).Layers.Count(l => l.Reason is null));
    }

    [Fact]
    public void Weights_are_found_with_their_dimensions()
    {
        PassModel model = new();
        Value x = model.Input("x", 1, 4, 4, 4);
        Value y = model.Add("grouped", new Conv2D(1, 1, PaddingMode.Same), x, PassModel.Random("gw", 1, 6, 3, 2, 2));
        y = model.Add("depthwise", new DepthwiseConv2D(1, 1, PaddingMode.Same, 2), y, PassModel.Random("dw", 2, 1, 3, 2, 12));
        y = model.Add("up", new TransposeConv(2, 2, PaddingMode.Same), PassModel.Ints("s", 1, 8, 8, 5), PassModel.Random("uw", 3, 5, 3, 3, 12), y);
        y = model.Add("bytes", new Conv2D(1, 1, PaddingMode.Same), y, PassModel.Bytes("bw", 4, 0.1f, 2, 1, 1, 5));
        y = model.Add("matmul", new BatchMatMul(false, false), y, PassModel.Random("mw", 5, 2, 7));
        ImmutableArray<PrunableWeight> weights = PrunableWeight.Of(model.Output(y).Build().Main);

        Assert.Equal(["grouped", "depthwise", "up", "bytes", "matmul:y"], weights.Select(w => w.Name));
        Assert.Equal(
            [new(6, 3, 2, 2), new(12, 3, 2, 1, true), new(5, 3, 3, 12), new(2, 1, 1, 5), new(7, 1, 1, 2, true)],
            weights.Select(w => w.Kernel));
        Assert.Equal("its weights are i8, not float", weights[3].WhyFixed);
        Assert.True(weights[0].IsFirst && weights[4].IsLast);
        Assert.Equal(2, weights.Count(w => w.IsFirst || w.IsLast));
    }

    private static PrunableWeight Dense(string name, int outputs, int inputs)
    {
        Random random = new((outputs * 1000) + inputs);
        return new(name, "w", WeightRole.Dense, new(outputs, 1, 1, inputs), PassModel.Numbers(random, outputs * inputs));
    }

    private static ImmutableArray<PrunableWeight> Weights(Random random) =>
    [
        .. Enumerable.Range(0, random.Next(1, 7)).Select(i =>
        {
            KernelShape kernel = new(random.Next(1, 20), random.Next(1, 4), random.Next(1, 4), random.Next(1, 20), random.Next(2) == 0);
            return new PrunableWeight($"layer{i}", "w", (WeightRole)random.Next(6), kernel, PassModel.Numbers(random, kernel.Count, random.NextSingle()));
        }),
    ];

    private static double[] Convex(Random random)
    {
        double[] slopes = [.. Enumerable.Range(0, 9).Select(_ => random.NextDouble() * 5).Order()];
        double[] errors = new double[10];
        for (int i = 0; i < slopes.Length; i++)
        {
            errors[i + 1] = errors[i] + slopes[i];
        }

        return errors;
    }
}
