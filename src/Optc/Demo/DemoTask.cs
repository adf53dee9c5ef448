using System.Collections.Immutable;

namespace Optc.Demo;

/// <summary>The data of the demo: sounds that are synthesised, so that neither a file nor a licence is needed.</summary>
/// <param name="Train">Sounds that the classifier learns from.</param>
/// <param name="Test">Others, that nothing is chosen by.</param>
public sealed record DemoTask(LabelledSounds Train, LabelledSounds Test)
{
    private const ulong TestSeed = 2_000_000;

    /// <summary>Names of the classes by index.</summary>
    public static ImmutableArray<string> ClassNames { get; } = ["smoke alarm", "siren", "speech-like", "noise", "silence"];

    /// <summary>Sounds of the five classes in turn.</summary>
    /// <param name="train">Sounds for training.</param>
    /// <param name="test">Sounds for the test.</param>
    /// <param name="threads">At least 1; the result does not depend on it.</param>
    /// <param name="cancellation">Ends the work between two sounds.</param>
    /// <exception cref="OperationCanceledException">Cancelled between two sounds.</exception>
    public static DemoTask Create(int train, int test, int threads = 1, CancellationToken cancellation = default) => new(
        LabelledSounds.Synthesize(0, train, threads, cancellation),
        LabelledSounds.Synthesize(TestSeed, test, threads, cancellation));
}
