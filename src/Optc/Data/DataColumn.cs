using System.Collections.Immutable;
using System.Globalization;
using Optc.Formats.Npy;
using Optc.Ir;

namespace Optc.Data;

/// <summary>One array of a data set: rows along the first axis, read as they are needed.</summary>
public abstract class DataColumn
{
    /// <summary>Rows that are read at once, so that small rows do not each cost a call.</summary>
    private protected const int RowsOfBlock = 64;

    private protected DataColumn(string name, DType type, Shape row, int count) => (Name, DType, RowShape, Count) = (name, type, row, count);

    /// <summary>Name inside its archive, or of its file.</summary>
    public string Name { get; }

    public DType DType { get; }

    /// <summary>Shape of one row; unranked where rows differ.</summary>
    public Shape RowShape { get; }

    public int Count { get; }

    /// <summary>Every row in order.</summary>
    /// <exception cref="DiagnosticException">The file is damaged or has gone.</exception>
    public abstract IEnumerable<TensorData> Rows();

    /// <summary>One row, for columns whose rows can be read in any order without reading those before.</summary>
    internal virtual TensorData? ReadRow(int index) => null;

    /// <summary>How a message names a row.</summary>
    internal virtual string PlaceOf(int index) => string.Create(CultureInfo.InvariantCulture, $"sample {index}");

    private protected static IEnumerable<TensorData> Split(NpyArray block)
    {
        DType type = TypeOf(block.Type);
        Shape shape = Shape.Of(block.Shape[1..]);
        int rows = block.Shape[0];
        int size = checked((int)type.ByteCount(shape.ElementCount));
        for (int row = 0; row < rows; row++)
        {
            yield return new(type, shape, block.Data.Slice(row * size, size));
        }
    }

    internal static DType TypeOf(NpyType type) => type switch
    {
        NpyType.Boolean => DType.Bool,
        NpyType.Int8 => DType.I8,
        NpyType.UInt8 => DType.U8,
        NpyType.Int16 => DType.I16,
        NpyType.UInt16 => DType.U16,
        NpyType.Int32 => DType.I32,
        NpyType.UInt32 => DType.U32,
        NpyType.Int64 => DType.I64,
        NpyType.UInt64 => DType.U64,
        NpyType.Float16 => DType.F16,
        NpyType.Float32 => DType.F32,
        NpyType.Float64 => DType.F64,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}

/// <summary>Rows that are in memory.</summary>
internal sealed class MemoryColumn(string name, NpyArray array)
    : DataColumn(name, TypeOf(array.Type), Shape.Of(array.Shape[1..]), array.Shape[0])
{
    public override IEnumerable<TensorData> Rows() => Split(array);
}

/// <summary>Rows of an <c>.npy</c> file or of an array in an <c>.npz</c> archive, streamed.</summary>
internal sealed class StreamedColumn : DataColumn
{
    private readonly string _path;
    private readonly string? _entry;

    public StreamedColumn(string path, string? entry, NpyType type, ImmutableArray<int> shape)
        : base(entry ?? Path.GetFileNameWithoutExtension(path), TypeOf(type), Shape.Of(shape[1..]), shape[0]) => (_path, _entry) = (path, entry);

    public override IEnumerable<TensorData> Rows()
    {
        using NpzReader? archive = _entry is null ? null : DataFile.Guard(_path, () => NpzReader.Open(_path));
        using NpyRowReader reader = DataFile.Guard(_path, () => archive?.OpenRows(_entry!) ?? NpyFile.OpenRows(_path));
        while (DataFile.Guard(_path, () => reader.Read(RowsOfBlock)) is { } block)
        {
            foreach (TensorData row in Split(block))
            {
                yield return row;
            }
        }
    }
}

/// <summary>One file for each row, in the order of their names.</summary>
internal sealed class FolderColumn(string name, ImmutableArray<string> files, DType type)
    : DataColumn(name, type, Shape.Unranked, files.Length)
{
    public override IEnumerable<TensorData> Rows() => files.Select(DataFile.ReadTensor);

    internal override TensorData? ReadRow(int index) => DataFile.ReadTensor(files[index]);

    internal override string PlaceOf(int index) => $"{base.PlaceOf(index)} ({files[index]})";
}

/// <summary>Chosen rows of another column.</summary>
/// <param name="chosen">Indices, ascending.</param>
internal sealed class ColumnSelection(DataColumn source, ImmutableArray<int> chosen)
    : DataColumn(source.Name, source.DType, source.RowShape, chosen.Length)
{
    public override IEnumerable<TensorData> Rows()
    {
        int next = 0;
        int index = 0;
        foreach (TensorData row in source.Rows())
        {
            if (next == chosen.Length)
            {
                yield break;
            }

            if (index++ == chosen[next])
            {
                next++;
                yield return row;
            }
        }
    }

    internal override TensorData? ReadRow(int index) => source.ReadRow(chosen[index]);

    internal override string PlaceOf(int index) => source.PlaceOf(chosen[index]);
}

/// <summary>Some rows of another column.</summary>
internal sealed class ColumnSlice(DataColumn source, int start, int count)
    : DataColumn(source.Name, source.DType, source.RowShape, count)
{
    public override IEnumerable<TensorData> Rows() => source.Rows().Skip(start).Take(Count);

    internal override TensorData? ReadRow(int index) => source.ReadRow(start + index);

    internal override string PlaceOf(int index) => source.PlaceOf(start + index);
}

/// <summary>The numbers of another column in float32.</summary>
internal sealed class RealColumn(DataColumn source) : DataColumn(source.Name, DType.F32, source.RowShape, source.Count)
{
    public override IEnumerable<TensorData> Rows() => source.Rows().Select(Real);

    internal override TensorData? ReadRow(int index) => source.ReadRow(index) is { } row ? Real(row) : null;

    internal override string PlaceOf(int index) => source.PlaceOf(index);

    private static TensorData Real(TensorData row)
    {
        float[] numbers = new float[row.Shape.ElementCount];
        RealValues.Read(row.DType, row.Bytes.Span, numbers);
        return TensorData.FromFloats(row.Shape, numbers);
    }
}
