namespace Optc;

/// <summary>Which arrays of a file are inputs and which are labels.</summary>
public sealed record DatasetOptions
{
    public static DatasetOptions Default { get; } = new();

    /// <summary>
    /// Array of an archive that holds the inputs. Left out: the array <c>x</c>; if there is none, every array that is not
    /// the labels.
    /// </summary>
    public string? X { get; init; }

    /// <summary>
    /// Array of an archive that holds the labels, else a file (<c>.npy</c>, IDX). Left out: the array <c>y</c>, if there is one.
    /// </summary>
    public string? Y { get; init; }

    /// <summary>Array of an archive that holds a weight for the loss of each sample, [N]; negative ones are allowed.</summary>
    public string? Weights { get; init; }

    /// <summary>The first axis of a sample is time: one invocation of the model for each slice, from a fresh state.</summary>
    public bool Sequence { get; init; }
}
