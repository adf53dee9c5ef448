using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Training;

/// <summary>What a label is.</summary>
public enum TargetKind
{
    /// <summary>There are no labels.</summary>
    None,

    /// <summary>One class for each sample, numbered from 0.</summary>
    Classes,

    /// <summary>Numbers for each sample: scores of classes, or what a regression estimates.</summary>
    Values,
}

/// <summary>What a model and its loss expect of data.</summary>
public sealed record TrainingDataOptions
{
    public static TrainingDataOptions Default { get; } = new();

    /// <summary>
    /// Shape of one sample for each input of the model, without the batch. Default: as the data are. Data fit when they
    /// are equal but for dimensions of 1 in front or at the end: [28, 28] fits [28, 28, 1].
    /// </summary>
    public ImmutableArray<Shape> InputShapes { get; init; } = [];

    /// <summary>
    /// Lets samples of other sizes fit <see cref="InputShapes"/>: they are put in the middle, with zeros around them, and what is too
    /// much is cut off on both sides. Recordings of any length, or pictures of 28x28 for a model of 32x32. Channels have to be equal.
    /// </summary>
    public bool FitSize { get; init; }

    /// <summary>
    /// Left out: classes when the labels are integers, one for each sample, values otherwise. Numbers such as 3.0 are
    /// classes only when this says so.
    /// </summary>
    public TargetKind? Targets { get; init; }

    /// <summary>Number of classes that the model tells apart; left out: one more than the largest label.</summary>
    public int? Classes { get; init; }

    /// <summary>False refuses data in which a class has no sample.</summary>
    public bool AllowEmptyClasses { get; init; }

    /// <summary>Bytes of rows that are kept in memory, in the element type of the data.</summary>
    public long MemoryLimit { get; init; } = 2L << 30;
}
