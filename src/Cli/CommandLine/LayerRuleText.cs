using System.Collections.Immutable;
using Optc.Ir;
using Optc.Passes.Quantize;

namespace Optc.Cli.CommandLine;

/// <summary>A per-layer rule as a word of the command line: <c>REGEX: SETTING[, SETTING]</c>.</summary>
internal static class LayerRuleText
{
    public const string Syntax = "'REGEX: SETTING[, SETTING]' with the settings keep-float, estimator=NAME, activations=int8|int16, weights=per-tensor|per-channel";

    private const string Separator = ": ";

    /// <exception cref="DiagnosticException">The text is no rule.</exception>
    public static LayerRule Parse(string text)
    {
        int colon = text.LastIndexOf(Separator, StringComparison.Ordinal);
        if (colon <= 0)
        {
            throw Problem([$"rule '{text}'"], $"no '{Separator}' between pattern and settings");
        }

        LayerRule rule = new(text[..colon]);
        foreach (string setting in text[(colon + Separator.Length)..].Split(',', StringSplitOptions.TrimEntries))
        {
            (string key, string? value) = setting.Split('=', 2) is [var name, var given] ? (name, given) : (setting, null);
            rule = With(rule, key, value, [$"rule '{text}'"]);
        }

        return rule;
    }

    /// <summary>The rule with one more setting.</summary>
    /// <param name="at">Where the setting stands, for the diagnostic.</param>
    /// <exception cref="DiagnosticException">There is no such setting, or not with this value.</exception>
    public static LayerRule With(LayerRule rule, string key, string? value, ImmutableArray<string> at) => (key, value) switch
    {
        ("keep-float", null or "true") => rule with { KeepFloat = true },
        ("keep-float", "false") => rule with { KeepFloat = false },
        ("because", { Length: > 0 }) => rule with { Because = value },
        ("estimator", { Length: > 0 }) => rule with { Estimator = RangeEstimator.Parse(value) },
        ("activations", "int8") => rule with { Activations = DType.I8 },
        ("activations", "int16") => rule with { Activations = DType.I16 },
        ("weights", "per-tensor") => rule with { Weights = WeightGranularity.PerTensor },
        ("weights", "per-channel") => rule with { Weights = WeightGranularity.PerChannel },
        _ => throw Problem(at, value is null ? $"'{key}'" : $"'{key}={value}'"),
    };

    private static DiagnosticException Problem(ImmutableArray<string> at, string found) => new(new Diagnostic(DiagnosticId.InvalidOption, "a per-layer rule cannot be read")
    {
        At = at,
        Found = found,
        Expected = Syntax,
    });
}
