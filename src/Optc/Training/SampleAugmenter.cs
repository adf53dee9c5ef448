using Optc.Ir;
using Optc.Numerics;
using Optc.Training.Augmentations;

namespace Optc.Training;

/// <summary>Makes samples as a batch has them. One for each thread.</summary>
internal sealed class SampleAugmenter
{
    private readonly TrainingData _data;
    private readonly BatchOptions _options;
    private readonly SampleLayout _layout;
    private readonly SplitMix64 _random = new(0);
    private readonly float[] _scratch;

    // The sample that is mixed in, for each level of mixing.
    private readonly float[][] _others;
    private readonly float[][] _otherTargets;

    public SampleAugmenter(TrainingData data, BatchOptions options, int targetLength)
    {
        (_data, _options) = (data, options);
        Shape shape = data.InputShapes[0];
        _layout = SampleLayout.Of(shape);
        int length = (int)shape.ElementCount;
        _scratch = new float[options.Augmentations.IsEmpty ? 0 : Math.Max(length, _layout.RowLength)];
        int levels = options.Augmentations.Count(a => a is MixingAugmentation);
        _others = [.. Enumerable.Range(0, levels).Select(_ => new float[length])];
        _otherTargets = [.. Enumerable.Range(0, levels).Select(_ => new float[targetLength])];
    }

    /// <summary>Writes the first input and the label of a sample.</summary>
    /// <param name="target">Empty when labels are not given as numbers.</param>
    public void Write(int epoch, int sample, Span<float> x, Span<float> target)
    {
        Augment(epoch, sample, _options.Augmentations.Length, x, target, level: 0);
        _options.Normalization?.Apply(x);
    }

    /// <summary>Applies the first augmentations of the list.</summary>
    private void Augment(int epoch, int sample, int count, Span<float> x, Span<float> target, int level)
    {
        _data.ReadInput(0, sample, x);
        if (!target.IsEmpty)
        {
            _data.ReadTarget(sample, target);
        }

        for (int i = 0; i < count; i++)
        {
            _random.Restart((ulong)SampleOrder.Domain.Augment, _options.Seed, (ulong)epoch, (ulong)sample, (ulong)i);
            switch (_options.Augmentations[i])
            {
                case SampleAugmentation single:
                    single.Apply(x, _layout, _random, _scratch);
                    break;
                case MixingAugmentation mixing:
                    // Drawn before the other sample is made, which uses the generator too.
                    float weight = mixing.DrawWeight(_random);
                    int other = _data.Samples[_random.NextBelow(_data.Count)];
                    Span<float> otherTarget = mixing.MixesTargets && !target.IsEmpty ? _otherTargets[level] : [];
                    Augment(epoch, other, i, _others[level], otherTarget, level + 1);
                    Blend(x, _others[level], weight);
                    if (!otherTarget.IsEmpty)
                    {
                        Blend(target, otherTarget, weight);
                    }

                    break;
            }
        }
    }

    private static void Blend(Span<float> x, ReadOnlySpan<float> other, float weight)
    {
        for (int i = 0; i < x.Length; i++)
        {
            x[i] = ((1 - weight) * x[i]) + (weight * other[i]);
        }
    }
}
