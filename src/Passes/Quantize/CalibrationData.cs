using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Passes.Quantize;

/// <summary>Calibration samples from memory, one by one or in batches.</summary>
public sealed class CalibrationData : ICalibrationSource
{
    private readonly IEnumerable<CalibrationSample> _samples;

    /// <param name="samples">Read as they are needed.</param>
    /// <param name="count">How many there are, if known.</param>
    public CalibrationData(IEnumerable<CalibrationSample> samples, int? count = null)
    {
        _samples = samples;
        Count = count ?? (samples.TryGetNonEnumeratedCount(out int known) ? known : null);
    }

    public int? Count { get; }

    public IEnumerable<CalibrationSample> Samples() => _samples;

    /// <summary>Samples that come stacked: the outermost dimension of every input counts them.</summary>
    /// <param name="batches">Inputs in order; samples are numbered as they come.</param>
    /// <exception cref="DiagnosticException">While reading: inputs of one batch count different numbers of samples.</exception>
    public static CalibrationData FromBatches(IEnumerable<ImmutableArray<TensorData>> batches, int? count = null) =>
        new(Split(batches), count);

    private static IEnumerable<CalibrationSample> Split(IEnumerable<ImmutableArray<TensorData>> batches)
    {
        long index = 0;
        foreach (ImmutableArray<TensorData> batch in batches)
        {
            int size = batch.IsEmpty ? 0 : RowsOf(batch[0]);
            if (batch.FirstOrDefault(t => RowsOf(t) != size) is { } odd)
            {
                throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "the inputs of a batch count different numbers of samples")
                {
                    Found = $"{size} and {RowsOf(odd)}",
                });
            }

            for (int row = 0; row < size; row++)
            {
                yield return new(index++, [[.. batch.Select(t => new CalibrationTensor(null, Row(t, row)))]]);
            }
        }
    }

    private static int RowsOf(TensorData data) => data.Shape.Rank > 0
        ? data.Shape[0]
        : throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "a batch has no dimension that counts its samples")
        {
            Found = "a scalar",
            Expected = "one dimension at least",
        });

    private static TensorData Row(TensorData data, int row)
    {
        Shape shape = Shape.Create(data.Shape.Dims.AsSpan()[1..]);
        int size = checked((int)data.DType.ByteCount(shape.ElementCount));
        return new(data.DType, shape, data.Bytes.Slice(row * size, size));
    }
}
