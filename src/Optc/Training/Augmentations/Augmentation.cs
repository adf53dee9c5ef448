using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;
using Optc.Numerics;

namespace Optc.Training.Augmentations;

/// <summary>A random change of a sample that leaves its meaning, so that a model sees more than there is.</summary>
/// <remarks>
/// <para>What happens to a sample is a function of seed, epoch, number of the sample and position in the list of augmentations; not
/// of the batch it is in, of its order, or of threads.</para>
/// <para>Augmentations see raw data, before <see cref="Normalization"/>, and the first input only. A sample is a waveform when its
/// shape is [T], and a map when it is [H, W, C] or [T, F], which is read as [T, F, 1].</para>
/// </remarks>
public abstract record Augmentation
{
    private protected Augmentation()
    {
    }

    /// <summary>Every augmentation, as the text form writes it, with one line for a help page.</summary>
    public static ImmutableArray<(string Syntax, string Summary)> All { get; } = [.. AugmentationSet.Entries.Select(e => (e.Syntax, e.Summary))];

    /// <summary>The text form, e.g. <c>shift:2</c>.</summary>
    public abstract override string ToString();

    /// <summary>Reads the text form.</summary>
    /// <param name="text"><c>NAME</c> or <c>NAME:NUMBER</c>; several separated by commas.</param>
    /// <exception cref="DiagnosticException">No such augmentation, or not with this number.</exception>
    public static ImmutableArray<Augmentation> Parse(string text) => [.. text.Split(',', StringSplitOptions.TrimEntries).Select(AugmentationSet.Parse)];

    /// <summary>What shapes the augmentation is for, when it is not for this one; else <see langword="null"/>.</summary>
    internal abstract string? WhyNot(Shape shape);

    private protected static string Text(string name, double number) => string.Create(CultureInfo.InvariantCulture, $"{name}:{number}");

    private protected static string? UnlessMap(Shape shape) => shape.Rank is 2 or 3 ? null : "a picture or map [H, W, C] or [H, W]";
}

/// <summary>An augmentation that looks at one sample only.</summary>
public abstract record SampleAugmentation : Augmentation
{
    private protected SampleAugmentation()
    {
    }

    /// <summary>Changes a sample in place.</summary>
    /// <param name="x">The sample.</param>
    /// <param name="scratch">Room for as many elements; content undefined.</param>
    internal abstract void Apply(Span<float> x, SampleLayout layout, SplitMix64 random, Span<float> scratch);
}

/// <summary>An augmentation that blends a sample with another: <c>x = (1 - w) * x + w * other</c>.</summary>
/// <remarks>
/// The other sample is drawn from all samples of the training part and comes as the augmentations before this one make
/// it in that epoch.
/// </remarks>
public abstract record MixingAugmentation : Augmentation
{
    private protected MixingAugmentation()
    {
    }

    /// <summary>True when labels are blended like samples, so that a class becomes scores of classes.</summary>
    public abstract bool MixesTargets { get; }

    /// <summary>Draws the part w of the other sample, in [0, 1].</summary>
    internal abstract float DrawWeight(SplitMix64 random);

    internal override string? WhyNot(Shape shape) => null;
}
