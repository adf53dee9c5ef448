using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Fold;
using Optc.Passes.Quantize;

namespace Optc.Passes.Prune;

/// <summary>What is to become of a group of channels.</summary>
/// <param name="Removed">In the order of the group; none when <see cref="Reason"/> says why.</param>
/// <param name="Reason">Why the group is left alone; <see langword="null"/> when it is pruned.</param>
public sealed record PlannedChannels(ChannelGroup Group, ImmutableArray<TiedChannel> Removed, string? Reason);

/// <summary>Which channels of a model are removed: those of the smallest weights.</summary>
/// <remarks>
/// A channel scores the mean score of the weights that make it, times the factor that a product behind the layer applies to it, summed over the
/// layers of its group. Source: Li et al., "Pruning filters for efficient ConvNets", 2017; the factor of a normalization as in Liu et al.,
/// "Learning efficient convolutional networks through network slimming", 2017.
/// </remarks>
/// <param name="Fraction">Part of the channels that is removed, 0 to below 1.</param>
public sealed record ChannelChoice(double Fraction)
{
    /// <summary>
    /// True ranks the channels of all groups together, each by its score over the mean score of its group; else every group loses the same part.
    /// </summary>
    public bool Global { get; init; }

    /// <summary>Each group keeps a multiple of this number if it can, rounded up: kernels compute some channels at a time.</summary>
    public int Multiple { get; init; } = 1;

    /// <summary>Regular expression found in the name of one of the layers of each group that is pruned; all when <see langword="null"/>.</summary>
    public string? Only { get; init; }

    /// <summary>Regular expression for layers whose groups are left alone; none when <see langword="null"/>.</summary>
    public string? Except { get; init; }

    /// <summary>Chooses channels of every group; those that tie with the last one are kept first to last.</summary>
    /// <param name="criterion">Scores of single weights; magnitudes when left out.</param>
    /// <exception cref="DiagnosticException">No group can be pruned.</exception>
    public ImmutableArray<PlannedChannels> Choose(ChannelGroups groups, PruningCriterion? criterion = null)
    {
        if (Fraction is not (>= 0 and < 1))
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "this part of the channels cannot be removed")
            {
                Found = FormattableString.Invariant($"{Fraction}"),
                Expected = "0 to below 1",
            });
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(Multiple, 1);
        ImmutableArray<string?> reasons = Reasons(groups);
        ImmutableArray<(ChannelGroup Group, float[] Scores)> chosen =
        [
            .. groups.All.Zip(reasons).Where(p => p.Second is null).Select(p => (p.First, Scores(groups.Graph, p.First, criterion ?? PruningCriterion.Magnitude))),
        ];
        if (chosen.IsEmpty)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.RuleMatchesNothing, "there are no channels to remove")
            {
                Found = string.Join("; ", groups.All.Zip(reasons).Select(p => $"'{p.First.Name}': {p.Second}").Distinct()),
            });
        }

        int[] kept = Global
            ? TogetherKept([.. chosen.Select(c => c.Scores)])
            : [.. chosen.Select(c => (int)Math.Round(c.Scores.Length * (1 - Fraction), MidpointRounding.ToEven))];
        Dictionary<ChannelGroup, ImmutableArray<TiedChannel>> removed = [];
        for (int i = 0; i < kept.Length; i++)
        {
            int count = chosen[i].Scores.Length;
            int wanted = Math.Min(count, (Math.Max(1, kept[i]) + Multiple - 1) / Multiple * Multiple);
            bool[] mask = PruningMask.Dropping(chosen[i].Scores, count - wanted);
            removed.Add(chosen[i].Group, [.. chosen[i].Group.Channels.Where((_, k) => !mask[k])]);
        }

        return [.. groups.All.Zip(reasons).Select(p => new PlannedChannels(p.First, removed.GetValueOrDefault(p.First, []), p.Second))];
    }

    /// <summary>The score of each channel of a group.</summary>
    internal static float[] Scores(Graph graph, ChannelGroup group, PruningCriterion criterion)
    {
        double[] scores = new double[group.Channels.Length];
        Dictionary<Value, PrunableWeight> weights = PrunableWeight.Of(graph).ToDictionary(w => w.Source!);
        foreach (Node node in group.Makers)
        {
            if (!weights.TryGetValue(node.Inputs[1]!, out PrunableWeight? weight) || weight.WhyFixed is { })
            {
                throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, $"the channels of '{group.Name}' have no scores")
                {
                    At = [node.ToString()],
                    Found = weight?.WhyFixed ?? "no weights",
                });
            }

            double[] sums = new double[weight.Kernel.Outputs];
            float[] single = criterion.Scores(weight);
            for (int i = 0; i < single.Length; i++)
            {
                sums[weight.Kernel.OutputOf(i)] += (double)single[i] * weight.Kernel.Outputs / single.Length;
            }

            double[] factors = Factors(graph, node, sums.Length);
            for (int i = 0; i < scores.Length; i++)
            {
                scores[i] += group.Channels[i].Makers.Where(m => m.Node == node).Sum(m => sums[m.Output] * factors[m.Output]);
            }
        }

        return Array.ConvertAll(scores, s => (float)s);
    }

    /// <summary>Magnitudes of the factors by which products directly behind a layer scale its channels.</summary>
    private static double[] Factors(Graph graph, Node layer, int channels)
    {
        double[] factors = new double[channels];
        Array.Fill(factors, 1);
        Value value = layer.Outputs[0];
        while (value.UseCount == 1 && !graph.IsOutput(value) && AffineStep.Of(value.Users[0], out _) is { Activation: Ops.Kernels.FusedActivation.None } step
            && step.Node.Op is Mul or Div)
        {
            double[] own = step.Factors(channels);
            for (int i = 0; i < channels; i++)
            {
                factors[i] *= Math.Abs(own[i]);
            }

            value = step.Node.Output;
        }

        return factors;
    }

    private ImmutableArray<string?> Reasons(ChannelGroups groups)
    {
        LayerRule? only = Only is null ? null : new(Only);
        LayerRule? except = Except is null ? null : new(Except);
        return
        [
            .. groups.All.Select(g => g.WhyFixed is { } reason ? reason
                : only is not null && !g.Makers.Any(m => only.Matches(m.Name)) ? $"no layer of it matches {only}"
                : except is not null && g.Makers.Any(m => except.Matches(m.Name)) ? $"a layer of it matches {except}, left out by choice"
                : null),
        ];
    }

    private int[] TogetherKept(ImmutableArray<float[]> scores)
    {
        float[] all = new float[scores.Sum(s => s.Length)];
        int start = 0;
        foreach (float[] group in scores)
        {
            double mean = group.Average(s => (double)s);
            for (int i = 0; i < group.Length; i++)
            {
                all[start + i] = mean > 0 ? (float)(group[i] / mean) : 0;
            }

            // One of each group stays.
            all[start + Array.IndexOf(group, group.Max())] = float.PositiveInfinity;
            start += group.Length;
        }

        int keep = Math.Max(scores.Length, (int)Math.Round(all.Length * (1 - Fraction), MidpointRounding.ToEven));
        bool[] mask = PruningMask.Dropping(all, all.Length - keep);
        int[] kept = new int[scores.Length];
        start = 0;
        for (int i = 0; i < kept.Length; i++)
        {
            kept[i] = mask.AsSpan(start, scores[i].Length).Count(true);
            start += scores[i].Length;
        }

        return kept;
    }
}
