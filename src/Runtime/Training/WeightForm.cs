using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Gradients;

namespace Optc.Runtime.Training;

/// <summary>How a layer sees a weight that is trained: the variable is latent, the layer reads what the form makes of it.</summary>
/// <remarks>Gradients pass straight through to the latent weight, and to what else the form trains.</remarks>
public abstract record WeightForm
{
    private protected WeightForm()
    {
    }

    /// <summary>Dimension of the weight that runs over output channels.</summary>
    public required int Axis { get; init; }

    /// <summary>Bits of the integer grid, 2 to 8; 0 for none.</summary>
    public int Bits { get; init; } = 8;

    /// <summary>A scale for each output channel, or one for the tensor.</summary>
    public bool PerChannel { get; init; } = true;

    internal int Largest => Bits == 0 ? 0 : (1 << (Bits - 1)) - 1;
}

/// <summary>A weight on the symmetric integer grid of its own magnitude, see <see cref="FakeQuantWeights"/>.</summary>
public sealed record GridForm : WeightForm
{
    internal FakeQuantWeights Op => new(Bits, PerChannel ? Axis : -1);
}

/// <summary>A weight whose values come from trained codebooks, see <see cref="CodebookWeight"/>.</summary>
/// <remarks>
/// State beside the latent weight <c>W</c>: <c>W/codebook</c> [groups, codes] and <c>W/log_scale</c> [channels] or [1], both trained,
/// <c>W/steps</c> [groups], <c>W/prices</c> [groups, codes], <c>W/index</c> in the shape of the weight. Whoever turns a
/// form on fills them in (<see cref="Trainer.Set"/>).
/// </remarks>
public sealed record CodebookForm : WeightForm
{
    /// <summary>Entries of a codebook.</summary>
    public required int Codes { get; init; }

    /// <summary>Codebooks: 1 for the tensor, or a number that divides the output channels.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Gradients of entries are averaged over their members instead of summed.</summary>
    public bool AveragesGradients { get; init; }

    /// <summary>One entry is zero for good.</summary>
    public bool PinsZero { get; init; } = true;

    /// <summary>Weights keep the entries that they have.</summary>
    public bool IsFrozen { get; init; }

    /// <summary>Rounds once more to the grid of the magnitude of each channel, as runtimes do that know nothing of the codebook.</summary>
    public FakeQuantWeights? Rounding { get; init; }

    /// <summary>Learning rate of the latent weight, as a multiple of that of the layer: larger where it is in units of the scales.</summary>
    public float LatentRate { get; init; } = 1;

    /// <summary>Learning rate of the entries, as a multiple of that of the layer.</summary>
    public float CodebookRate { get; init; } = 1;

    /// <summary>Learning rate of the logarithms of the scales, likewise; 0 keeps them.</summary>
    public float ScaleRate { get; init; } = 1;

    internal CodebookWeight Op => new(Axis, Largest, AveragesGradients);

    internal AssignCodes Assignment => new(Axis, Largest);
}

/// <summary>The grid of activations while training, see <see cref="LearnedFakeQuant"/>.</summary>
/// <param name="Group">Values of one group share their grid. Its state is <c>GROUP/log_scale</c> and <c>GROUP/zero</c>, [] each.</param>
/// <param name="LogScale">Logarithm of the step at the start.</param>
/// <param name="Zero">Integer that means 0.</param>
/// <param name="Low">Smallest integer.</param>
/// <param name="High">Largest integer.</param>
public sealed record ActivationForm(string Group, float LogScale, float Zero, int Low, int High)
{
    /// <summary>Learning rate of the logarithm of the step, as a multiple of that of the run; 0 keeps the grid.</summary>
    public float Rate { get; init; } = 1;

    /// <summary>
    /// Weight of the past in moving extremes that make the grid instead of training; its state is then <c>GROUP/low_end</c> and <c>GROUP/high_end</c>.
    /// </summary>
    public float? MovingAverage { get; init; }

    internal LearnedFakeQuant Op => new(Low, High);
}

/// <summary>A trained weight with its form and what the form trains beside it.</summary>
/// <param name="Codebook">For codebooks.</param>
/// <param name="LogScale">For codebooks.</param>
public sealed record FormedWeight(TrainedVariable Latent, WeightForm Form, TrainedVariable? Codebook, TrainedVariable? LogScale)
{
    internal string Steps => $"{Latent.Name}/steps";

    internal string Prices => $"{Latent.Name}/prices";

    internal string Index => $"{Latent.Name}/index";

    /// <summary>What the form adds for a weight.</summary>
    internal static FormedWeight Of(TrainedVariable latent, WeightForm form)
    {
        if (form is not CodebookForm book)
        {
            return new(latent, form, null, null);
        }

        TrainedVariable Beside(string name, Shape shape, float rate) => new(
            $"{latent.Name}/{name}", latent.Layer, name, GraphBuilder.Constant(TensorData.FromFloats(shape, new float[shape.ElementCount]), ""), latent.Rate * rate);
        return new(
            latent with { Rate = latent.Rate * book.LatentRate },
            form,
            Beside("codebook", [book.Groups, book.Codes], book.CodebookRate),
            Beside("log_scale", [book.PerChannel ? latent.Shape[book.Axis] : 1], book.ScaleRate));
    }

    /// <summary>Adds what the layer reads.</summary>
    /// <param name="read">The content of a variable; the same node each time.</param>
    /// <param name="mask">The mask of the latent weight, if it has one.</param>
    internal Value Effective(Expressions e, Func<TrainedVariable, Value> read, Value? mask)
    {
        Value latent = read(Latent);
        if (Form is not CodebookForm book)
        {
            return e.Add(((GridForm)Form).Op, latent);
        }

        Value values = read(Codebook!);
        Value steps = e.Read(Steps, [book.Groups]);
        Value index = book.IsFrozen
            ? e.Read(Index, Latent.Shape)
            : e.Add(book.Assignment, latent, values, steps, e.Read(Prices, [book.Groups, book.Codes]), mask);
        if (!book.IsFrozen)
        {
            e.Assign(Index, index);
        }

        Value weight = e.Add(book.Op, latent, index, values, steps, read(LogScale!));
        return book.Rounding is { } rounding ? e.Add(rounding, weight) : weight;
    }

    /// <summary>State that is not trained, with its shapes.</summary>
    internal IEnumerable<(string, Shape)> State => Form is CodebookForm book
        ? [(Steps, [book.Groups]), (Prices, [book.Groups, book.Codes]), (Index, Latent.Shape)]
        : [];
}
