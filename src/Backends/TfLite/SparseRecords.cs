using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Backends.TfLite;

/// <summary>The sparse layout of the file from that of the graph; index vectors take the narrowest type that holds them.</summary>
internal static class SparseRecords
{
    public static SparsityParametersRecord Write(SparseLayout layout) => new()
    {
        TraversalOrder = layout.TraversalOrder,
        BlockMap = layout.BlockMap,
        DimMetadata = [.. layout.Levels.Select(WriteLevel)],
    };

    private static DimensionMetadata WriteLevel(SparseLevel level) => level.IsDense
        ? new() { Format = DimensionType.Dense, DenseSize = level.DenseSize }
        : new()
        {
            Format = DimensionType.SparseCsr,
            ArraySegments = Integers([.. level.Segments]),
            ArrayIndices = Integers([.. level.Indices]),
        };

    private static ISparseIndexVector Integers(int[] values)
    {
        int largest = values.Length == 0 ? 0 : values.Max();
        return largest switch
        {
            <= byte.MaxValue => new Uint8Vector { Values = Array.ConvertAll(values, v => (byte)v) },
            <= ushort.MaxValue => new Uint16Vector { Values = [.. values.Select(v => (ushort)v)] },
            _ => new Int32Vector { Values = [.. values] },
        };
    }
}
