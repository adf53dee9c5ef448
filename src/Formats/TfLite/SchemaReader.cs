using System.Globalization;
using Optc.Formats.FlatBuffers;

namespace Optc.Formats.TfLite;

/// <summary>Reads the tables of the schema; the fields that are no plain properties are read here.</summary>
internal static partial class SchemaReader
{
    /// <summary>Offsets of data behind the FlatBuffer are above this; converters write 1 until they know it.</summary>
    private const ulong PlaceholderOffset = 1;

    /// <summary>The version of a model that all runtimes demand; revisions of the schema only add fields.</summary>
    private const uint ModelVersion = 3;

    private static ModelRecord CompleteModel(ModelRecord record, FlatTable table)
    {
        uint version = table.Scalar<uint>(0, "version");
        return version == ModelVersion ? record : throw new MalformedDataException(
            table.Position,
            $"{table.Path}.version",
            string.Create(CultureInfo.InvariantCulture, $"{version}"),
            string.Create(CultureInfo.InvariantCulture, $"{ModelVersion}"));
    }

    /// <summary>
    /// The wide code is absent in files from before schema revision 3a, the narrow one cannot hold codes above 127, so
    /// the larger of both counts.
    /// </summary>
    private static OperatorCodeRecord CompleteOperatorCode(OperatorCodeRecord record, FlatTable table)
    {
        BuiltinOperator narrow = (BuiltinOperator)table.Scalar<sbyte>(0, "deprecated_builtin_code");
        return narrow > record.BuiltinCode ? record with { BuiltinCode = narrow } : record;
    }

    private static OperatorRecord CompleteOperator(OperatorRecord record, FlatTable table)
    {
        ulong offset = table.Scalar<ulong>(9, "large_custom_options_offset");
        ulong size = table.Scalar<ulong>(10, "large_custom_options_size");
        return offset <= PlaceholderOffset ? record : record with
        {
            CustomOptions = Behind(table, record.CustomOptions, offset, size, "large_custom_options_offset"),
        };
    }

    private static BufferRecord CompleteBuffer(BufferRecord record, FlatTable table)
    {
        ulong offset = table.Scalar<ulong>(1, "offset");
        ulong size = table.Scalar<ulong>(2, "size");
        return offset > PlaceholderOffset
            ? record with { Data = Behind(table, record.Data, offset, size, "offset") }
            : record;
    }

    private static ReadOnlyMemory<byte> Behind(
        FlatTable table, ReadOnlyMemory<byte> inside, ulong offset, ulong size, string name)
    {
        FlatPath path = new(table.Path, name);
        return inside.IsEmpty ? table.Reader.External(offset, size, path) : throw new MalformedDataException(
            table.Position,
            path.ToString(),
            string.Create(CultureInfo.InvariantCulture, $"{inside.Length} bytes in the FlatBuffer, {size} behind it"),
            "data in one of these places");
    }
}
