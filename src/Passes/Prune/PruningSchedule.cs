using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;

namespace Optc.Passes.Prune;

/// <summary>How sparse a weight is to be over a run of training.</summary>
/// <remarks>
/// Whatever the number of steps, the last step has the final sparsity: a schedule that is not asked at its end does not
/// leave a model less sparse than was wanted, as the toolkit's does when the end is no multiple of the interval.
/// </remarks>
/// <param name="Final">Part of the elements that are zero at the end, 0 to below 1.</param>
public abstract record PruningSchedule(double Final)
{
    /// <summary>The final sparsity from the beginning on.</summary>
    public static PruningSchedule Constant(double sparsity) => new ConstantSchedule(Checked(sparsity, "final sparsity"));

    /// <summary>
    /// Rises from <paramref name="initial"/> to <paramref name="final"/> over part of the run:
    /// <c>final + (initial - final) (1 - p)^power</c> (Zhu and Gupta, "To prune, or not to prune", 2017, with power 3).
    /// </summary>
    /// <param name="begin">Part of the run, 0 to 1, before which nothing is pruned.</param>
    /// <param name="end">Part of the run at which the final sparsity is reached.</param>
    /// <exception cref="DiagnosticException">A sparsity is not 0 to below 1, the power is not positive, or the end lies before the beginning.</exception>
    public static PruningSchedule Polynomial(double final = 0.5, double power = 3, double initial = 0, double begin = 0, double end = 0.5)
    {
        Checked(final, "final sparsity");
        Checked(initial, "initial sparsity");
        return power is > 0 and < double.PositiveInfinity && begin is >= 0 and <= 1 && end is >= 0 and <= 1 && begin <= end
            ? new PolynomialSchedule(final, power, initial, begin, end)
            : throw Refused($"power {power:R}, from {begin:R} to {end:R}", "a power above 0, and a beginning and an end in 0 to 1");
    }

    /// <summary>The same course to another final sparsity.</summary>
    /// <exception cref="DiagnosticException">The sparsity is not 0 to below 1.</exception>
    public PruningSchedule To(double final) => this with { Final = Checked(final, "final sparsity") };

    /// <summary>Straight lines from point to point; before the first one nothing is pruned, from the last one on its sparsity holds.</summary>
    /// <param name="points">Parts of the run, rising from 0 to 1, with the sparsity at each.</param>
    /// <exception cref="DiagnosticException">There is no point, parts do not rise, sparsities fall, or one is not 0 to below 1.</exception>
    public static PruningSchedule Through(params ImmutableArray<(double Part, double Sparsity)> points)
    {
        for (int i = 0; i < points.Length; i++)
        {
            Checked(points[i].Sparsity, $"sparsity of point {i + 1}");
            if (points[i].Part is not (>= 0 and <= 1) || (i > 0 && points[i].Part <= points[i - 1].Part))
            {
                throw Refused($"point {i + 1} at {points[i].Part:R} of the run", "rising parts in 0 to 1");
            }

            if (i > 0 && points[i].Sparsity < points[i - 1].Sparsity)
            {
                throw Refused($"sparsity {points[i].Sparsity:R} after {points[i - 1].Sparsity:R}", "a sparsity that does not fall");
            }
        }

        return points.IsDefaultOrEmpty ? throw Refused("no points", "one point at least") : new PointSchedule(points);
    }

    /// <summary>How many of each group are dropped from one step on, while m:n is reached by way of groups that keep more: 3 of 4, 2 of 4, 1 of 4.</summary>
    /// <param name="dropped">Dropped of each group at the end; all of them from the last step on, whatever the schedule is.</param>
    /// <returns>That part of <paramref name="dropped"/> which the schedule has reached of its final sparsity, to the nearest, ties to even.</returns>
    public int DroppedAt(long step, long steps, int dropped) =>
        step >= steps ? dropped : Final == 0 ? 0 : (int)Math.Round(dropped * Math.Clamp(At(step, steps) / Final, 0, 1), MidpointRounding.ToEven);

    /// <summary>The sparsity that holds from one step on; 0 before pruning begins.</summary>
    /// <param name="step">From 0 to <paramref name="steps"/>.</param>
    /// <param name="steps">Steps of the run.</param>
    public double At(long step, long steps) => step >= steps ? Final : Before(steps == 0 ? 1 : (double)step / steps);

    /// <param name="part">Part of the run, 0 to 1.</param>
    private protected abstract double Before(double part);

    private static double Checked(double sparsity, string what) => sparsity is >= 0 and < 1
        ? sparsity
        : throw Refused($"{what} {sparsity:R}", "0 to below 1");

    private static DiagnosticException Refused(string found, string expected) => new(
        new Diagnostic(DiagnosticId.InvalidOption, "there is no such pruning schedule") { Found = found, Expected = expected });

    private sealed record ConstantSchedule(double Final) : PruningSchedule(Final)
    {
        private protected override double Before(double part) => Final;
    }

    private sealed record PolynomialSchedule(double Final, double Power, double Initial, double Begin, double End) : PruningSchedule(Final)
    {
        private protected override double Before(double part)
        {
            if (part < Begin)
            {
                return 0;
            }

            double done = End > Begin ? Math.Min(1, (part - Begin) / (End - Begin)) : 1;
            return Final + ((Initial - Final) * Math.Pow(1 - done, Power));
        }
    }

    private sealed record PointSchedule(ImmutableArray<(double Part, double Sparsity)> Points) : PruningSchedule(Points[^1].Sparsity)
    {
        private double Scale => Points[^1].Sparsity > 0 ? Final / Points[^1].Sparsity : 1;

        public override string ToString() =>
            $"through {string.Join(' ', Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Part:R}:{Scale * p.Sparsity:R}")))}";

        private protected override double Before(double part)
        {
            if (part < Points[0].Part)
            {
                return 0;
            }

            for (int i = 1; i < Points.Length; i++)
            {
                if (part < Points[i].Part)
                {
                    double done = (part - Points[i - 1].Part) / (Points[i].Part - Points[i - 1].Part);
                    return Scale * (Points[i - 1].Sparsity + (done * (Points[i].Sparsity - Points[i - 1].Sparsity)));
                }
            }

            return Final;
        }
    }
}
