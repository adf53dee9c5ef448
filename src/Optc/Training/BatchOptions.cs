using System.Collections.Immutable;
using Optc.Training.Augmentations;

namespace Optc.Training;

/// <summary>How samples become batches.</summary>
public sealed record BatchOptions
{
    /// <summary>Samples in a batch, at least 1.</summary>
    public int Size { get; init; } = 32;

    /// <summary>Of order and augmentation.</summary>
    public ulong Seed { get; init; }

    /// <summary>False gives the samples in ascending order in every epoch.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Leaves out the last batch of an epoch when it is not full.</summary>
    public bool DropLast { get; init; }

    /// <summary>In the order in which they are applied; none for validation.</summary>
    public ImmutableArray<Augmentation> Augmentations { get; init; } = [];

    /// <summary>Applied to the first input, after the augmentations.</summary>
    public Normalization? Normalization { get; init; }

    /// <summary>
    /// Gives classes as scores, 1 and 0. Mixing augmentations that mix labels do so anyway.
    /// </summary>
    public bool SoftTargets { get; init; }
}

/// <summary>Where a source of batches stands: all that a resumed run needs to know of it.</summary>
/// <param name="Epoch">Counted from 0.</param>
/// <param name="Sample">Samples of this epoch that have been given out.</param>
public readonly record struct BatchPosition(int Epoch, int Sample);
