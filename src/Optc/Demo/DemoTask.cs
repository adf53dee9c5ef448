using System.Collections.Immutable;

namespace Optc.Demo;

/// <summary>The data of the demo: sounds that are synthesised, so that neither a file nor a licence is needed.</summary>
/// <param name="Train">Sounds that <see cref="DemoModel"/> is fitted to.</param>
/// <param name="Calibration">Sounds for the ranges of activations.</param>
/// <param name="Test">Sounds that neither of the others holds.</param>
public sealed record DemoTask(LabelledSounds Train, LabelledSounds Calibration, LabelledSounds Test)
{
    private const int TrainCount = 1200;
    private const int CalibrationCount = 100;
    private const int TestCount = 500;
    private const ulong CalibrationSeed = 1_000_000;
    private const ulong TestSeed = 2_000_000;

    /// <summary>Names of the classes by index.</summary>
    public static ImmutableArray<string> ClassNames { get; } = ["smoke alarm", "siren", "speech-like", "noise", "silence"];

    /// <summary>1,200 sounds for training, 100 for calibration, 500 for the test, as many of each class.</summary>
    /// <param name="threads">At least 1; the result does not depend on it.</param>
    /// <exception cref="OperationCanceledException">Cancelled between two sounds.</exception>
    public static DemoTask Create(int threads = 1, CancellationToken cancellation = default) => new(
        LabelledSounds.Synthesize(0, TrainCount, threads, cancellation),
        LabelledSounds.Synthesize(CalibrationSeed, CalibrationCount, threads, cancellation),
        LabelledSounds.Synthesize(TestSeed, TestCount, threads, cancellation));
}
