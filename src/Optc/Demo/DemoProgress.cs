using Optc.Training;

namespace Optc.Demo;

/// <summary>Where the demo stands.</summary>
/// <param name="Step">What is under way.</param>
/// <param name="Fit">How far training is, while it goes on.</param>
public sealed record DemoProgress(DemoStep Step, FitProgress? Fit = null);

/// <summary>The steps of the demo in their order.</summary>
public enum DemoStep
{
    /// <summary>Sounds are made.</summary>
    Synthesizing,

    /// <summary>The float model is trained.</summary>
    Training,

    /// <summary>Half of its weights become zero.</summary>
    Pruning,

    /// <summary>The others come to share values, trained for integers in the same run.</summary>
    Compressing,

    /// <summary>All models are measured.</summary>
    Measuring,
}
