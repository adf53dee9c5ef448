using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Demo;

/// <summary>Features of sounds and what the sounds are.</summary>
/// <param name="Features">For each sound f32 [time = 49, frequency = 40, 1]; see <see cref="LogMelFeatures"/>.</param>
/// <param name="Labels">For each sound the index of its <see cref="SoundClass"/>.</param>
public sealed record LabelledSounds(ImmutableArray<TensorData> Features, ImmutableArray<int> Labels)
{
    public int Count => Features.Length;

    /// <summary>The sounds of seeds <paramref name="firstSeed"/>, <paramref name="firstSeed"/> + 1, ...; the classes take turns.</summary>
    /// <param name="threads">At least 1; the result does not depend on it.</param>
    public static LabelledSounds Synthesize(ulong firstSeed, int count, int threads = 1, CancellationToken cancellation = default)
    {
        int classes = DemoTask.ClassNames.Length;
        TensorData[] features = new TensorData[count];
        ParallelOptions options = new() { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
        Parallel.For(0, count, options, i => features[i] =
            LogMelFeatures.Extract(SoundSynthesizer.Synthesize((SoundClass)(i % classes), firstSeed + (ulong)i)));
        return new([.. features], [.. Enumerable.Range(0, count).Select(i => i % classes)]);
    }

    /// <summary>All features in one tensor: f32 [N, time = 49, frequency = 40, 1].</summary>
    public TensorData Stack()
    {
        float[] all = new float[Count * LogMelFeatures.Frames * LogMelFeatures.Bands];
        for (int i = 0; i < Count; i++)
        {
            Features[i].AsFloats().CopyTo(all.AsSpan(i * LogMelFeatures.Frames * LogMelFeatures.Bands));
        }

        return TensorData.FromFloats([Count, .. LogMelFeatures.Shape], all);
    }
}
