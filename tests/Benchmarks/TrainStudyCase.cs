using Optc.Ir;
using Optc.Training;

namespace Optc.Tests.Benchmarks;

/// <summary>A model, data and a way to train it, whose accuracy is to reach a bar.</summary>
/// <param name="Name">As the command line has it.</param>
/// <param name="Bar">Accuracy to reach on the test part, 0 to 1.</param>
/// <param name="Start">The model before training, by the seed.</param>
/// <param name="Load">Training part and test part, from the folder of shared data.</param>
/// <param name="FromScratch">Whether the model is untrained; normalization is measured on the training part then.</param>
/// <param name="Options">Everything but seed and normalization.</param>
internal sealed record TrainStudyCase(
    string Name, double Bar, Func<string, ulong, Model> Start, Func<string, (Dataset Train, Dataset Test)> Load, bool FromScratch, FitOptions Options)
{
    public static TrainStudyCase[] All { get; } = [FineTuneCase.Case, .. FashionCases.All, .. SpokenDigitCases.All];

    /// <exception cref="ArgumentException">No such case.</exception>
    public static TrainStudyCase Find(string name) => All.FirstOrDefault(c => c.Name == name)
        ?? throw new ArgumentException($"'{name}' is none of {string.Join(", ", All.Select(c => c.Name))}.", nameof(name));

    /// <summary>An untrained model for ten classes.</summary>
    public static Model New(string architecture, Shape input, ulong seed, double width = 1) => Model.Of(
        Architectures.Architecture.Find(architecture).Build(new() { Input = input, Classes = 10, Width = width, Seed = seed }));
}
