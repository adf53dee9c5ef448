using Optc.Ops.Kernels;

namespace Optc.Report;

/// <summary>What a <see cref="Comparison"/> looks at.</summary>
public sealed record ComparisonOptions
{
    public static ComparisonOptions Default { get; } = new();

    /// <summary>Compares the values between the layers too.</summary>
    public bool PerLayer { get; init; }

    /// <summary>Whose rounding the first model is run with; that of <see cref="WorkOptions"/> when left out.</summary>
    public RoundingProfile? RoundingA { get; init; }

    /// <summary>The same for the second model.</summary>
    public RoundingProfile? RoundingB { get; init; }
}
