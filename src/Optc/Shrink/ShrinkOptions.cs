using Optc.Backends.TfLite;
using Optc.Ops.Bounds;
using Optc.Passes.Shrink;

namespace Optc.Shrink;

/// <summary>How a model is made smaller.</summary>
public sealed record ShrinkOptions
{
    /// <summary>What may be done to operators and channels; <see cref="ShrinkRules.None"/> leaves the graph as it is.</summary>
    public ShrinkRules Rules { get; init; } = ShrinkRules.All;

    /// <summary>Ways of rounding under which all outputs stay the same.</summary>
    public Roundings Roundings { get; init; } = Roundings.All;

    /// <summary>Which names stay, and which runtimes are to load the file.</summary>
    public TfLiteWriteOptions Writing { get; init; } = new(TfLiteNames.Interface);

    /// <summary>Takes the model with the fewest multiplications although another one has fewer bytes.</summary>
    public bool PreferMacs { get; init; }
}
