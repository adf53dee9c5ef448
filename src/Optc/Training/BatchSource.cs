using System.Globalization;
using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Training.Augmentations;

namespace Optc.Training;

/// <summary>Endless batches of samples, epoch after epoch, every sample once in each.</summary>
/// <remarks>
/// The order of an epoch is a function of seed and epoch, an augmented sample one of seed, epoch and number of the sample:
/// a source that is set to a position goes on as the one that came there by itself, bit for bit, whatever the threads. The size of
/// the batches changes neither order nor samples.
/// </remarks>
public sealed class BatchSource
{
    private readonly TrainingData _data;
    private readonly BatchOptions _options;
    private readonly int[] _order;
    private readonly SampleAugmenter[] _augmenters;
    private readonly Workers? _workers;
    private readonly Batch _batch;
    private readonly Action<int, int> _fill;
    private int _orderedEpoch = -1;
    private BatchPosition _position;

    /// <param name="data">The samples to draw from.</param>
    /// <param name="workers">Threads to share the work; not to be used by others while a batch is made.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is not positive.</exception>
    /// <exception cref="DiagnosticException">
    /// An augmentation does not fit the shape of the samples or their labels, or no batch would be full although incomplete ones are dropped.
    /// </exception>
    public BatchSource(TrainingData data, BatchOptions options, Workers? workers = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Size);
        Check(data, options);
        (_data, _options, _workers) = (data, options, workers);
        _order = data.Samples.ToArray();
        bool soft = options.SoftTargets || options.Augmentations.Any(a => a is MixingAugmentation { MixesTargets: true });
        Shape? target = data.Targets is TargetKind.Values || (soft && data.Targets is TargetKind.Classes) ? data.TargetShape : null;
        _batch = new(options.Size, data.InputShapes, target, data.Targets is TargetKind.Classes);
        _augmenters = [.. Enumerable.Range(0, workers?.Count ?? 1).Select(_ => new SampleAugmenter(data, options, _batch.TargetLength))];
        _fill = Fill;
    }

    /// <summary>Of the next batch. Set it to go on from there.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Set to a position outside of an epoch.</exception>
    public BatchPosition Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value.Epoch);
            ArgumentOutOfRangeException.ThrowIfNegative(value.Sample);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value.Sample, SamplesPerEpoch);
            _position = Normalised(value);
        }
    }

    /// <summary>Batches in an epoch, counted from its beginning.</summary>
    public int BatchesPerEpoch => _options.DropLast ? _data.Count / _options.Size : ((_data.Count - 1) / _options.Size) + 1;

    /// <summary>Samples that an epoch gives out.</summary>
    public int SamplesPerEpoch => _options.DropLast ? BatchesPerEpoch * _options.Size : _data.Count;

    /// <summary>The batch that is filled; the same one each time.</summary>
    public Batch Current => _batch;

    /// <summary>Makes the next batch, within one epoch.</summary>
    /// <exception cref="DiagnosticException">A sample that is read from its file has gone.</exception>
    public Batch Next()
    {
        Order(_position.Epoch);
        int count = Math.Min(_options.Size, SamplesPerEpoch - _position.Sample);
        _batch.Count = count;
        _batch.Start = _position;
        _order.AsSpan(_position.Sample, count).CopyTo(_batch.MutableSamples);
        if (_workers is null)
        {
            for (int row = 0; row < count; row++)
            {
                Fill(row, 0);
            }
        }
        else
        {
            _workers.Run(count, _fill);
        }

        _position = Normalised(_position with { Sample = _position.Sample + count });
        return _batch;
    }

    private void Fill(int row, int worker)
    {
        int sample = _batch.MutableSamples[row];
        _augmenters[worker].Write(_batch.Start.Epoch, sample, _batch.InputRow(0, row), _batch.TargetRow(row));
        for (int input = 1; input < _batch.InputShapes.Length; input++)
        {
            _data.ReadInput(input, sample, _batch.InputRow(input, row));
        }

        if (_data.Targets is TargetKind.Classes)
        {
            _batch.SetClass(row, _data.ClassOf(sample));
        }
    }

    private void Order(int epoch)
    {
        if (!_options.Shuffle || _orderedEpoch == epoch)
        {
            return;
        }

        _data.Samples.CopyTo(_order);
        SampleOrder.Shuffle(_order, SampleOrder.Domain.Shuffle, _options.Seed, (ulong)epoch);
        _orderedEpoch = epoch;
    }

    private BatchPosition Normalised(BatchPosition position) =>
        position.Sample < SamplesPerEpoch ? position : new(position.Epoch + 1, 0);

    private static void Check(TrainingData data, BatchOptions options)
    {
        if (options.DropLast && data.Count < options.Size)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "no batch would be full, and incomplete ones are dropped")
            {
                At = [data.Source],
                Found = string.Create(CultureInfo.InvariantCulture, $"{data.Count} samples"),
                Expected = string.Create(CultureInfo.InvariantCulture, $"at least {options.Size}, the size of a batch"),
            });
        }

        Shape shape = data.InputShapes[0];
        foreach (Augmentation augmentation in options.Augmentations)
        {
            if (augmentation.WhyNot(shape) is { } wanted)
            {
                throw Misfit(data, augmentation, "an augmentation does not fit the samples", shape.ToString(), wanted);
            }

            if (augmentation is MixingAugmentation { MixesTargets: true } && data.Targets is TargetKind.None)
            {
                throw Misfit(data, augmentation, "an augmentation mixes labels, and there are none", "no labels", "labels, or 'mix' in place of 'mixup'");
            }
        }

        if (options.Normalization is { } normalization && !normalization.Fits(shape))
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "the normalization is for samples of another shape")
            {
                At = [data.Source],
                Found = shape.ToString(),
                Expected = $"a shape that ends in {normalization.Shape}",
            });
        }
    }

    private static DiagnosticException Misfit(TrainingData data, Augmentation augmentation, string message, string found, string expected) =>
        new(new Diagnostic(DiagnosticId.InvalidOption, message)
        {
            At = [data.Source, $"augmentation '{augmentation}'"],
            Found = found,
            Expected = expected,
        });
}
