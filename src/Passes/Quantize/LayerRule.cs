using System.Text.RegularExpressions;
using Optc.Ir;

namespace Optc.Passes.Quantize;

/// <summary>Settings for the layers whose names a regular expression matches, anywhere in the name.</summary>
/// <remarks>A setting that is <see langword="null"/> leaves what the recipe or an earlier rule says.</remarks>
public sealed record LayerRule
{
    // A pattern comes from the user; matching in linear time keeps a slow one from hanging the compiler.
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private readonly Regex _regex;

    /// <exception cref="DiagnosticException">The pattern is no regular expression, or uses look-around or back references.</exception>
    public LayerRule(string pattern)
    {
        Pattern = pattern;
        try
        {
            _regex = new(pattern, Options);
        }
        catch (Exception problem) when (problem is ArgumentException or NotSupportedException)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "the pattern of a layer rule cannot be used")
            {
                Found = $"'{pattern}'",
                Expected = "a regular expression without look-around and back references",
                Hint = problem.Message,
            });
        }
    }

    public string Pattern { get; }

    /// <summary>The layer stays as it is.</summary>
    public bool? KeepFloat { get; init; }

    /// <summary>Why; shown in the report.</summary>
    public string? Because { get; init; }

    public WeightGranularity? Weights { get; init; }

    /// <summary>How the ranges of the layer's results are found.</summary>
    public RangeEstimator? Estimator { get; init; }

    /// <summary>i8 or i16.</summary>
    public DType? Activations { get; init; }

    public bool Matches(string layer) => _regex.IsMatch(layer);

    public override string ToString() => $"'{Pattern}'";
}
