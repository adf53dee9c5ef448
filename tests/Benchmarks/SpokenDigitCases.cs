using Optc.Runtime.Training;
using Optc.Training.Augmentations;

namespace Optc.Tests.Benchmarks;

/// <summary>Spoken digits from scratch, tested on known speakers and on one that was never heard.</summary>
internal static class SpokenDigitCases
{
    public static TrainStudyCase[] All { get; } =
    [
        Case("digits", 0.99, withoutTheo: false),
        Case("digits-theo", 0.90, withoutTheo: true),
        Case("digits-large", 0.99, withoutTheo: false, "ds-cnn-l"),
    ];

    private static TrainStudyCase Case(string name, double bar, bool withoutTheo, string architecture = "ds-cnn-m") => new(
        name,
        bar,
        (_, seed) => TrainStudyCase.New(architecture, [SpokenDigits.Frames, SpokenDigits.Coefficients, 1], seed),
        shared => SpokenDigits.Load(shared, withoutTheo),
        FromScratch: true,
        new()
        {
            Epochs = 20,
            BatchSize = 32,
            Rate = LearningRate.Cosine(2e-3, 0.05),
            Augmentations = Augmentation.Parse("time-shift:4,noise:0.1"),
            Step = new() { Optimizer = Optimizer.AdamW(0.01f) },
        });
}
