using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Formats.FlatBuffers;

namespace Optc.Formats.TfLite;

/// <summary>Every byte of a <c>.tflite</c> file, sorted by what it is for.</summary>
/// <remarks>
/// The file is walked as <see cref="TfLiteFile.Read(ReadOnlyMemory{byte})"/> reads it, and each table, vector and string is
/// noted as it is met. Writers let equal things share their bytes, and buffers may overlap, so what is counted is the union
/// of the places, never a sum of sizes: each byte has one use, and the uses add up to the file.
/// </remarks>
public sealed class TfLiteByteMap
{
    private const int Uses = (int)TfLiteByteUse.Unused + 1;

    // The largest alignment of the format leaves one byte less.
    private const int LongestPadding = 15;

    private readonly ReadOnlyMemory<byte> _file;
    private readonly List<Extent> _extents = [];

    private TfLiteByteMap(ReadOnlyMemory<byte> file)
    {
        _file = file;
        FlatBufferReader reader = new(file, Note);
        Model = reader.ReadRoot(SchemaReader.Root, TfLiteFile.Identifier, SchemaReader.ReadModel);
        ReferenceCheck.Check(Model);
    }

    /// <summary>The records of the file.</summary>
    public ModelRecord Model { get; }

    /// <param name="file">The whole file; must not change while <see cref="Model"/> is in use.</param>
    /// <exception cref="MalformedDataException">The bytes are no valid model.</exception>
    public static TfLiteByteMap Of(ReadOnlyMemory<byte> file) => new(file);

    /// <summary>Bytes of each use, indexed by <see cref="TfLiteByteUse"/>; they add up to the length of the file.</summary>
    /// <param name="buffers">
    /// What the content of each buffer is for, by buffer index; one for each buffer of the model. Of buffers that are stored as one the
    /// first use in the order of the uses counts.
    /// </param>
    public ImmutableArray<long> Count(ReadOnlySpan<TfLiteByteUse> buffers)
    {
        Dictionary<ReadOnlyMemory<byte>, TfLiteByteUse> contents = [];
        for (int i = 0; i < buffers.Length; i++)
        {
            ReadOnlyMemory<byte> data = Model.Buffers[i].Data;
            contents[data] = contents.TryGetValue(data, out TfLiteByteUse other) && other < buffers[i] ? other : buffers[i];
        }

        List<(int Position, int Use, int Step)> ends = new(_extents.Count * 2);
        foreach (Extent extent in _extents)
        {
            int use = (int)(extent.Buffer < 0 ? extent.Use : contents[Model.Buffers[extent.Buffer].Data]);
            ends.Add((extent.Start, use, 1));
            ends.Add((extent.Start + extent.Length, use, -1));
        }

        ends.Sort(static (a, b) => a.Position.CompareTo(b.Position));
        Span<int> open = stackalloc int[Uses];
        open.Clear();
        long[] bytes = new long[Uses];
        int from = 0;
        foreach ((int position, int use, int step) in ends)
        {
            int first = ((ReadOnlySpan<int>)open).IndexOfAnyExcept(0);
            bytes[first < 0 ? (int)UseOfGap(from, position) : first] += position - from;
            from = position;
            open[use] += step;
        }

        bytes[(int)UseOfGap(from, _file.Length)] += _file.Length - from;
        return ImmutableCollectionsMarshal.AsImmutableArray(bytes);
    }

    private TfLiteByteUse UseOfGap(int from, int to) =>
        to - from <= LongestPadding && _file.Span[from..to].IndexOfAnyExcept((byte)0) < 0 ? TfLiteByteUse.Padding : TfLiteByteUse.Unused;

    private void Note(int position, int bytes, FlatPath path, FlatPart part)
    {
        if (bytes > 0)
        {
            (TfLiteByteUse use, int buffer) = UseOf(path, part);
            _extents.Add(new(position, bytes, use, buffer));
        }
    }

    private static (TfLiteByteUse Use, int Buffer) UseOf(FlatPath path, FlatPart part) => part switch
    {
        FlatPart.Head => (TfLiteByteUse.Head, -1),
        FlatPart.VTable => (TfLiteByteUse.VTables, -1),
        FlatPart.Elements when path is { Name: "data" or "offset", Owner: { Name: "buffers", Index: >= 0 and int buffer } } => (TfLiteByteUse.OtherConstants, buffer),
        FlatPart.Elements => (ContentOf(path) ?? TableOf(path), -1),
        _ => (TableOf(path), -1),
    };

    /// <summary>The use of the elements of a vector, where that is not the use of the table which has it.</summary>
    private static TfLiteByteUse? ContentOf(FlatPath path) => TableOf(path) switch
    {
        TfLiteByteUse.OperatorOptions => null,
        TfLiteByteUse.TensorTables when IsIn(path, "sparsity") => TfLiteByteUse.SparseIndices,
        _ => path.Name switch
        {
            "scale" => TfLiteByteUse.Scales,
            "zero_point" => TfLiteByteUse.ZeroPoints,
            "min" or "max" => TfLiteByteUse.RecordedRanges,
            "shape" or "shape_signature" => TfLiteByteUse.Shapes,
            "name" or "description" or "custom_code" or "signature_key" => TfLiteByteUse.Names,
            "metadata_buffer" => TfLiteByteUse.Metadata,
            _ => null,
        },
    };

    /// <summary>The use of a table, or of a vector that belongs to it.</summary>
    private static TfLiteByteUse TableOf(FlatPath path)
    {
        TfLiteByteUse found = TfLiteByteUse.GraphTables;
        for (FlatPath? owner = path; owner is not null; owner = owner.Owner)
        {
            switch (owner.Name)
            {
                case "builtin_options" or "builtin_options_2" or "custom_options" or "large_custom_options_offset":
                    return TfLiteByteUse.OperatorOptions;
                case "operators" or "operator_codes":
                    found = TfLiteByteUse.OperatorTables;
                    break;
                case "tensors":
                    found = TfLiteByteUse.TensorTables;
                    break;
                case "buffers":
                    found = TfLiteByteUse.BufferTables;
                    break;
            }
        }

        return found;
    }

    private static bool IsIn(FlatPath path, string name)
    {
        for (FlatPath? owner = path; owner is not null; owner = owner.Owner)
        {
            if (owner.Name == name)
            {
                return true;
            }
        }

        return false;
    }

    /// <param name="Buffer">Index of the buffer whose content it is, which decides on the use; else -1.</param>
    private readonly record struct Extent(int Start, int Length, TfLiteByteUse Use, int Buffer);
}
