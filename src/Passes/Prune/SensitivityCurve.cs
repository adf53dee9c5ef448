using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Passes.Prune;

/// <summary>What it costs to prune one weight alone.</summary>
/// <param name="Weight">Name of the weight, <see cref="PrunableWeight.Name"/>.</param>
/// <param name="Points">Sparsities, 0 to below 1, with the error (or loss) measured at each; one of them is at 0.</param>
public sealed record SensitivityCurve(string Weight, ImmutableArray<(double Sparsity, double Error)> Points)
{
    /// <summary>Prunes each weight alone to each sparsity and asks for the error.</summary>
    /// <param name="sparsities">0 to below 1; 0 is measured in any case.</param>
    /// <param name="error">
    /// The error of the model (or of the layer) with this weight under this mask and all others as they are. Called once without anything dropped.
    /// </param>
    public static ImmutableArray<SensitivityCurve> Measure(
        IReadOnlyList<PrunableWeight> weights, IEnumerable<double> sparsities, PruningCriterion criterion, Func<PrunableWeight, bool[], double> error)
    {
        double[] wanted = [.. sparsities.Where(s => s > 0).Distinct().Order()];
        double? whole = null;
        ImmutableArray<SensitivityCurve>.Builder curves = ImmutableArray.CreateBuilder<SensitivityCurve>();
        foreach (PrunableWeight weight in weights.Where(w => w.WhyFixed is null))
        {
            float[] scores = criterion.Scores(weight);
            whole ??= error(weight, PruningMask.Dropping(scores, 0));
            curves.Add(new(weight.Name, [(0, whole.Value), .. wanted.Select(s => (s, error(weight, PruningMask.Unstructured(scores, s))))]));
        }

        return curves.ToImmutable();
    }

    /// <summary>The corners of the lower convex envelope, by rising sparsity.</summary>
    /// <exception cref="DiagnosticException">There is no point at 0, or a point is not finite or out of range.</exception>
    internal ImmutableArray<(double Sparsity, double Error)> Envelope()
    {
        if (!Points.Any(p => p.Sparsity == 0) || Points.Any(p => p.Sparsity is not (>= 0 and < 1) || !double.IsFinite(p.Error)))
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, $"the sensitivity of '{Weight}' cannot be used")
            {
                Found = string.Join(", ", Points.Select(p => FormattableString.Invariant($"{p.Sparsity}: {p.Error}"))),
                Expected = "finite errors at sparsities from 0 to below 1, one of them 0",
            });
        }

        List<(double Sparsity, double Error)> corners = [];
        foreach ((double Sparsity, double Error) point in Points.GroupBy(p => p.Sparsity).Select(g => g.MinBy(p => p.Error)).OrderBy(p => p.Sparsity))
        {
            while (corners.Count > 1 && Slope(corners[^2], corners[^1]) >= Slope(corners[^1], point))
            {
                corners.RemoveAt(corners.Count - 1);
            }

            corners.Add(point);
        }

        return [.. corners];
    }

    internal static double Slope((double Sparsity, double Error) from, (double Sparsity, double Error) to) =>
        (to.Error - from.Error) / (to.Sparsity - from.Sparsity);
}
