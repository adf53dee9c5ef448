using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Formats.FlatBuffers;

namespace Optc.Formats.TfLite;

/// <summary>What the bytes of a <c>.tflite</c> file are for. Of bytes with several uses the first in this order counts.</summary>
public enum TfLiteByteUse
{
    Weights,
    Biases,

    /// <summary>Content of other constant tensors: axes, shapes, tables; and of buffers that no tensor uses.</summary>
    OtherConstants,

    /// <summary>Content of metadata entries.</summary>
    Metadata,
    Scales,
    ZeroPoints,

    /// <summary>Minima and maxima that the producer recorded beside the quantization; nothing reads them.</summary>
    RecordedRanges,

    /// <summary>Segments, indices and orders of sparse tensors.</summary>
    SparseIndices,
    Shapes,

    /// <summary>Names of tensors, subgraphs, signatures, custom operators, metadata; the description.</summary>
    Names,

    /// <summary>Options of operators, custom ones included.</summary>
    OperatorOptions,

    /// <summary>Head of the file, tables, vtables, lengths of vectors, lists of tensors and of tables.</summary>
    Tables,

    /// <summary>Padding, and bytes that nothing known refers to.</summary>
    Rest,
}

/// <summary>Every byte of a <c>.tflite</c> file, sorted by what it is for.</summary>
/// <remarks>
/// The file is read as <see cref="TfLiteFile.Read(ReadOnlyMemory{byte})"/> reads it, and each table, vector and string is
/// noted as it is met. Writers let equal vectors share their bytes, and buffers may overlap, so what is counted is the union
/// of the places, never a sum of sizes.
/// </remarks>
public sealed class TfLiteByteMap
{
    private const int Uses = (int)TfLiteByteUse.Rest + 1;

    private readonly int _fileLength;
    private readonly List<Extent> _extents = [];

    private TfLiteByteMap(ReadOnlyMemory<byte> file)
    {
        _fileLength = file.Length;
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
    /// <param name="buffers">What the content of each buffer is for, by buffer index; one for each buffer of the model.</param>
    public ImmutableArray<long> Count(ReadOnlySpan<TfLiteByteUse> buffers)
    {
        List<(int Position, int Use, int Step)> ends = new(_extents.Count * 2);
        foreach (Extent extent in _extents)
        {
            int use = extent.Buffer < 0 ? (int)extent.Use : (int)buffers[extent.Buffer];
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
            bytes[First(open)] += position - from;
            from = position;
            open[use] += step;
        }

        bytes[(int)TfLiteByteUse.Rest] += _fileLength - from;
        return ImmutableCollectionsMarshal.AsImmutableArray(bytes);
    }

    private static int First(ReadOnlySpan<int> open)
    {
        int index = open.IndexOfAnyExcept(0);
        return index < 0 ? (int)TfLiteByteUse.Rest : index;
    }

    private void Note(int position, int bytes, FlatPath path, FlatPart part)
    {
        if (bytes > 0)
        {
            (TfLiteByteUse use, int buffer) = UseOf(path, part);
            _extents.Add(new(position, bytes, use, buffer));
        }
    }

    private static (TfLiteByteUse Use, int Buffer) UseOf(FlatPath path, FlatPart part)
    {
        for (FlatPath? owner = path; owner is not null; owner = owner.Owner)
        {
            if (owner.Name is "builtin_options" or "builtin_options_2" or "custom_options" or "large_custom_options_offset")
            {
                return (TfLiteByteUse.OperatorOptions, -1);
            }

            if (owner.Name is "sparsity" && part is FlatPart.Elements)
            {
                return (TfLiteByteUse.SparseIndices, -1);
            }
        }

        if (part is FlatPart.Structure)
        {
            return (TfLiteByteUse.Tables, -1);
        }

        if (path is { Name: "data" or "offset", Owner: { Name: "buffers", Index: >= 0 and int buffer } })
        {
            return (TfLiteByteUse.OtherConstants, buffer);
        }

        return (path.Name switch
        {
            "scale" => TfLiteByteUse.Scales,
            "zero_point" => TfLiteByteUse.ZeroPoints,
            "min" or "max" => TfLiteByteUse.RecordedRanges,
            "shape" or "shape_signature" => TfLiteByteUse.Shapes,
            "name" or "description" or "custom_code" or "signature_key" => TfLiteByteUse.Names,
            "metadata_buffer" => TfLiteByteUse.Metadata,
            _ => TfLiteByteUse.Tables,
        }, -1);
    }

    /// <param name="Buffer">Index of the buffer whose content it is, which decides on the use; else -1.</param>
    private readonly record struct Extent(int Start, int Length, TfLiteByteUse Use, int Buffer);
}
