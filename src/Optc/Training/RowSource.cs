using System.Buffers;
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
    private ReadOnlyMemory<byte>[]? _rows;
    private readonly Shape? _fit;

    // Shape of each row, where rows are fitted to one size.
    private readonly Shape[]? _shapes;

    private RowSource(DataColumn column, ReadOnlyMemory<byte>[]? rows, DType type, Shape shape, Shape? fit)
    {
        (_column, _rows, DType, _fit) = (column, rows, type, fit);
        RowShape = fit ?? shape;
        _shapes = fit is null ? null : new Shape[column.Count];
    }

    public DType DType { get; }

    /// <summary>Shape of every row.</summary>
    public Shape RowShape { get; }

    public int Length => (int)RowShape.ElementCount;

    /// <summary>Reads a column once: every row has one shape and type, and no number that is not finite.</summary>
    /// <param name="fit">Shape that rows of other sizes are brought to; see <see cref="CentredCopy"/>.</param>
    /// <param name="limit">Bytes to be kept in memory; reduced by what is kept.</param>
    /// <param name="problems">Receives what is wrong, one diagnostic for each kind.</param>
    /// <exception cref="DiagnosticException">The column is larger than the limit and no folder, or cannot be read.</exception>
    public static RowSource Load(DataColumn column, Shape? fit, ref long limit, List<Diagnostic> problems)
    {
        RowSource? source = null;
        Odd shapes = default;
        Odd numbers = default;
        long whole = limit;
        long kept = 0;
        int index = 0;
        foreach (TensorData row in column.Rows())
        {
            source ??= Open(column, row, fit, limit);
            Shape? shape = fit is null ? row.Shape : CentredCopy.Align(row.Shape, fit);
            if (shape is null || row.DType != source.DType || (fit is null && !shape.Equals(source.RowShape)))
            {
                shapes.Add(index, $"{row.DType.Name}{row.Shape}");
            }
            else
            {
                if (row.DType.IsFloat)
                {
                    float[] values = ArrayPool<float>.Shared.Rent((int)row.Shape.ElementCount);
                    Span<float> content = values.AsSpan(0, (int)row.Shape.ElementCount);
                    RealValues.Read(row.DType, row.Bytes.Span, content);
                    if (FirstOdd(content) is >= 0 and int odd)
                    {
                        numbers.Add(index, string.Create(CultureInfo.InvariantCulture, $"{values[odd]} at element {odd}"));
                    }

                    ArrayPool<float>.Shared.Return(values);
                }

                // Files of different lengths may take more than the first one promised.
                kept += row.Bytes.Length;
                source._rows = kept > whole ? null : source._rows;
                source._rows?[index] = row.Bytes;
                source._shapes?[index] = shape;
            }

            index++;
        }

        limit -= source?._rows is null ? 0 : kept;
        source ??= new(column, [], column.DType, column.RowShape, fit);
        shapes.Report(problems, column, DiagnosticId.DataMismatch, "samples have different shapes or types",
            fit is null ? $"{source.DType.Name}{source.RowShape}, as sample 0 has" : $"{source.DType.Name} of as many dimensions and channels as {fit}",
            fit is null ? "cut or pad the samples to one shape, or let them be fitted" : "only sizes can be fitted");
        numbers.Report(problems, column, DiagnosticId.UnusableData, "a sample is no finite number",
            "finite numbers", "remove the sample, or repair what computed it");
        return source;
    }

    /// <summary>Writes a row as real numbers.</summary>
    /// <param name="target"><see cref="Length"/> elements.</param>
    public void Read(int row, Span<float> target)
    {
        ReadOnlyMemory<byte> bytes = _rows is null ? _column.ReadRow(row)!.Bytes : _rows[row];
        if (_shapes?[row] is not { } shape || shape.Equals(_fit))
        {
            RealValues.Read(DType, bytes.Span, target);
            return;
        }

        int length = (int)shape.ElementCount;
        float[] values = ArrayPool<float>.Shared.Rent(length);
        RealValues.Read(DType, bytes.Span, values.AsSpan(0, length));
        CentredCopy.Run(values.AsSpan(0, length), shape, target, _fit!);
        ArrayPool<float>.Shared.Return(values);
    }

    private static int FirstOdd(ReadOnlySpan<float> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private static RowSource Open(DataColumn column, TensorData first, Shape? fit, long limit)
    {
        long size = checked(first.Bytes.Length * (long)column.Count);
        if (size <= limit)
        {
            return new(column, new ReadOnlyMemory<byte>[column.Count], first.DType, first.Shape, fit);
        }

        return column.ReadRow(0) is not null && column is not MemoryColumn
            ? new(column, null, first.DType, first.Shape, fit)
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
