using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Optc.Certificates;
using Optc.Report.Compression;

namespace Optc.Report;

/// <summary>Prints reports as JSON: the records as they are, names in camelCase, UTF-8, lines that end in <c>\n</c>.</summary>
/// <remarks>
/// Numbers that JSON cannot hold are the strings <c>"Infinity"</c>, <c>"-Infinity"</c> and <c>"NaN"</c>. What is not there is
/// <see langword="null"/>, never left out.
/// </remarks>
public static class ReportJson
{
    private static readonly JsonWriterOptions Layout = new()
    {
        Indented = true,
        NewLine = "\n",

        // Names of tensors hold ' < and >, which are only dangerous inside of HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Write(Inspection inspection, Stream output) => Write(inspection, ReportJsonContext.Default.Inspection, output);

    public static string Of(Inspection inspection) => Of(inspection, ReportJsonContext.Default.Inspection);

    public static void Write(Comparison comparison, Stream output) => Write(comparison, ReportJsonContext.Default.Comparison, output);

    public static string Of(Comparison comparison) => Of(comparison, ReportJsonContext.Default.Comparison);

    public static void Write(CompressionReport report, Stream output) => Write(report, ReportJsonContext.Default.CompressionReport, output);

    public static string Of(CompressionReport report) => Of(report, ReportJsonContext.Default.CompressionReport);

    public static void Write(CertificateVerification verification, Stream output) => Write(verification, ReportJsonContext.Default.CertificateVerification, output);

    public static string Of(CertificateVerification verification) => Of(verification, ReportJsonContext.Default.CertificateVerification);

    private static void Write<T>(T report, JsonTypeInfo<T> type, Stream output)
    {
        using Utf8JsonWriter writer = new(output, Layout);
        JsonSerializer.Serialize(writer, report, type);
    }

    private static string Of<T>(T report, JsonTypeInfo<T> type)
    {
        using MemoryStream stream = new();
        Write(report, type, stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(Inspection))]
[JsonSerializable(typeof(Comparison))]
[JsonSerializable(typeof(CompressionReport))]
[JsonSerializable(typeof(CertificateVerification))]
internal sealed partial class ReportJsonContext : JsonSerializerContext;
