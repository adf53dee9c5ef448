using System.Collections.Immutable;
using Optc.Ir;
using Optc.Passes.Quantize;

namespace Optc.Report;

/// <summary>How far two models are apart on data: a model and its quantized form, or one model under two roundings.</summary>
/// <remarks>
/// Plain data: <see cref="ComparisonText"/> and <see cref="ReportJson"/> print it with the same names. The result does not
/// depend on the number of threads.
/// </remarks>
/// <param name="Samples">Samples that both models ran, each from a fresh state.</param>
/// <param name="RoundingA">Rounding profile of the first model, in lower case.</param>
/// <param name="RoundingB">Rounding profile of the second model.</param>
/// <param name="Outputs">One entry for each output, in order.</param>
/// <param name="Layers">
/// Values of the main graphs that have one name in both, in the order of the second model; empty unless asked for. Values
/// that share a name are matched in order where both models have as many; outputs whose names differ, by position.
/// </param>
/// <param name="Unmatched">Layers that could not be compared; empty unless asked for.</param>
public sealed record Comparison(
    long Samples,
    string RoundingA,
    string RoundingB,
    ImmutableArray<DifferenceEntry> Outputs,
    ImmutableArray<DifferenceEntry> Layers,
    ImmutableArray<UnmatchedEntry> Unmatched)
{
    /// <summary>True when every output has the same type and the same bits in both models.</summary>
    public bool BitExact => Outputs.All(o => o.BitExact == true);

    /// <summary>Runs both models over the same samples.</summary>
    /// <param name="a">The reference: signal of the signal-to-noise ratio.</param>
    /// <param name="samples">Inputs that fit both models; see <see cref="SampleReader"/> for what is converted.</param>
    /// <exception cref="DiagnosticException">
    /// A model cannot be executed, the outputs do not correspond, or data are missing or do not fit.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static Comparison Of(
        Module a, Module b, ICalibrationSource samples, ComparisonOptions? comparison = null, WorkOptions? options = null)
    {
        using Comparer comparer = new(a, b, comparison ?? ComparisonOptions.Default, options ?? WorkOptions.Default);
        return comparer.Run(samples);
    }

    /// <summary>The report as aligned text, see <see cref="ComparisonText"/>.</summary>
    public override string ToString() => ComparisonText.Of(this).ToString();
}

/// <summary>How far two values are apart, in real units, over all samples.</summary>
/// <param name="Name">Name in the second model.</param>
/// <param name="Op">The operator of the second model that computes it; <see langword="null"/> for an input.</param>
/// <param name="TypeA">Element type in the first model.</param>
/// <param name="TypeB">Element type in the second model.</param>
/// <param name="Elements">Elements compared, those of all samples.</param>
/// <param name="MaxAbs">Largest difference. NaN, here and below, where a number stands against NaN.</param>
/// <param name="MeanAbs">Mean of the absolute differences.</param>
/// <param name="Rmse">Root of the mean squared difference.</param>
/// <param name="Sqnr">Signal to noise, dB: <c>10 log10(sum a^2 / sum (a - b)^2)</c>; infinite for equal values.</param>
/// <param name="BitExact">Whether all bits agree; <see langword="null"/> where types or grids differ.</param>
/// <param name="MaxCodeDifference">Largest difference of integer codes; <see langword="null"/> for floats and unequal types.</param>
/// <param name="ArgMaxAgreement">
/// Percent of the vectors along the last axis whose first largest element is the same; <see langword="null"/> for vectors of
/// less than two, and for layers.
/// </param>
public sealed record DifferenceEntry(
    string Name,
    string? Op,
    string TypeA,
    string TypeB,
    long Elements,
    double MaxAbs,
    double MeanAbs,
    double Rmse,
    double Sqnr,
    bool? BitExact,
    long? MaxCodeDifference,
    double? ArgMaxAgreement);

/// <summary>A layer without a partner.</summary>
/// <param name="Model"><c>a</c> or <c>b</c>.</param>
/// <param name="Name">Name of the value.</param>
/// <param name="Reason">Why there is nothing to compare.</param>
public sealed record UnmatchedEntry(string Model, string Name, string Op, string Reason);
