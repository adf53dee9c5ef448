using System.Collections.Immutable;
using System.Text.Json;
using Optc.Ir;

namespace Optc.Cli.Output;

/// <summary>Diagnostics as <c>{"errors": [{"id", "message", "at", "found", "expected", "hint"}]}</c>; absent parts are null.</summary>
internal static class DiagnosticJson
{
    public static void Write(Utf8JsonWriter writer, ImmutableArray<Diagnostic> diagnostics)
    {
        writer.WriteStartObject();
        WriteErrors(writer, diagnostics);
        writer.WriteEndObject();
    }

    /// <summary>The member <c>errors</c> of an object that has others.</summary>
    public static void WriteErrors(Utf8JsonWriter writer, ImmutableArray<Diagnostic> diagnostics)
    {
        writer.WriteStartArray("errors");
        foreach (Diagnostic diagnostic in diagnostics)
        {
            writer.WriteStartObject();
            writer.WriteString("id", diagnostic.Id.ToString());
            writer.WriteString("message", diagnostic.Message);
            writer.WriteStartArray("at");
            foreach (string place in diagnostic.At)
            {
                writer.WriteStringValue(place);
            }

            writer.WriteEndArray();
            writer.WriteString("found", diagnostic.Found);
            writer.WriteString("expected", diagnostic.Expected);
            writer.WriteString("hint", diagnostic.Hint);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
