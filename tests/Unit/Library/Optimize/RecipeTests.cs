using Optc.Ir;
using Optc.Optimize;
using Optc.Training;
using Xunit;

namespace Optc.Tests.Unit.Library.Optimize;

public class RecipeTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    public static TheoryData<string> Names => [.. OptimizationRecipe.All.Select(r => r.Name)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void What_is_printed_is_read_again(int seed)
    {
        OptimizationRecipe recipe = Random(new(seed));

        string yaml = recipe.ToYaml();
        OptimizationRecipe read = OptimizationRecipe.Parse(yaml);

        Assert.Equal(yaml, read.ToYaml());
        Assert.Equal((recipe.Name, recipe.Description), (read.Name, read.Description));
        Assert.Equal(recipe.Steps.Select(s => s.GetType()), read.Steps.Select(s => s.GetType()));
        foreach ((PruneStep made, PruneStep back) in recipe.Steps.OfType<PruneStep>().Zip(read.Steps.OfType<PruneStep>()))
        {
            Assert.Equal(made.Rules.AsEnumerable(), back.Rules);
            Assert.Equal(made with { Rules = [] }, back with { Rules = [] });
        }

        foreach ((ClusterStep made, ClusterStep back) in recipe.Steps.OfType<ClusterStep>().Zip(read.Steps.OfType<ClusterStep>()))
        {
            Assert.Equal(made.Rules.AsEnumerable(), back.Rules);
            Assert.Equal(made with { Rules = [] }, back with { Rules = [] });
        }

        Assert.Equal(recipe.Steps.OfType<FineTuneStep>(), read.Steps.OfType<FineTuneStep>());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Built_in_recipes_are_sound_and_complete(string name)
    {
        OptimizationRecipe recipe = OptimizationRecipe.Find(name)!;

        Assert.Empty(recipe.Contradictions());
        Assert.Equal(recipe, OptimizationRecipe.Parse(recipe.ToYaml()));
        Assert.Equal(recipe, recipe.Resolved());
        Assert.IsType<QuantizeStep>(recipe.Steps[^1]);
        Assert.All(recipe.Steps.OfType<FineTuneStep>(), s => Assert.Equal(0.7, s.Distill));
    }

    [Fact]
    public void A_step_may_be_a_word_or_one_value()
    {
        OptimizationRecipe recipe = OptimizationRecipe.Parse("steps:\n- prune: 0.7\n- cluster: 8\n- quantize-aware\n- fine-tune:\n    rate: 0.001\n- quantize: static-int16x8\n", "own.yaml");

        Assert.Equal("own", recipe.Name);
        Assert.Equal(0.7, Assert.IsType<PruneStep>(recipe.Steps[0]).Sparsity);
        Assert.Equal(8, Assert.IsType<ClusterStep>(recipe.Steps[1]).Codes);
        Assert.Equal("0.001", Assert.IsType<FineTuneStep>(recipe.Steps[3]).Rate);
        Assert.Equal("static-int16x8", Assert.IsType<QuantizeStep>(recipe.Steps[4]).Recipe);
    }

    [Theory]
    [InlineData("steps: [{prune: {end: 0.3}}, cluster, fine-tune]", 0.3, 0.85)]
    [InlineData("steps: [{prune: {schedule: constant}}, cluster, fine-tune]", 0.0, 0.85)]
    [InlineData("steps: [cluster, prune, fine-tune]", 0.4, 0.85)]
    [InlineData("steps: [prune, fine-tune, cluster, fine-tune]", 0.0, 1.0)]
    [InlineData("steps: [cluster, quantize-aware, fine-tune]", 0.0, 0.85)]
    [InlineData("steps: [prune, cluster, quantize]", 0.0, 1.0)]
    [InlineData("steps: [prune, {cluster: {begin: 0.1, freeze: 0.9}}, fine-tune]", 0.1, 0.9)]
    public void What_depends_on_other_steps_is_resolved(string yaml, double begin, double freeze)
    {
        ClusterStep cluster = OptimizationRecipe.Parse(yaml).Resolved().Steps.OfType<ClusterStep>().Single();

        Assert.Equal((begin, freeze), (cluster.Begin!.Value, cluster.Freeze!.Value));
    }

    [Theory]
    [InlineData("cross-entropy", 0.7)]
    [InlineData("smoothed:0.1", 0.7)]
    [InlineData("mse", 0.0)]
    public void A_teacher_teaches_classes(string loss, double part) =>
        Assert.Equal(part, new OptimizationRecipe("r", [new FineTuneStep { Loss = loss }]).Resolved().Steps.OfType<FineTuneStep>().Single().Distill);

    [Theory]
    [InlineData("", "the recipe is empty", "")]
    [InlineData("# nothing\n", "the recipe is empty", "")]
    [InlineData("- prune", "the recipe is no map", "line 1, column 1")]
    [InlineData("steps: [\n", "the recipe is no YAML", "line 2, column 1")]
    [InlineData("name: a\nname: b\nsteps: [prune]", "the recipe is no YAML", "line 2, column 1")]
    [InlineData("steps:\n- prune:\n    sparsity: 0.5\n    sparsity: 0.6", "the recipe is no YAML", "line 4, column 5")]
    [InlineData("name: a", "the recipe has no 'steps'", "line 1, column 1")]
    [InlineData("steps: prune", "'steps' is no list", "line 1, column 8")]
    [InlineData("steps: []", "the recipe has no steps", "line 1, column 8")]
    [InlineData("steps: [&a [*a]]", "this is no step", "line 1, column 9")]
    [InlineData("stpes: [prune]", "there is no such key in a recipe", "line 1, column 1")]
    [InlineData("steps:\n- prnue", "there is no such step", "line 2, column 3")]
    [InlineData("steps:\n- prune:\n  sparsity: 0.5", "this is no step", "line 2, column 3")]
    [InlineData("steps:\n- prune:\n    sparsty: 0.5", "there is no such key in 'prune'", "line 3, column 5")]
    [InlineData("steps:\n- prune:\n    sparsity: 1", "'sparsity' of 'prune' has a value that is not allowed", "line 3, column 15")]
    [InlineData("steps:\n- prune:\n    sparsity: half", "'sparsity' of 'prune' has a value that is not allowed", "line 3, column 15")]
    [InlineData("steps:\n- prune:\n    sparsity: [0.5]", "'sparsity' of 'prune' has a value that is not allowed", "line 3, column 15")]
    [InlineData("steps:\n- prune:\n    sparsity: 0,5", "'sparsity' of 'prune' has a value that is not allowed", "line 3, column 15")]
    [InlineData("steps:\n- prune:\n    pattern: 4:2", "'pattern' of 'prune' has a value that is not allowed", "line 3, column 14")]
    [InlineData("steps:\n- prune:\n    layers: '('", "'layers' of 'prune' has a value that is not allowed", "line 3, column 13")]
    [InlineData("steps:\n- cluster: 1", "'codes' of 'cluster' has a value that is not allowed", "line 2, column 12")]
    [InlineData("steps:\n- cluster:\n    rules:\n      dense: 300", "'rules' of 'cluster' has a value that is not allowed", "line 4, column 7")]
    [InlineData("steps:\n- simplify: yes", "'simplify' is followed by something else than keys", "line 2, column 13")]
    [InlineData("steps:\n- fine-tune:\n    epochs: 0", "'epochs' of 'fine-tune' has a value that is not allowed", "line 3, column 13")]
    [InlineData("steps:\n- fine-tune:\n    optimizer: adm", "'optimizer' of 'fine-tune' has a value that is not allowed", "line 3, column 16")]
    [InlineData("steps:\n- fine-tune:\n    patience: 3", "'patience' and 'keep-best' need scores", "line 2, column 3")]
    [InlineData("steps:\n- quantize\n- fine-tune", "'quantize' is not the last step", "line 2, column 3")]
    [InlineData("steps:\n- prune\n- cluster\n- prune\n- fine-tune", "'prune' stands twice before one training", "line 4, column 3")]
    [InlineData("steps:\n- quantize-aware\n- quantize", "'quantize-aware' has no training", "line 2, column 3")]
    [InlineData("steps:\n- quantize-aware\n- fine-tune\n- quantize: float16", "'quantize-aware' trains for another kind of integers than 'quantize' makes", "line 2, column 3")]
    [InlineData("steps:\n- prune:\n    pattern: channels\n    distribution: global", "only single elements are spread over layers", "line 2, column 3")]
    [InlineData("steps:\n- prune:\n    distribution: global\n    rules: {a: 0.5}", "'rules' and 'distribution' both spread the zeros", "line 2, column 3")]
    [InlineData("steps:\n- cluster:\n    relative-error: 0.1\n    bits-per-weight: 2", "'relative-error' and 'bits-per-weight' both choose the codes", "line 2, column 3")]
    [InlineData("steps:\n- fine-tune:\n    loss: mse\n    distill: 0.5", "this loss has no scores of classes that could be taught", "line 2, column 3")]
    [InlineData("steps: [prune]\n---\nsteps: [prune]", "the file holds several documents", "line 3, column 1")]
    public void What_is_wrong_is_said_with_its_place(string yaml, string message, string place)
    {
        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => OptimizationRecipe.Parse(yaml, "r.yaml"));

        Diagnostic diagnostic = Assert.Single(problem.Diagnostics);
        Assert.Equal(message, diagnostic.Message);
        Assert.Equal("r.yaml", diagnostic.At[0]);
        Assert.Equal(place, diagnostic.At is [_, var line] && place.Length > 0 ? line : "");
    }

    [Fact]
    public void All_that_is_wrong_is_said_at_once_with_what_was_meant()
    {
        DiagnosticException problem = Assert.Throws<DiagnosticException>(
            () => OptimizationRecipe.Parse("steps:\n- prune:\n    sparsty: 0.5\n    dephtwise: true\n- custer: 3\n- fine-tune:\n    zzz: 1\n"));

        Assert.Equal(
            ["did you mean 'sparsity'?", "did you mean 'depthwise'?", "did you mean 'cluster'?", null],
            problem.Diagnostics.Select(d => d.Hint));
        Assert.StartsWith("epochs, batch, rate,", problem.Diagnostics[3].Expected, StringComparison.Ordinal);
    }

    private static OptimizationRecipe Random(Random random)
    {
        List<OptimizationStep> steps = [];
        if (random.Next(3) == 0)
        {
            steps.Add(new SimplifyStep());
        }

        if (random.Next(4) == 0)
        {
            steps.Add(new SecondOrderStep { Sparsity = random.NextDouble(), Distribution = "global", Depthwise = random.Next(2) == 0, Layers = Maybe("x|y") });
        }

        if (random.Next(4) == 0)
        {
            steps.Add(new RemoveChannelsStep { Fraction = random.NextDouble() * 0.9, Global = random.Next(2) == 0, Multiple = 1 + random.Next(8), Except = Maybe("^a b$") });
        }

        for (int run = random.Next(3); run >= 0; run--)
        {
            bool ruled = random.Next(3) == 0;
            string[] distributions = ["uniform", "global", "erdos-renyi-kernel"];
            if (random.Next(2) == 0)
            {
                steps.Add(new PruneStep
                {
                    Sparsity = random.NextDouble(),
                    Schedule = random.Next(2) == 0 ? "constant" : "polynomial",
                    Power = 0.1 + random.NextDouble(),
                    Initial = random.NextDouble(),
                    Begin = random.NextDouble() / 2,
                    End = 0.5 + (random.NextDouble() / 2),
                    Every = random.Next(100),
                    Distribution = ruled ? "uniform" : distributions[random.Next(3)],
                    Rules = ruled ? [new(Text(random), random.NextDouble()), new("^conv[0-9]+$", 0.25)] : [],
                    Layers = Maybe("conv|dense"),
                    Depthwise = random.Next(2) == 0,
                });
            }

            if (random.Next(2) == 0)
            {
                steps.Add(new ClusterStep
                {
                    Codes = random.Next(2, 257),
                    Rules = ruled ? [new(Text(random), random.Next(257))] : [],
                    Scope = (CodebookScope)random.Next(3),
                    GroupSize = random.Next(1, 20),
                    Coder = random.Next(2) == 0 ? "order-0" : "ethos-u",
                    BitPrice = random.NextDouble() / 10,
                    RelativeError = random.Next(3) == 0 ? 0.01 + (random.NextDouble() / 2) : null,
                    Begin = random.Next(2) == 0 ? null : random.NextDouble() / 2,
                    Freeze = random.Next(2) == 0 ? null : 0.5 + (random.NextDouble() / 2),
                });
            }

            if (random.Next(2) == 0)
            {
                steps.Add(new QuantizeAwareStep { Bits = random.Next(2, 9), Ranges = (RangeLearning)random.Next(3), Momentum = random.NextDouble() });
            }

            steps.Add(new FineTuneStep
            {
                Epochs = random.Next(1, 100),
                Augment = Maybe("flip,shift:2"),
                Distill = random.Next(2) == 0 ? null : random.NextDouble(),
                ValidationPart = 0.1,
                Patience = random.Next(5),
                Clip = random.NextDouble(),
            });
        }

        if (random.Next(2) == 0)
        {
            steps.Add(new QuantizeStep { InputType = random.Next(2) == 0 ? null : DType.F32, OutputType = random.Next(2) == 0 ? null : DType.I8 });
        }

        return new(Text(random), [.. steps]) { Description = Maybe(Text(random)) };

        string? Maybe(string text) => random.Next(2) == 0 ? null : text;
    }

    /// <summary>Letters, and what YAML takes for something else.</summary>
    private static string Text(Random random)
    {
        const string letters = "ab:0- #'\"{}[],&*!|>%@`~?\\\t\u00e9\n.nul";
        return $"n{string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => letters[random.Next(letters.Length)]))}x".Replace("\\", random.Next(2) == 0 ? "\\." : "", StringComparison.Ordinal) is var text && IsPattern(text) ? text : "n: x";
    }

    private static bool IsPattern(string text)
    {
        try
        {
            _ = new Optc.Passes.Quantize.LayerRule(text);
            return true;
        }
        catch (DiagnosticException)
        {
            return false;
        }
    }
}
