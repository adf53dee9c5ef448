using System.Globalization;
using Optc.Data;
using Optc.Ir;

namespace Optc.Training;

/// <summary>Rows of a column in any order, from several threads at once.</summary>
/// <remarks>
/// Rows are kept in memory in the element type of the data, so that a picture of bytes takes a byte for each element. Folders
/// that are larger than the limit are read file by file; an array that is larger is refused, since a compressed archive can only be
/// read from its beginning and a shuffle of what is at hand would not be the shuffle of a machine with more memory.
/// </remarks>
internal sealed class RowSource
{
    private readonly DataColumn _column;
    private readonly ReadOnlyMemory<byte>[]? _rows;

    private RowSource(DataColumn column, ReadOnlyMemory<byte>[]? rows, DType type, Shape shape)
        => (_column, _rows, DType, RowShape) = (column, rows, type, shape);

    public DType DType { get; }

    /// <summary>Shape of every row.</summary>
    public Shape RowShape { get; }

    public int Length => (int)RowShape.ElementCount;

    /// <summary>Reads a column once: every row has one shape and type, and no number that is not finite.</summary>
    /// <param name="limit">Bytes to be kept in memory; reduced by what is kept.</param>
    /// <param name="problems">Receives what is wrong, one diagnostic for each kind.</param>
    /// <exception cref="DiagnosticException">The column is larger than the limit and no folder, or cannot be read.</exception>
    public static RowSource Load(DataColumn column, ref long limit, List<Diagnostic> problems)
    {
        RowSource? source = null;
        Odd shapes = default;
        Odd numbers = default;
        float[] values = [];
        int index = 0;
        foreach (TensorData row in column.Rows())
        {
            if (source is null)
            {
                source = Open(column, row, ref limit);
                values = new float[source.Length];
            }

            if (!row.Shape.Equals(source.RowShape) || row.DType != source.DType)
            {
                shapes.Add(index, $"{row.DType.Name}{row.Shape}");
            }
            else
            {
                if (row.DType.IsFloat)
                {
                    RealValues.Read(row.DType, row.Bytes.Span, values);
                    if (Array.FindIndex(values, v => !float.IsFinite(v)) is >= 0 and int odd)
                    {
                        numbers.Add(index, string.Create(CultureInfo.InvariantCulture, $"{values[odd]} at element {odd}"));
                    }
                }

                source._rows?[index] = row.Bytes;
            }

            index++;
        }

        source ??= new(column, [], column.DType, column.RowShape);
        shapes.Report(problems, column, DiagnosticId.DataMismatch, "samples have different shapes or types",
            $"{source.DType.Name}{source.RowShape}, as sample 0 has", "cut or pad the samples to one shape");
        numbers.Report(problems, column, DiagnosticId.UnusableData, "a sample is no finite number",
            "finite numbers", "remove the sample, or repair what computed it");
        return source;
    }

    /// <summary>Writes a row as real numbers.</summary>
    /// <param name="target"><see cref="Length"/> elements.</param>
    public void Read(int row, Span<float> target)
    {
        ReadOnlyMemory<byte> bytes = _rows is null ? _column.ReadRow(row)!.Bytes : _rows[row];
        RealValues.Read(DType, bytes.Span, target);
    }

    private static RowSource Open(DataColumn column, TensorData first, ref long limit)
    {
        long size = checked(first.Bytes.Length * (long)column.Count);
        if (size <= limit)
        {
            limit -= size;
            return new(column, new ReadOnlyMemory<byte>[column.Count], first.DType, first.Shape);
        }

        return column.ReadRow(0) is not null && column is not MemoryColumn
            ? new(column, null, first.DType, first.Shape)
            : throw new DiagnosticException(new Diagnostic(DiagnosticId.MemoryLimit, "the data take more memory than is allowed")
            {
                At = [column.Name],
                Found = string.Create(CultureInfo.InvariantCulture, $"{size} bytes"),
                Expected = string.Create(CultureInfo.InvariantCulture, $"at most {limit} bytes"),
                Hint = "raise the limit, store the samples in a smaller type (bytes for pictures), or as a folder with a file for each",
            });
    }

    /// <summary>The first row that is odd, and how many are.</summary>
    private struct Odd
    {
        private int _first;
        private int _count;
        private string? _found;

        public void Add(int row, string found)
        {
            if (_count++ == 0)
            {
                (_first, _found) = (row, found);
            }
        }

        public readonly void Report(List<Diagnostic> problems, DataColumn column, DiagnosticId id, string message, string expected, string hint)
        {
            if (_count > 0)
            {
                problems.Add(new Diagnostic(id, message)
                {
                    At = [column.Name, column.PlaceOf(_first)],
                    Found = _found + TrainingData.AndOthers(_count),
                    Expected = expected,
                    Hint = hint,
                });
            }
        }
    }
}
