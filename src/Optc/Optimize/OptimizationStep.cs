using System.Collections.Immutable;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Passes.Cluster;
using Optc.Passes.Prune;
using Optc.Passes.Quantize;
using Optc.Runtime.Training;
using Optc.Training;
using Optc.Training.Augmentations;

namespace Optc.Optimize;

/// <summary>A step of a recipe. Prune, cluster and quantize-aware say what the next fine-tune is to bring about.</summary>
public abstract record OptimizationStep
{
    private protected OptimizationStep()
    {
    }
}

/// <summary>Numbers for the layers whose names match, the last that matches counts.</summary>
/// <param name="Pattern">Regular expression that is looked for anywhere in the name of a layer.</param>
/// <param name="Number">What it is to be there.</param>
public sealed record LayerNumber(string Pattern, double Number);

/// <summary>Makes weights zero.</summary>
public sealed record PruneStep : OptimizationStep
{
    /// <summary>Part of the weights that is zero in the end, 0 to below 1.</summary>
    public double Sparsity { get; init; } = 0.5;

    /// <summary><c>polynomial</c> or <c>constant</c>.</summary>
    public string Schedule { get; init; } = "polynomial";

    public double Power { get; init; } = 3;

    /// <summary>Sparsity at the beginning.</summary>
    public double Initial { get; init; }

    /// <summary>Part of the run before which nothing is pruned.</summary>
    public double Begin { get; init; }

    /// <summary>Part of the run at which the sparsity is reached.</summary>
    public double End { get; init; } = 0.4;

    /// <summary>Steps between two looks at the weights; a hundredth of the run when 0.</summary>
    public int Every { get; init; } = 5;

    /// <summary><c>elements</c>, <c>channels</c>, <c>blocks:HxW</c>, or <c>N:M</c> for N zeros in each M.</summary>
    public string Pattern { get; init; } = "elements";

    /// <summary><c>uniform</c>, <c>global</c> or <c>erdos-renyi-kernel</c>.</summary>
    public string Distribution { get; init; } = "uniform";

    /// <summary><c>magnitude</c>, <c>normalized-magnitude</c> or <c>gradient-times-weight</c>.</summary>
    public string Criterion { get; init; } = "magnitude";

    /// <summary>Sparsities of single layers.</summary>
    public ImmutableArray<LayerNumber> Rules { get; init; } = [];

    /// <summary>Pattern of the layers that are pruned; all when <see langword="null"/>.</summary>
    public string? Layers { get; init; }

    /// <summary>Pattern of layers that are left alone.</summary>
    public string? Except { get; init; }

    public bool Depthwise { get; init; }

    internal Pruning ToPruning() => new(
        Schedule == "constant" ? PruningSchedule.Constant(Sparsity) : PruningSchedule.Polynomial(Sparsity, Power, Initial, Begin, End))
    {
        Every = Every,
        Pattern = PatternOf(Pattern)!,
        Distribution = Rules.IsEmpty ? DistributionOf(Distribution) : SparsityDistribution.PerLayer([.. Rules.Select(r => new LayerSparsity(r.Pattern, r.Number))]),
        Criterion = Criterion switch
        {
            "normalized-magnitude" => PruningCriterion.NormalizedMagnitude,
            "gradient-times-weight" => PruningCriterion.GradientTimesWeight,
            _ => PruningCriterion.Magnitude,
        },
        Selection = PruningSelection.Default with { Depthwise = Depthwise, Only = Layers, Except = Except },
    };

    internal static SparsityDistribution DistributionOf(string name) => name switch
    {
        "global" => SparsityDistribution.Global,
        "erdos-renyi-kernel" => SparsityDistribution.ErdosRenyiKernel,
        _ => SparsityDistribution.Uniform,
    };

    /// <summary>The pattern that a text means; <see langword="null"/> for none.</summary>
    internal static PruningPattern? PatternOf(string text)
    {
        switch (text)
        {
            case "elements":
                return PruningPattern.Unstructured;
            case "channels":
                return PruningPattern.Channels;
            default:
                bool isBlocks = text.StartsWith("blocks:", StringComparison.Ordinal);
                string[] sides = isBlocks ? text["blocks:".Length..].Split('x') : text.Split(':');
                return sides.Length == 2 && Side(sides[0]) is > 0 and var first && Side(sides[1]) is > 0 and var second
                    ? isBlocks ? PruningPattern.Blocks(first, second) : first < second ? PruningPattern.Groups(first, second) : null
                    : null;
        }
    }

    private static int Side(string text) =>
        int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int side) ? side : 0;
}

/// <summary>Makes weights zero without training, and moves the others to make up for it.</summary>
public sealed record SecondOrderStep : OptimizationStep
{
    /// <summary>Part of the weights that becomes zero, 0 to below 1.</summary>
    public double Sparsity { get; init; } = 0.5;

    /// <summary>Training samples whose values tell what a weight costs.</summary>
    public int CalibrationSamples { get; init; } = 256;

    /// <summary><c>uniform</c>, <c>global</c> or <c>erdos-renyi-kernel</c>.</summary>
    public string Distribution { get; init; } = "uniform";

    /// <summary>Pattern of the layers that are pruned; all when <see langword="null"/>.</summary>
    public string? Layers { get; init; }

    /// <summary>Pattern of layers that are left alone.</summary>
    public string? Except { get; init; }

    public bool Depthwise { get; init; }

    internal SecondOrderOptions ToOptions() => new()
    {
        Distribution = PruneStep.DistributionOf(Distribution),
        Selection = PruningSelection.Default with { Depthwise = Depthwise, Only = Layers, Except = Except },
    };
}

/// <summary>Lets weights share values.</summary>
public sealed record ClusterStep : OptimizationStep
{
    /// <summary>Codes of a weight, the zero included: 2 to 256.</summary>
    public int Codes { get; init; } = 16;

    /// <summary>Codes of single layers; 0 leaves a layer alone.</summary>
    public ImmutableArray<LayerNumber> Rules { get; init; } = [];

    public CodebookScope Scope { get; init; }

    /// <summary>Output channels that share codes, for <see cref="CodebookScope.Group"/>.</summary>
    public int GroupSize { get; init; } = 8;

    /// <summary><c>exact</c>, <c>linear</c>, <c>density</c>, <c>k-means++</c> or <c>random</c>.</summary>
    public string Initializer { get; init; } = "exact";

    /// <summary>Codes on the integer grid of the result.</summary>
    public bool OnGrid { get; init; } = true;

    public bool PinZero { get; init; } = true;

    public bool AverageGradients { get; init; }

    /// <summary>Price of a bit, see <see cref="Clustering.BitPrice"/>.</summary>
    public double BitPrice { get; init; }

    /// <summary>Name of a coder: what <see cref="BitPrice"/> and <see cref="BitsPerWeight"/> count bits by.</summary>
    public string Coder { get; init; } = WeightCoders.OrderZero.Name;

    public bool Depthwise { get; init; }

    /// <summary>Part of the run after which weights are clustered; when left out where pruning of the same run ends, else 0.</summary>
    public double? Begin { get; init; }

    /// <summary>Part of the run after which weights keep their code; when left out 0.85 with other steps in the same run, else 1.</summary>
    public double? Freeze { get; init; }

    /// <summary>Chooses as few codes for each layer as this squared error permits, a part of the squared weights, instead of <see cref="Codes"/>.</summary>
    public double? RelativeError { get; init; }

    /// <summary>Chooses codes for each layer with the least error within this mean number of bits, instead of <see cref="Codes"/>.</summary>
    public double? BitsPerWeight { get; init; }

    /// <param name="model">Whose weights are measured where codes are chosen by them.</param>
    internal Clustering ToClustering(Model model)
    {
        Clustering? chosen = RelativeError is { } error ? Clustering.ForError(model, error) : BitsPerWeight is { } bits ? Clustering.ForBits(model, bits, Coder == WeightCoders.OrderZero.Name ? null : WeightCoders.Find(Coder)) : null;
        Clustering own = ToClustering();
        return chosen is null ? own : own with { Codes = chosen.Codes, Rules = [.. chosen.Rules.Where(r => Depthwise || !IsDepthwise(model, r)), .. own.Rules] };
    }

    // A rule for a layer clusters it even where depthwise layers are left alone.
    private static bool IsDepthwise(Model model, LayerCodes rule) =>
        PrunableWeight.Of(model.Module.Main).Any(w => w.Role is WeightRole.Depthwise && rule.Matches(w.Layer));

    private Clustering ToClustering() => new(Codes)
    {
        Rules = [.. Rules.Select(r => new LayerCodes(r.Pattern, (int)r.Number))],
        Scope = Scope,
        GroupSize = GroupSize,
        Initializer = Initializer switch
        {
            "linear" => CentroidInitializer.Linear,
            "density" => CentroidInitializer.Density,
            "k-means++" => CentroidInitializer.KMeansPlusPlus(),
            "random" => CentroidInitializer.Random(),
            _ => CentroidInitializer.Exact,
        },
        OnGrid = OnGrid,
        PinsZero = PinZero,
        AveragesGradients = AverageGradients,
        BitPrice = BitPrice,
        Coder = WeightCoders.Find(Coder) ?? WeightCoders.OrderZero,
        Depthwise = Depthwise,
        Begin = Begin ?? 0,
        Freeze = Freeze ?? 1,
    };
}

/// <summary>Rounds while training as the integer model will.</summary>
public sealed record QuantizeAwareStep : OptimizationStep
{
    /// <summary>Bits of weights, 2 to 8.</summary>
    public int Bits { get; init; } = 8;

    /// <summary>Bits of single layers.</summary>
    public ImmutableArray<LayerNumber> Rules { get; init; } = [];

    public RangeLearning Ranges { get; init; }

    /// <summary>Weight of the past in moving extremes.</summary>
    public double Momentum { get; init; } = 0.99;

    /// <summary>Training samples that ranges start from.</summary>
    public int CalibrationSamples { get; init; } = 256;

    /// <summary>Part of the run after which batch normalization uses its moving statistics.</summary>
    public double FreezeStatistics { get; init; } = 0.7;

    /// <param name="recipe">How the result is going to be quantized.</param>
    internal QuantizationAware ToQuantizationAware(QuantizationRecipe recipe) => new()
    {
        Recipe = recipe,
        WeightBits = Bits,
        Rules = [.. Rules.Select(r => new LayerBits(r.Pattern, (int)r.Number))],
        Ranges = Ranges,
        Momentum = (float)Momentum,
        CalibrationSamples = CalibrationSamples,
        FreezeStatistics = FreezeStatistics,
    };
}

/// <summary>Trains, and brings about what the steps before it ask for.</summary>
public sealed record FineTuneStep : OptimizationStep
{
    /// <summary>Times that every sample is seen.</summary>
    public int Epochs { get; init; } = 3;

    public int Batch { get; init; } = 64;

    /// <summary>As <see cref="LearningRate.Parse"/> takes it.</summary>
    public string Rate { get; init; } = "cosine:0.0005:0:0.02";

    /// <summary>As <see cref="Optimizer.Parse"/> takes it.</summary>
    public string Optimizer { get; init; } = "adam";

    /// <summary>As <see cref="Runtime.Training.Loss.Parse"/> takes it.</summary>
    public string Loss { get; init; } = "cross-entropy";

    /// <summary>As <see cref="Augmentation.Parse"/> takes it; none when <see langword="null"/>.</summary>
    public string? Augment { get; init; }

    /// <summary>Part of the loss that the model at the beginning of the recipe teaches; when left out 0.7 for losses over classes, else 0.</summary>
    public double? Distill { get; init; }

    /// <summary>Temperature of the teacher's scores.</summary>
    public double Temperature { get; init; } = 3;

    /// <summary>Part of the training data that is set apart for scores; none when 0.</summary>
    public double ValidationPart { get; init; }

    /// <summary>Epochs without a better score that end the run; 0 for all epochs.</summary>
    public int Patience { get; init; }

    /// <summary>Takes the weights of the epoch with the best score.</summary>
    public bool KeepBest { get; init; }

    /// <summary>Length that gradients are shortened to; 0 for none.</summary>
    public double Clip { get; init; }

    public bool RelativeRates { get; init; } = true;

    public bool LiveNormalization { get; init; } = true;

    /// <summary>True for losses that compare scores of classes, which a teacher can teach.</summary>
    internal bool Classifies => Runtime.Training.Loss.Parse(Loss) is { TakesClasses: true };

    /// <param name="teacher">The model at the beginning of the recipe.</param>
    internal FitOptions ToFitOptions(Model teacher, ulong seed) => new()
    {
        Epochs = Epochs,
        BatchSize = Batch,
        Seed = seed,
        Rate = LearningRate.Parse(Rate),
        Augmentations = Augment is null ? [] : Augmentation.Parse(Augment),
        ValidationPart = ValidationPart > 0 ? ValidationPart : null,
        Patience = Patience > 0 ? Patience : null,
        KeepBest = KeepBest,
        Metric = Classifies ? Metric.Accuracy : Metric.MeanSquaredError,
        RelativeRates = RelativeRates,
        LiveNormalization = LiveNormalization,
        Step = new()
        {
            Loss = Runtime.Training.Loss.Parse(Loss),
            Optimizer = Runtime.Training.Optimizer.Parse(Optimizer),
            ClipNorm = Clip > 0 ? (float)Clip : null,
            Teacher = Distill is > 0 and var part ? new(teacher.Module, (float)part, (float)Temperature) : null,
        },
    };
}

/// <summary>Turns the model into integers, or smaller numbers.</summary>
public sealed record QuantizeStep : OptimizationStep
{
    /// <summary>Name of a <see cref="QuantizationRecipe"/>.</summary>
    public string Recipe { get; init; } = QuantizationRecipe.StaticInt8.Name;

    /// <summary>As <see cref="RangeEstimator.Parse"/> takes it; only without quantize-aware.</summary>
    public string Estimator { get; init; } = RangeEstimator.MinMax.ToString()!;

    /// <summary>Training samples that ranges come from, where training has not found them.</summary>
    public int CalibrationSamples { get; init; } = 256;

    /// <summary>Element type of the inputs; as the recipe says when <see langword="null"/>.</summary>
    public DType? InputType { get; init; }

    /// <summary>Element type of the outputs.</summary>
    public DType? OutputType { get; init; }

    internal QuantizationRecipe ToRecipe()
    {
        QuantizationRecipe recipe = QuantizationRecipe.Find(Recipe)!;
        return recipe with
        {
            Estimator = RangeEstimator.Parse(Estimator),
            InputType = InputType ?? recipe.InputType,
            OutputType = OutputType ?? recipe.OutputType,
        };
    }
}

/// <summary>Takes out of the graph what does nothing.</summary>
public sealed record SimplifyStep : OptimizationStep;

/// <summary>Takes whole channels out of the graph, so that its tensors become smaller.</summary>
public sealed record RemoveChannelsStep : OptimizationStep
{
    /// <summary>Part of the channels that is removed, 0 to below 1.</summary>
    public double Fraction { get; init; } = 0.25;

    /// <summary>Channels of all layers compete with each other.</summary>
    public bool Global { get; init; }

    /// <summary>Layers keep a multiple of this number of channels.</summary>
    public int Multiple { get; init; } = 1;

    /// <summary>Pattern of the layers that are made narrower; all when <see langword="null"/>.</summary>
    public string? Layers { get; init; }

    /// <summary>Pattern of layers that are left alone.</summary>
    public string? Except { get; init; }

    internal ChannelChoice ToChoice() => new(Fraction) { Global = Global, Multiple = Multiple, Only = Layers, Except = Except };
}
