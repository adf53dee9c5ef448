using Optc.Formats.FlatBuffers;

namespace Optc.Formats.TfLite;

/// <summary>Writes the tables of the schema; the fields that are no plain properties are written here.</summary>
internal static partial class SchemaWriter
{
    private const uint ModelVersion = 3;
    private const int WideCodeSlot = 3;

    private static void CompleteModel(FlatBufferWriter writer, ModelRecord record) => writer.Add(0, ModelVersion);

    /// <summary>
    /// Readers take the larger code, so the narrow one says everything that it can hold; 127 tells that the wide one counts.
    /// </summary>
    private static void CompleteOperatorCode(FlatBufferWriter writer, OperatorCodeRecord record)
    {
        writer.Add(0, (sbyte)Math.Clamp(
            (int)record.BuiltinCode, sbyte.MinValue, (int)BuiltinOperator.PlaceholderForGreaterOpCodes));
        if (record.BuiltinCode is >= 0 and < BuiltinOperator.PlaceholderForGreaterOpCodes)
        {
            writer.Omit(WideCodeSlot);
        }
    }

    /// <summary>Data stays inside of the FlatBuffer, so the fields of data behind it remain absent.</summary>
    private static void CompleteOperator(FlatBufferWriter writer, OperatorRecord record)
    {
    }

    /// <inheritdoc cref="CompleteOperator"/>
    private static void CompleteBuffer(FlatBufferWriter writer, BufferRecord record)
    {
    }
}
