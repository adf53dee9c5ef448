using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;
using Optc.Passes.Quantize;

namespace Optc.Passes.Prune;

/// <summary>The sparsity of the weights whose names a regular expression matches, anywhere in the name.</summary>
/// <param name="Sparsity">0 to below 1.</param>
public sealed record LayerSparsity(string Pattern, double Sparsity);

/// <summary>How the zeros of a model are spread over its weights.</summary>
/// <remarks>
/// Whatever the distribution, the pruned weights together keep exactly <c>round(count * (1 - sparsity))</c> numbers, ties to even. What a
/// layer gets in parts of a number is rounded by largest remainder (of equal ones the first), and at least one number of each weight stays.
/// </remarks>
public abstract record SparsityDistribution
{
    private protected SparsityDistribution()
    {
    }

    /// <summary>The same sparsity in every weight.</summary>
    public static SparsityDistribution Uniform { get; } = new UniformDistribution();

    /// <summary>
    /// The numbers with the smallest scores of the whole model, wherever they are; of equal scores the last go first. Magnitudes of different
    /// layers compare only when normalized: <see cref="PruningCriterion.NormalizedMagnitude"/>.
    /// </summary>
    public static SparsityDistribution Global { get; } = new GlobalDistribution();

    /// <summary>
    /// Small weights are pruned less: the density of a kernel is proportional to <c>(I + O + KH + KW) / (I O KH KW)</c>; those that would get
    /// more than all stay whole, and the others share the rest.
    /// </summary>
    /// <remarks>
    /// Source: Mocanu et al., "Scalable training of artificial neural networks with adaptive sparse connectivity inspired by network science",
    /// Nature Communications 2018; with the size of the kernel as in Evci et al., "Rigging the lottery: making all tickets winners", 2020.
    /// </remarks>
    public static SparsityDistribution ErdosRenyiKernel { get; } = new ErdosRenyiDistribution();

    /// <summary>A sparsity of its own for each weight that a rule names (the last one that matches), the sparsity of the model for the others.</summary>
    /// <exception cref="DiagnosticException">A pattern is no regular expression, or a sparsity is not 0 to below 1.</exception>
    public static SparsityDistribution PerLayer(params ImmutableArray<LayerSparsity> rules) => new RuleDistribution(rules);

    /// <summary>The least sum of errors at the sparsity of the model, by the errors that were measured for each weight alone.</summary>
    /// <remarks>
    /// Errors count as independent and, between measured points, as their lower convex envelope, for which taking the cheapest zeros first is the
    /// exact optimum. No weight becomes sparser than it was measured.
    /// </remarks>
    public static SparsityDistribution Sensitivity(params ImmutableArray<SensitivityCurve> curves) => new SensitivityDistribution(curves);

    /// <summary>Spreads the zeros.</summary>
    /// <param name="weights">All weights of the model; what is left alone keeps its place in the plan.</param>
    /// <param name="sparsity">Wanted in the pruned weights together at the end of a schedule, 0 to below 1.</param>
    /// <param name="criterion">Which numbers go; magnitudes when left out.</param>
    /// <param name="part">How much of that sparsity is wanted now, 0 to 1, while a schedule rises; rules for single layers rise alike.</param>
    /// <exception cref="DiagnosticException">No weight is left to be pruned, a rule matches none, or the sparsity cannot be reached.</exception>
    public SparsityPlan Plan(
        IReadOnlyList<PrunableWeight> weights, double sparsity, PruningSelection? selection = null, PruningCriterion? criterion = null, double part = 1)
    {
        if (sparsity is not (>= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(sparsity), sparsity, "A sparsity is 0 to below 1.");
        }

        if (part is not (>= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(part), part, "A part is 0 to 1.");
        }

        ImmutableArray<string?> reasons = (selection ?? PruningSelection.Default).Reasons(weights);
        ImmutableArray<ScoredWeight> chosen =
        [
            .. weights.Zip(reasons).Where(p => p.Second is null).Select(p => new ScoredWeight(p.First, (criterion ?? PruningCriterion.Magnitude).Scores(p.First))),
        ];
        if (chosen.IsEmpty)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.RuleMatchesNothing, "there is no weight to prune")
            {
                Found = string.Join("; ", weights.Zip(reasons).Select(p => $"'{p.First.Name}': {p.Second}")),
            });
        }

        int[] kept = Kept(chosen, sparsity, part);
        int next = 0;
        return new(
        [
            .. weights.Zip(reasons).Select(p => p.Second is { } reason
                ? new PlannedSparsity(p.First, 0, reason)
                : new PlannedSparsity(p.First, chosen[next].Scores, p.First.Values.Length - kept[next++])),
        ]);
    }

    /// <summary>How many numbers of each weight stay.</summary>
    private protected abstract int[] Kept(ImmutableArray<ScoredWeight> weights, double sparsity, double part);

    private static long Total(ImmutableArray<ScoredWeight> weights, double kept) =>
        Math.Max(weights.Length, (long)Math.Round(kept, MidpointRounding.ToEven));

    private static double Count(ImmutableArray<ScoredWeight> weights) => weights.Sum(w => (double)w.Count);

    /// <summary>Whole numbers near the wanted ones, from 1 to the size of each weight, with the given sum.</summary>
    private static int[] Share(ImmutableArray<ScoredWeight> weights, double[] wanted, long total)
    {
        int[] kept = [.. weights.Select((w, i) => Math.Clamp((int)Math.Floor(wanted[i]), 1, w.Count))];
        for (long missing = total - kept.Sum(k => (long)k); missing != 0; missing -= Math.Sign(missing))
        {
            int step = Math.Sign(missing);
            int best = -1;
            for (int i = 0; i < kept.Length; i++)
            {
                bool hasRoom = step > 0 ? kept[i] < weights[i].Count : kept[i] > 1;
                if (hasRoom && (best < 0 || step * (wanted[i] - kept[i]) > step * (wanted[best] - kept[best])))
                {
                    best = i;
                }
            }

            kept[best] += step;
        }

        return kept;
    }

    private protected sealed record ScoredWeight(PrunableWeight Weight, float[] Scores)
    {
        public int Count => Scores.Length;
    }

    private sealed record UniformDistribution : SparsityDistribution
    {
        private protected override int[] Kept(ImmutableArray<ScoredWeight> weights, double sparsity, double part)
        {
            double density = 1 - (sparsity * part);
            return Share(weights, [.. weights.Select(w => w.Count * density)], Total(weights, Count(weights) * density));
        }
    }

    private sealed record GlobalDistribution : SparsityDistribution
    {
        private protected override int[] Kept(ImmutableArray<ScoredWeight> weights, double sparsity, double part)
        {
            float[] scores = new float[weights.Sum(w => w.Count)];
            int start = 0;
            foreach (ScoredWeight weight in weights)
            {
                weight.Scores.CopyTo(scores, start);
                int best = start;
                for (int i = start; i < start + weight.Count; i++)
                {
                    best = scores[i] > scores[best] || float.IsNaN(scores[best]) ? i : best;
                }

                scores[best] = float.PositiveInfinity;
                start += weight.Count;
            }

            bool[] mask = PruningMask.Dropping(scores, (int)(scores.Length - Total(weights, scores.Length * (1 - (sparsity * part)))));
            int[] kept = new int[weights.Length];
            start = 0;
            for (int i = 0; i < kept.Length; i++)
            {
                kept[i] = mask.AsSpan(start, weights[i].Count).Count(true);
                start += weights[i].Count;
            }

            return kept;
        }
    }

    private sealed record ErdosRenyiDistribution : SparsityDistribution
    {
        private protected override int[] Kept(ImmutableArray<ScoredWeight> weights, double sparsity, double part)
        {
            double total = Count(weights) * (1 - (sparsity * part));
            double[] links = [.. weights.Select(w => (double)w.Weight.Kernel.Inputs + w.Weight.Kernel.Outputs + w.Weight.Kernel.Height + w.Weight.Kernel.Width)];
            bool[] whole = new bool[weights.Length];
            double[] kept = new double[weights.Length];
            bool changed = true;
            while (changed)
            {
                double left = total;
                double sum = 0;
                for (int i = 0; i < kept.Length; i++)
                {
                    (left, sum) = whole[i] ? (left - weights[i].Count, sum) : (left, sum + links[i]);
                }

                changed = false;
                for (int i = 0; i < kept.Length; i++)
                {
                    kept[i] = whole[i] ? weights[i].Count : left / sum * links[i];
                    if (kept[i] > weights[i].Count)
                    {
                        (whole[i], changed) = (true, true);
                    }
                }
            }

            return Share(weights, kept, Total(weights, total));
        }
    }

    private sealed record RuleDistribution : SparsityDistribution
    {
        private readonly ImmutableArray<(LayerRule Rule, double Sparsity)> _rules;

        public RuleDistribution(ImmutableArray<LayerSparsity> rules)
        {
            if (rules.FirstOrDefault(r => r.Sparsity is not (>= 0 and < 1)) is { } wrong)
            {
                throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, $"a layer cannot have this sparsity, '{wrong.Pattern}'")
                {
                    Found = FormattableString.Invariant($"{wrong.Sparsity}"),
                    Expected = "0 to below 1",
                });
            }

            _rules = [.. rules.Select(r => (new LayerRule(r.Pattern), r.Sparsity))];
        }

        private protected override int[] Kept(ImmutableArray<ScoredWeight> weights, double sparsity, double part)
        {
            foreach ((LayerRule rule, _) in _rules)
            {
                if (!weights.Any(w => rule.Matches(w.Weight.Name)))
                {
                    throw new DiagnosticException(new Diagnostic(DiagnosticId.RuleMatchesNothing, "a sparsity is given for layers that are not pruned")
                    {
                        Found = rule.ToString(),
                        Expected = $"a pattern found in one of {string.Join(", ", weights.Select(w => $"'{w.Weight.Name}'"))}",
                    });
                }
            }

            double[] kept = [.. weights.Select(w => w.Count * (1 - (part * (SparsityOf(w.Weight) ?? sparsity))))];
            return Share(weights, kept, Total(weights, kept.Sum()));
        }

        public override string ToString() =>
            $"per layer {string.Join(' ', _rules.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Rule}:{r.Sparsity:R}")))}";

        private double? SparsityOf(PrunableWeight weight)
        {
            double? sparsity = null;
            foreach ((LayerRule rule, double own) in _rules)
            {
                sparsity = rule.Matches(weight.Name) ? own : sparsity;
            }

            return sparsity;
        }
    }

    private sealed record SensitivityDistribution(ImmutableArray<SensitivityCurve> Curves) : SparsityDistribution
    {
        private protected override int[] Kept(ImmutableArray<ScoredWeight> weights, double sparsity, double part)
        {
            double[] kept = [.. weights.Select(w => (double)w.Count)];
            List<(double Price, int Weight, double Zeros)> offers = [];
            for (int i = 0; i < kept.Length; i++)
            {
                ImmutableArray<(double Sparsity, double Error)> corners = CurveOf(weights[i].Weight).Envelope();
                for (int k = 1; k < corners.Length; k++)
                {
                    offers.Add((SensitivityCurve.Slope(corners[k - 1], corners[k]) / kept[i], i, (corners[k].Sparsity - corners[k - 1].Sparsity) * kept[i]));
                }
            }

            double wanted = Count(weights) * sparsity * part;
            double offered = offers.Sum(o => o.Zeros);
            if (wanted > offered + 0.5)
            {
                throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "the sensitivities were not measured up to this sparsity of the model")
                {
                    Found = FormattableString.Invariant($"{sparsity * part}"),
                    Expected = FormattableString.Invariant($"at most {offered / Count(weights)}"),
                });
            }

            double left = wanted;
            foreach ((_, int weight, double zeros) in offers.OrderBy(o => o.Price))
            {
                double taken = Math.Min(left, zeros);
                kept[weight] -= taken;
                left -= taken;
            }

            return Share(weights, kept, Total(weights, Count(weights) - wanted));
        }

        public override string ToString() => $"sensitivity {string.Join(' ', Curves.Select(c =>
            $"{c.Weight} {string.Join(',', c.Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Sparsity:R}:{p.Error:R}")))}"))}";

        private SensitivityCurve CurveOf(PrunableWeight weight) => Curves.FirstOrDefault(c => c.Weight == weight.Name)
            ?? throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "a weight that is to be pruned has no measured sensitivity")
            {
                Found = $"'{weight.Name}'",
                Expected = $"one of {string.Join(", ", Curves.Select(c => $"'{c.Weight}'"))}, or a selection without it",
            });
    }
}
