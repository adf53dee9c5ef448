using Optc.Formats.FlatBuffers;

namespace Optc.Formats.TfLite;

/// <summary>Reads and writes <c>.tflite</c> files, schema version 3 with all its revisions up to 3d.</summary>
public static class TfLiteFile
{
    /// <summary>Bytes 4 to 7 of a file.</summary>
    public const string Identifier = "TFL3";

    private const int DataAlignment = 16;
    private const int SmallestVector = 8;

    /// <summary>Whether a file says that it is a <c>.tflite</c> model.</summary>
    public static bool IsRecognized(ReadOnlySpan<byte> file) => file.Length >= 8 && file[4..8].SequenceEqual("TFL3"u8);

    /// <summary>Reads a model.</summary>
    /// <param name="file">
    /// The whole file. The data of buffers and custom options are slices of it, so it must not change while the model
    /// is in use.
    /// </param>
    /// <returns>
    /// The model with data behind the FlatBuffer resolved, and all indices between its tables valid: tensors of
    /// operators (-1 is an optional one that is not given), subgraphs and signatures, operator codes, buffers.
    /// </returns>
    /// <exception cref="MalformedDataException">
    /// The bytes are no valid model, or need a newer schema (a table of unknown options).
    /// </exception>
    public static ModelRecord Read(ReadOnlyMemory<byte> file) => Read(file, out _);

    /// <inheritdoc cref="Read(ReadOnlyMemory{byte})"/>
    /// <param name="unknownFields">
    /// Fields that the file has and the schema does not know, as <c>Table.slot N</c>, at most 100. They are not part of
    /// the model and would be missing from a file written from it.
    /// </param>
    public static ModelRecord Read(ReadOnlyMemory<byte> file, out IReadOnlyCollection<string> unknownFields)
    {
        FlatBufferReader reader = new(file);
        ModelRecord model = reader.ReadRoot(SchemaReader.Root, Identifier, SchemaReader.ReadModel);
        ReferenceCheck.Check(model);
        unknownFields = reader.UnknownFields;
        return model;
    }

    /// <summary>
    /// Writes a model. Equal models give equal bytes. The data of buffers stand on multiples of 16 bytes; they are
    /// written from where they are, so that writing needs little memory of its own. Whatever is equal, from strings to
    /// whole tables, is written once; fields that have the value of their absence are left out.
    /// </summary>
    /// <exception cref="NotSupportedException">The file would exceed 2^31 - 1 bytes.</exception>
    public static void Write(ModelRecord model, Stream stream) => Build(model).WriteTo(stream);

    /// <summary>As <see cref="Write"/>, into memory.</summary>
    /// <exception cref="NotSupportedException">The file would exceed 2^31 - 1 bytes.</exception>
    public static byte[] ToArray(ModelRecord model) => Build(model).ToArray();

    /// <summary>As <see cref="Write"/>, into pieces: the data of buffers are not copied.</summary>
    /// <param name="bufferAlignment">Multiple of bytes on which data of buffers stand: 16, as the format demands, or less for
    /// readers that are known to do without.</param>
    /// <exception cref="NotSupportedException">The file would exceed 2^31 - 1 bytes.</exception>
    public static FlatBufferContent Build(ModelRecord model, int bufferAlignment = DataAlignment)
    {
        // Neither way to fill gaps is always the better one, and gaps that data make may be filled better than those between tables.
        IEnumerable<(FlatBufferContent Content, IReadOnlyList<byte[]> Layouts)> candidates =
            from alignment in new[] { bufferAlignment, DataAlignment }.Distinct()
            from smallestRest in new[] { 0, SmallestVector }
            select Build(model, alignment, smallestRest, []);
        (FlatBufferContent best, IReadOnlyList<byte[]> layouts) = candidates.MinBy(c => c.Content.Length);
        if (bufferAlignment >= DataAlignment)
        {
            return best;
        }

        IEnumerable<FlatBufferContent> packed =
            from alignment in new[] { bufferAlignment, DataAlignment }
            from smallestRest in new[] { 0, SmallestVector }
            select Build(model, alignment, smallestRest, layouts).Content;
        return packed.Prepend(best).MinBy(c => c.Length)!;
    }

    private static (FlatBufferContent Content, IReadOnlyList<byte[]> Layouts) Build(
        ModelRecord model, int bufferAlignment, int smallestRest, IEnumerable<byte[]> layouts)
    {
        FlatBufferWriter writer = new(shareEqual: true, bufferAlignment, smallestRest);
        writer.Prepare(layouts);

        // Written first, so that all that follows can go into the gaps between them.
        foreach (BufferRecord buffer in model.Buffers.Reverse().Where(b => !b.Data.IsEmpty))
        {
            writer.ByteVector(buffer.Data, DataAlignment);
        }

        return (writer.Finish(SchemaWriter.WriteModel(writer, model), Identifier), writer.Layouts);
    }
}
