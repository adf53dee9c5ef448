using System.Collections.Immutable;
using Optc.Formats;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Frontend.TfLite;

/// <summary>The sparse layout of the graph from that of the file.</summary>
internal static class SparseRecords
{
    public static SparseLayout Read(SparsityParametersRecord record, string path) => new(
        record.TraversalOrder,
        record.BlockMap,
        [.. record.DimMetadata.Select((d, i) => ReadLevel(d, $"{path}.dim_metadata[{i}]"))]);

    private static SparseLevel ReadLevel(DimensionMetadata level, string path)
    {
        if (level.Format is DimensionType.Dense)
        {
            return level.DenseSize >= 0
                ? new(level.DenseSize, [], [])
                : throw new MalformedDataException(-1, $"{path}.dense_size", $"{level.DenseSize}", "a size from 0 up");
        }

        ImmutableArray<int> segments = Integers(level.ArraySegments);
        return segments.IsEmpty
            ? throw new MalformedDataException(-1, $"{path}.array_segments", "none", "segments of a compressed dimension")
            : new(0, segments, Integers(level.ArrayIndices));
    }

    private static ImmutableArray<int> Integers(ISparseIndexVector? vector) => vector switch
    {
        Int32Vector wide => wide.Values,
        Uint16Vector middle => [.. middle.Values.Select(v => (int)v)],
        Uint8Vector narrow => [.. narrow.Values.ToArray().Select(v => (int)v)],
        _ => [],
    };
}
