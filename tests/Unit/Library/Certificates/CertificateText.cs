using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Optc.Formats.TfLite;

namespace Optc.Tests.Unit.Library.Certificates;

/// <summary>Writes certificates by hand, and changes them.</summary>
internal static class CertificateText
{
    /// <summary>A certificate that says that the operators are the same, one by one.</summary>
    public static JsonObject Same(byte[] original, byte[] result, string profile = "portable")
    {
        ModelRecord model = TfLiteFile.Read(result);
        JsonArray subgraphs = [];
        for (int s = 0; s < model.Subgraphs.Length; s++)
        {
            subgraphs.Add(Subgraph(s, [.. Enumerable.Range(0, model.Subgraphs[s].Operators.Length)]));
        }

        return new()
        {
            ["format"] = "optc-shrink-certificate",
            ["version"] = 1,
            ["profile"] = profile,
            ["roundings"] = new JsonArray("double", "single", "float32"),
            ["method"] = "intervals",
            ["original"] = File(original),
            ["result"] = File(result),
            ["subgraphs"] = subgraphs,
            ["warnings"] = new JsonArray(),
        };
    }

    /// <param name="originals">For each operator of the result the number of its counterpart.</param>
    public static JsonObject Subgraph(int number, int[] originals) => new()
    {
        ["subgraph"] = number,
        ["operators"] = new JsonArray([.. originals.Select((o, i) => new JsonObject { ["result"] = i, ["original"] = o, ["changes"] = new JsonArray() })]),
        ["removed"] = new JsonArray(),
        ["channels"] = new JsonArray(),
        ["biases"] = new JsonArray(),
        ["duplicates"] = new JsonArray(),
    };

    public static JsonObject File(byte[] file) => new() { ["bytes"] = file.Length, ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(file)) };

    public static byte[] Bytes(JsonObject certificate) => Encoding.UTF8.GetBytes(certificate.ToJsonString());
}
