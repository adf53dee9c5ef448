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
}
