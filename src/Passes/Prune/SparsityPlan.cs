using System.Collections.Immutable;

namespace Optc.Passes.Prune;

/// <summary>How many numbers of each weight of a model are to be zero.</summary>
/// <param name="Layers">One for each weight that was given, in the same order.</param>
public sealed record SparsityPlan(ImmutableArray<PlannedSparsity> Layers)
{
    /// <summary>Zeros in the weights that are pruned.</summary>
    public long Zeros => Layers.Sum(l => (long)l.Zeros);

    /// <summary>Numbers in the weights that are pruned.</summary>
    public long Count => Layers.Where(l => l.Reason is null).Sum(l => (long)l.Weight.Values.Length);

    /// <summary>Zeros as part of the weights that are pruned.</summary>
    public double Sparsity => Count == 0 ? 0 : (double)Zeros / Count;
}

/// <summary>How many numbers of a weight are to be zero, or why none.</summary>
/// <param name="Zeros">Below the number of elements: at least one stays.</param>
/// <param name="Reason">Why the weight is left alone; <see langword="null"/> when it is pruned.</param>
public sealed record PlannedSparsity(PrunableWeight Weight, int Zeros, string? Reason)
{
    private readonly float[] _scores = [];

    internal PlannedSparsity(PrunableWeight weight, float[] scores, int zeros)
        : this(weight, zeros, Reason: null) => _scores = scores;

    /// <summary>Zeros as part of the elements.</summary>
    public double Sparsity => Weight.Values.IsEmpty ? 0 : (double)Zeros / Weight.Values.Length;

    /// <summary>The mask that drops exactly <see cref="Zeros"/> elements, those with the smallest scores; all true for a weight that is left alone.</summary>
    public bool[] Mask()
    {
        if (Reason is null)
        {
            return PruningMask.Dropping(_scores, Zeros);
        }

        bool[] all = new bool[Weight.Values.Length];
        Array.Fill(all, true);
        return all;
    }
}
