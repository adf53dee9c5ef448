using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Optc.Ir;
using Optc.Ops.Gradients;

namespace Optc.Runtime.Training;

/// <summary>What one step of training does.</summary>
public sealed record TrainingOptions
{
    public Loss Loss { get; init; } = Loss.SparseCrossEntropy;

    public Optimizer Optimizer { get; init; } = Optimizer.Adam();

    /// <summary>Layers whose rate is not that of the run; of several rules that match, the last counts. Rate 0 freezes.</summary>
    public ImmutableArray<LayerRate> Rates { get; init; } = [];

    /// <summary>Multiplies the rates of single variables, beyond those of their layers.</summary>
    public Func<TrainedVariable, float>? RateOf { get; init; }

    /// <summary>Gradients are shortened together to this Euclidean length; none when <see langword="null"/>.</summary>
    public float? ClipNorm { get; init; }

    /// <summary>Weight of the past in an exponential moving average of the weights, which is what training exports then.</summary>
    public float? MovingAverage { get; init; }

    /// <summary>Weight of the past in the moving mean and variance of batch normalization.</summary>
    public float StatisticsMomentum { get; init; } = 0.9f;

    /// <summary>Mean and variance of layers with batch normalization that were trained before, by name of the layer.</summary>
    public ImmutableDictionary<string, ChannelStatistics> Statistics { get; init; } = [];

    /// <summary>
    /// Samples whose values are in memory at a time; a larger batch is taken in pieces whose gradients are added. Batch
    /// normalization then sees a piece as its batch. The whole batch at once when <see langword="null"/>.
    /// </summary>
    public int? MicroBatch { get; init; }

    /// <summary>A model of the same inputs and classes whose answers are learned beside the labels.</summary>
    public Teacher? Teacher { get; init; }

    /// <summary>A weight for each sample's loss, as an input of the step; negative ones are allowed.</summary>
    public bool SampleWeights { get; init; }

    /// <summary>
    /// Variables that have a mask of ones and zeros, which <see cref="Trainer.SetMask"/> changes between steps: gradients and new
    /// values are multiplied by it, so that what is zero stays zero in every checkpoint, and moments of it do too.
    /// </summary>
    public Func<TrainedVariable, bool>? Masked { get; init; }

    /// <summary>
    /// Computes operators that memory holds up in one pass: batch normalization with the activation behind it and the convolutions
    /// around it, with the rounding of what these read. Without it every operator is one node; the two differ by the rounding of sums only.
    /// </summary>
    public bool FuseBlocks { get; init; } = true;

    /// <summary>
    /// Changes every new value of a variable before it is stored; this is where masks and codebooks are kept. What it
    /// returns is all that anybody ever sees of the variable.
    /// </summary>
    public Func<Expressions, TrainedVariable, Value, Value>? Project { get; init; }

    /// <summary>Forms of weights, <see langword="null"/> for those that layers see as they are.</summary>
    public Func<TrainedVariable, WeightForm?>? Forms { get; init; }

    /// <summary>Grids of values of the model's graph, which whoever reads them sees rounded.</summary>
    public IReadOnlyDictionary<Value, ActivationForm> Activations { get; init; } = ImmutableDictionary<Value, ActivationForm>.Empty;

    /// <summary>Batch normalization uses its moving statistics and leaves them as they are.</summary>
    public bool FreezeStatistics { get; init; }

    /// <summary>Changes every gradient before the optimizer sees it.</summary>
    public Func<Expressions, TrainedVariable, Value, Value>? ProjectGradient { get; init; }
}

/// <summary>
/// Distillation: a part of the loss is how far the scores are from those of a trained model,
/// <c>T^2 sum p log(p / q)</c> with <c>p = softmax(teacher / T)</c>, <c>q = softmax(model / T)</c>.
/// </summary>
/// <remarks>Source: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015.</remarks>
/// <param name="Model">A float model; not trained.</param>
/// <param name="Weight">Part of the loss, 0 to 1; the rest is that of the labels.</param>
/// <param name="Temperature">T, above 0; the higher, the more the small scores count.</param>
public sealed record Teacher(Module Model, float Weight = 0.5f, float Temperature = 4);

/// <summary>The learning rate of the layers whose names match.</summary>
/// <param name="Pattern">
/// Regular expression that is looked for anywhere in the name of a layer. For one that begins with <c>body</c> (or <c>^body</c>), every
/// layer whose name does not begin with <c>head/</c> is also called <c>body/NAME</c>: <c>body.*</c> is everything but the head.
/// </param>
/// <param name="Factor">Multiplies the rate of the run; 0 freezes the layers.</param>
public sealed record LayerRate(string Pattern, float Factor)
{
    private const string Head = "head/";
    private const string Body = "body";

    private readonly Regex _regex = Compile(Pattern);

    public bool Matches(string layer) => _regex.IsMatch(layer)
        || (Pattern.TrimStart('^').StartsWith(Body, StringComparison.Ordinal)
            && !layer.StartsWith(Head, StringComparison.Ordinal)
            && _regex.IsMatch($"{Body}/{layer}"));

    // Linear time: a pattern comes from the user.
    private static Regex Compile(string pattern)
    {
        try
        {
            return new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception problem) when (problem is ArgumentException or NotSupportedException)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "the pattern of a layer cannot be used")
            {
                Found = $"'{pattern}'",
                Expected = "a regular expression without look-around and back references",
                Hint = problem.Message,
            });
        }
    }
}

/// <summary>A constant of the model that training changes.</summary>
/// <param name="Name">Name of its resource variable, unique.</param>
/// <param name="Layer">Name of the first layer that uses it.</param>
/// <param name="Operand">What it is to that layer: <c>w</c>, <c>bias</c>, ….</param>
/// <param name="Source">The constant in the model's graph.</param>
/// <param name="Rate">Multiplies the learning rate.</param>
public sealed record TrainedVariable(string Name, string Layer, string Operand, Value Source, float Rate)
{
    public Shape Shape => Source.Type.Shape;
}
