using System.Collections.Immutable;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Passes.Quantize;
using Optc.Runtime.Training;
using Optc.Training;
using Optc.Training.Augmentations;

namespace Optc.Optimize.Recipes;

/// <summary>Every kind of step with its keys.</summary>
internal static class StepForms
{
    private static readonly NumberValue Part = new(0, 1);
    private static readonly NumberValue PartBelowOne = new(0, 1, openHigh: true);
    private static readonly FlagValue Flag = new();
    private static readonly OptionalTextValue LayerPattern = new("a regular expression without look-around and back references", LayerNumbersValue.RequirePattern);

    private static readonly (string, DType)[] Types = [("int8", DType.I8), ("uint8", DType.U8), ("int16", DType.I16), ("float32", DType.F32)];

    /// <summary>In the order in which a recipe usually has them.</summary>
    public static ImmutableArray<StepForm> All { get; } =
    [
        new StepForm<SimplifyStep>("simplify", "Takes out of the graph what does nothing."),
        new StepForm<RemoveChannelsStep>(
            "remove-channels",
            "Takes whole channels of small weights out of the graph, so that its tensors become smaller; 'fine-tune' behind it repairs what that costs.",
            new RecipeKey<RemoveChannelsStep, double>("fraction", PartBelowOne, s => s.Fraction, (s, v) => s with { Fraction = v }, "Part of the channels that is removed."),
            new RecipeKey<RemoveChannelsStep, bool>("global", Flag, s => s.Global, (s, v) => s with { Global = v }, "Channels of all layers compete; without, each layer loses the same part."),
            new RecipeKey<RemoveChannelsStep, int>("multiple", new WholeValue(1), s => s.Multiple, (s, v) => s with { Multiple = v }, "Layers keep a multiple of this number of channels where they can."),
            new RecipeKey<RemoveChannelsStep, string?>("layers", LayerPattern, s => s.Layers, (s, v) => s with { Layers = v }, "Layers that become narrower; all unless given."),
            new RecipeKey<RemoveChannelsStep, string?>("except", LayerPattern, s => s.Except, (s, v) => s with { Except = v }, "Layers that are left alone.")),
        new StepForm<PruneStep>(
            "prune",
            "Makes weights zero while the next 'fine-tune' goes on; they stay zero in all that follows.",
            new RecipeKey<PruneStep, double>("sparsity", PartBelowOne, s => s.Sparsity, (s, v) => s with { Sparsity = v }, "Part of the weights that is zero in the end."),
            new RecipeKey<PruneStep, string>("schedule", Words("polynomial", "constant"), s => s.Schedule, (s, v) => s with { Schedule = v }, "How the sparsity gets there: rising, or all at once."),
            new RecipeKey<PruneStep, double>("power", new NumberValue(0, 100, openLow: true), s => s.Power, (s, v) => s with { Power = v }, "Of the polynomial: 3 rises fast and ends slowly."),
            new RecipeKey<PruneStep, double>("initial", PartBelowOne, s => s.Initial, (s, v) => s with { Initial = v }, "Sparsity with which the polynomial begins."),
            new RecipeKey<PruneStep, double>("begin", Part, s => s.Begin, (s, v) => s with { Begin = v }, "Part of the run before which nothing is pruned."),
            new RecipeKey<PruneStep, double>("end", Part, s => s.End, (s, v) => s with { End = v }, "Part of the run at which the sparsity is reached; the zeros are the same ones from there on."),
            new RecipeKey<PruneStep, int>("every", new WholeValue(0), s => s.Every, (s, v) => s with { Every = v }, "Steps between two choices of the zeros; 0 is a hundredth of the run."),
            new RecipeKey<PruneStep, string>("pattern", new TextValue("'elements', 'channels', 'blocks:HxW', or 'N:M' with N below M", RequirePruningPattern), s => s.Pattern, (s, v) => s with { Pattern = v }, "What becomes zero together: single elements, whole output channels, blocks of the weight as a matrix of output channels, or N of each M along the innermost axis."),
            new RecipeKey<PruneStep, string>("distribution", Words("uniform", "global", "erdos-renyi-kernel"), s => s.Distribution, (s, v) => s with { Distribution = v }, "How zeros are spread over the layers: alike, wherever the smallest scores are, or fewer in small kernels."),
            new RecipeKey<PruneStep, string>("criterion", Words("magnitude", "normalized-magnitude", "gradient-times-weight"), s => s.Criterion, (s, v) => s with { Criterion = v }, "What goes first: the smallest numbers, the smallest in units of their channel, or those on which the loss depends least, which only training can tell."),
            new RecipeKey<PruneStep, ImmutableArray<LayerNumber>>("rules", new LayerNumbersValue(PartBelowOne), s => s.Rules, (s, v) => s with { Rules = v }, "Sparsities of layers whose names match; the last that matches counts."),
            new RecipeKey<PruneStep, string?>("layers", LayerPattern, s => s.Layers, (s, v) => s with { Layers = v }, "Layers that are pruned; all unless given."),
            new RecipeKey<PruneStep, string?>("except", LayerPattern, s => s.Except, (s, v) => s with { Except = v }, "Layers that are left alone."),
            new RecipeKey<PruneStep, bool>("depthwise", Flag, s => s.Depthwise, (s, v) => s with { Depthwise = v }, "Prunes depthwise weights too, which are few and dear.")),
        new StepForm<SecondOrderStep>(
            "prune-by-second-order",
            "Makes weights zero without training, by what each costs the results of its layer, and moves the others to make up for it.",
            new RecipeKey<SecondOrderStep, double>("sparsity", PartBelowOne, s => s.Sparsity, (s, v) => s with { Sparsity = v }, "Part of the weights that becomes zero."),
            new RecipeKey<SecondOrderStep, int>("calibration-samples", new WholeValue(1), s => s.CalibrationSamples, (s, v) => s with { CalibrationSamples = v }, "Training samples whose values tell what a weight costs."),
            new RecipeKey<SecondOrderStep, string>("distribution", Words("uniform", "global", "erdos-renyi-kernel"), s => s.Distribution, (s, v) => s with { Distribution = v }, "How zeros are spread over the layers: alike, wherever they cost least, or fewer in small kernels."),
            new RecipeKey<SecondOrderStep, string?>("layers", LayerPattern, s => s.Layers, (s, v) => s with { Layers = v }, "Layers that are pruned; all unless given."),
            new RecipeKey<SecondOrderStep, string?>("except", LayerPattern, s => s.Except, (s, v) => s with { Except = v }, "Layers that are left alone."),
            new RecipeKey<SecondOrderStep, bool>("depthwise", Flag, s => s.Depthwise, (s, v) => s with { Depthwise = v }, "Prunes depthwise weights too, which are few and dear.")),
        new StepForm<ClusterStep>(
            "cluster",
            "Lets the weights of a layer share a few values while the next 'fine-tune' goes on; they do so in all that follows.",
            new RecipeKey<ClusterStep, int>("codes", new WholeValue(2, 256), s => s.Codes, (s, v) => s with { Codes = v }, "Values of a weight tensor, the zero included."),
            new RecipeKey<ClusterStep, ImmutableArray<LayerNumber>>("rules", new LayerNumbersValue(new WholeValue(0, 256)), s => s.Rules, (s, v) => s with { Rules = v }, "Codes of layers whose names match, 0 for none; the last that matches counts."),
            new RecipeKey<ClusterStep, double?>("relative-error", new OptionalNumberValue(new NumberValue(0, 1, openLow: true, openHigh: true)), s => s.RelativeError, (s, v) => s with { RelativeError = v }, "Instead of 'codes': as few for each layer as this squared error permits, a part of the squared weights."),
            new RecipeKey<ClusterStep, double?>("bits-per-weight", new OptionalNumberValue(new NumberValue(1, 8, openLow: true)), s => s.BitsPerWeight, (s, v) => s with { BitsPerWeight = v }, "Instead of 'codes': for each layer with the least error within this mean number of bits of entropy."),
            new RecipeKey<ClusterStep, CodebookScope>("scope", new ChoiceValue<CodebookScope>(("tensor", CodebookScope.Tensor), ("channel", CodebookScope.Channel), ("group", CodebookScope.Group)), s => s.Scope, (s, v) => s with { Scope = v }, "One set of codes for the tensor, for each output channel, or for each group of 'group-size' channels."),
            new RecipeKey<ClusterStep, int>("group-size", new WholeValue(1), s => s.GroupSize, (s, v) => s with { GroupSize = v }, "With scope 'group': output channels that share codes; where it does not divide the channels, the largest number below that does."),
            new RecipeKey<ClusterStep, string>("initializer", Words("exact", "linear", "density", "k-means++", "random"), s => s.Initializer, (s, v) => s with { Initializer = v }, "Where codes start: least squared error, or as TensorFlow's toolkit starts them."),
            new RecipeKey<ClusterStep, bool>("on-grid", Flag, s => s.OnGrid, (s, v) => s with { OnGrid = v }, "Codes are integers of the result and each channel has a scale, so that n codes stay n in the file; without, real values as TensorFlow's toolkit has them."),
            new RecipeKey<ClusterStep, bool>("pin-zero", Flag, s => s.PinZero, (s, v) => s with { PinZero = v }, "One code is zero for good."),
            new RecipeKey<ClusterStep, bool>("average-gradients", Flag, s => s.AverageGradients, (s, v) => s with { AverageGradients = v }, "Gradients of a code are averaged over its weights instead of summed."),
            new RecipeKey<ClusterStep, double>("bit-price", new NumberValue(0, 10), s => s.BitPrice, (s, v) => s with { BitPrice = v }, "Prefers frequent codes: price of a bit in units of the squared deviation; 0.03 is about 3 bits a weight, 0.1 about 2."),
            new RecipeKey<ClusterStep, string>("coder", Words([.. WeightCoders.All.Select(c => c.Name)]), s => s.Coder, (s, v) => s with { Coder = v }, "What 'bit-price' and 'bits-per-weight' count bits by: frequencies, or the coder of the target."),
            new RecipeKey<ClusterStep, bool>("depthwise", Flag, s => s.Depthwise, (s, v) => s with { Depthwise = v }, "Clusters depthwise weights too."),
            new RecipeKey<ClusterStep, double?>("begin", new OptionalNumberValue(PartBelowOne), s => s.Begin, (s, v) => s with { Begin = v }, "Part of the run after which codes are in force. Unless given: where pruning of the same run ends, else 0."),
            new RecipeKey<ClusterStep, double?>("freeze", new OptionalNumberValue(new NumberValue(0, 1, openLow: true)), s => s.Freeze, (s, v) => s with { Freeze = v }, "Part of the run after which each weight keeps its code. Unless given: 0.85 where other steps share the run, else 1.")),
        new StepForm<QuantizeAwareStep>(
            "quantize-aware",
            "Rounds while the next 'fine-tune' goes on as the integer model will.",
            new RecipeKey<QuantizeAwareStep, int>("bits", new WholeValue(2, 8), s => s.Bits, (s, v) => s with { Bits = v }, "Bits of weights."),
            new RecipeKey<QuantizeAwareStep, ImmutableArray<LayerNumber>>("rules", new LayerNumbersValue(new WholeValue(2, 8)), s => s.Rules, (s, v) => s with { Rules = v }, "Bits of layers whose names match; the last that matches counts."),
            new RecipeKey<QuantizeAwareStep, RangeLearning>("ranges", new ChoiceValue<RangeLearning>(("learned", RangeLearning.Learned), ("moving-average", RangeLearning.MovingAverage), ("fixed", RangeLearning.Fixed)), s => s.Ranges, (s, v) => s with { Ranges = v }, "How ranges of activations come about after calibration: trained, moving extremes of batches, or as they are."),
            new RecipeKey<QuantizeAwareStep, double>("momentum", PartBelowOne, s => s.Momentum, (s, v) => s with { Momentum = v }, "Weight of the past in moving extremes."),
            new RecipeKey<QuantizeAwareStep, int>("calibration-samples", new WholeValue(1), s => s.CalibrationSamples, (s, v) => s with { CalibrationSamples = v }, "Training samples that ranges start from."),
            new RecipeKey<QuantizeAwareStep, double>("freeze-statistics", Part, s => s.FreezeStatistics, (s, v) => s with { FreezeStatistics = v }, "Part of the run after which batch normalization uses its moving statistics, as the result will.")),
        new StepForm<FineTuneStep>(
            "fine-tune",
            "Trains, and brings about what the steps since the last training ask for, all in one run.",
            new RecipeKey<FineTuneStep, int>("epochs", new WholeValue(1), s => s.Epochs, (s, v) => s with { Epochs = v }, "Times that every sample is seen."),
            new RecipeKey<FineTuneStep, int>("batch", new WholeValue(1), s => s.Batch, (s, v) => s with { Batch = v }, "Samples of a step."),
            new RecipeKey<FineTuneStep, string>("rate", new TextValue("RATE, step:RATE:EVERY[:FACTOR], exponential:RATE[:FACTOR], cosine:RATE[:WARM-UP[:FINAL]] or one-cycle:RATE", t => LearningRate.Parse(t)), s => s.Rate, (s, v) => s with { Rate = v }, "Learning rate over the run, as 'optc train --rate' takes it."),
            new RecipeKey<FineTuneStep, string>("optimizer", new TextValue(Optimizer.Forms, t => Optimizer.Parse(t)), s => s.Optimizer, (s, v) => s with { Optimizer = v }, "As 'optc train --optimizer' takes it."),
            new RecipeKey<FineTuneStep, string>("loss", new TextValue(Loss.Forms, t => Loss.Parse(t)), s => s.Loss, (s, v) => s with { Loss = v }, "As 'optc train --loss' takes it."),
            new RecipeKey<FineTuneStep, string?>("augment", new OptionalTextValue("a list such as 'flip,shift:2', as 'optc train --augment' takes it", t => Augmentation.Parse(t)), s => s.Augment, (s, v) => s with { Augment = v }, "Random changes of the training samples."),
            new RecipeKey<FineTuneStep, double?>("distill", new OptionalNumberValue(Part), s => s.Distill, (s, v) => s with { Distill = v }, "Part of the loss that the model at the beginning of the recipe teaches, 0 for none. Unless given: 0.7 for losses over classes, else 0."),
            new RecipeKey<FineTuneStep, double>("temperature", new NumberValue(0, 1000, openLow: true), s => s.Temperature, (s, v) => s with { Temperature = v }, "Temperature of the teacher's scores."),
            new RecipeKey<FineTuneStep, double>("validation-part", PartBelowOne, s => s.ValidationPart, (s, v) => s with { ValidationPart = v }, "Part of the training data that is set apart to score epochs, of each class alike; 0 for none."),
            new RecipeKey<FineTuneStep, int>("patience", new WholeValue(0), s => s.Patience, (s, v) => s with { Patience = v }, "Ends the run after so many epochs without a better score; 0 for never."),
            new RecipeKey<FineTuneStep, bool>("keep-best", Flag, s => s.KeepBest, (s, v) => s with { KeepBest = v }, "Takes the weights of the epoch with the best score instead of those of the last."),
            new RecipeKey<FineTuneStep, double>("clip", new NumberValue(0, 1e6), s => s.Clip, (s, v) => s with { Clip = v }, "Shortens the gradient of a step to this length; 0 for none."),
            new RecipeKey<FineTuneStep, bool>("relative-rates", Flag, s => s.RelativeRates, (s, v) => s with { RelativeRates = v }, "Learning rates of weights are in proportion to their magnitude."),
            new RecipeKey<FineTuneStep, bool>("live-normalization", Flag, s => s.LiveNormalization, (s, v) => s with { LiveNormalization = v }, "With other steps in the run: convolutions get a batch normalization with live statistics, folded again at the end.")),
        new StepForm<QuantizeStep>(
            "quantize",
            "Turns the model into integers; the last step.",
            new RecipeKey<QuantizeStep, string>("recipe", Words([.. QuantizationRecipe.All.Select(r => r.Name)]), s => s.Recipe, (s, v) => s with { Recipe = v }, "As 'optc quantize --recipe' takes it."),
            new RecipeKey<QuantizeStep, string>("estimator", new TextValue("min-max, moving-average[:0 to below 1], percentile[:above 50 to 100], mse or entropy", t => RangeEstimator.Parse(t)), s => s.Estimator, (s, v) => s with { Estimator = v }, "How ranges of activations are found where training has not found them."),
            new RecipeKey<QuantizeStep, int>("calibration-samples", new WholeValue(1), s => s.CalibrationSamples, (s, v) => s with { CalibrationSamples = v }, "Training samples that they are found from."),
            new RecipeKey<QuantizeStep, DType?>("input-type", new OptionalChoiceValue<DType>(Types), s => s.InputType, (s, v) => s with { InputType = v }, "Type of the inputs of the model; as the recipe says unless given."),
            new RecipeKey<QuantizeStep, DType?>("output-type", new OptionalChoiceValue<DType>(Types), s => s.OutputType, (s, v) => s with { OutputType = v }, "Type of the outputs of the model; as the recipe says unless given.")),
    ];

    /// <summary>The form of a step.</summary>
    public static StepForm Of(OptimizationStep step) => All.First(f => f.StepType == step.GetType());

    private static ChoiceValue<string> Words(params string[] words) => new([.. words.Select(w => (w, w))]);

    private static void RequirePruningPattern(string text)
    {
        if (PruneStep.PatternOf(text) is null)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "there is no such pattern") { Found = text });
        }
    }
}
