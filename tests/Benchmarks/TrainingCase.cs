using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using Optc.Architectures;
using Optc.Ir;

namespace Optc.Tests.Benchmarks;

/// <summary>An untrained model and one batch of noise for it.</summary>
/// <param name="Name">Architecture and width.</param>
/// <param name="X">The batch, NHWC, numbers from -1 to 1.</param>
/// <param name="Labels">A class for each sample.</param>
internal sealed record TrainingCase(string Name, Module Model, float[] X, int[] Labels)
{
    public static IEnumerable<TrainingCase> All =>
    [
        Make("ds-cnn-s", new(), 100),
        Make("resnet-8", new(), 32),
        Make("mobilenet-v1", new() { Width = 0.25 }, 32),
    ];

    /// <summary>What a step takes.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Inputs =>
        [MemoryMarshal.AsBytes(X.AsSpan()).ToArray(), MemoryMarshal.AsBytes(Labels.AsSpan()).ToArray()];

    private static TrainingCase Make(string name, ArchitectureOptions options, int batch)
    {
        Module model = Architectures.Architecture.Find(name).Build(options);
        Random random = new(1);
        float[] x = [.. Enumerable.Range(0, checked((int)(batch * model.Main.Inputs[0].Type.ElementCount))).Select(_ => (random.NextSingle() * 2) - 1)];
        int[] labels = [.. Enumerable.Range(0, batch).Select(_ => random.Next((int)model.Main.Outputs[0].Type.ElementCount))];
        return new(string.Create(CultureInfo.InvariantCulture, $"{name} {options.Width:0.##}"), model, x, labels);
    }
}
