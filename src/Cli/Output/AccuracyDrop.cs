using System.Globalization;

namespace Optc.Cli.Output;

/// <summary>Accuracy of a model before and after a change, on the same data.</summary>
internal sealed record AccuracyDrop(Evaluation Before, Evaluation After)
{
    /// <summary>What was lost, in percentage points; negative for a gain.</summary>
    public double Points => 100 * (Before.Value - After.Value);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{100 * Before.Value:F2} % -> {100 * After.Value:F2} % of {After.Samples} samples, a drop of {Points:F2} points");
}
