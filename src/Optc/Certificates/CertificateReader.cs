using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Optc.Ir;

namespace Optc.Certificates;

/// <summary>Reads a certificate strictly: what the format does not have, has twice or gives as another kind, is an error.</summary>
internal static class CertificateReader
{
    // What a certificate for the largest file of the format can need, far above any that occurs.
    private const int LargestBytes = 256 << 20;

    /// <exception cref="DiagnosticException">The text is no certificate of a version that is known.</exception>
    public static CertificateClaims Read(ReadOnlyMemory<byte> json)
    {
        if (json.Length > LargestBytes)
        {
            throw Refusal.Malformed("the certificate is too long", $"{json.Length} bytes", $"{LargestBytes} bytes at most");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new() { MaxDepth = 16 });
            return Certificate(new(document.RootElement, "certificate"));
        }
        catch (JsonException damage)
        {
            throw Refusal.Malformed(
                "the certificate is not JSON",
                string.Create(CultureInfo.InvariantCulture, $"an error in line {(damage.LineNumber ?? 0) + 1}"),
                "JSON as 'optc shrink' writes it");
        }
        catch (InvalidOperationException)
        {
            // Names or texts that are no Unicode: the parser looks at them only when they are asked for.
            throw Refusal.Malformed("the certificate is not JSON", "text that is no Unicode", "JSON as 'optc shrink' writes it");
        }
    }

    private static CertificateClaims Certificate(ClaimNode node)
    {
        node.Fields(["format", "version", "profile", "roundings", "method", "original", "result", "subgraphs"], ["warnings"]);
        node["format"].Word([ClaimWords.Format]);
        if (node["version"].Integer() is not ClaimWords.Version and long version)
        {
            throw Refusal.Malformed(
                "the certificate has a version that is not known", string.Create(CultureInfo.InvariantCulture, $"{version}"), "1", "certificate", "version");
        }

        Roundings roundings = Roundings.None;
        foreach (ClaimNode rounding in node["roundings"].Items())
        {
            Roundings one = rounding.Word(["double", "single", "float32"]) switch
            {
                "double" => Roundings.Double,
                "single" => Roundings.Single,
                _ => Roundings.Float32,
            };
            roundings = (roundings & one) == 0 ? roundings | one : throw rounding.Wrong("the same rounding twice", "each once");
        }

        return new(
            node["profile"].Word(["portable", "mcu"]) == "mcu" ? CertificateProfile.Micro : CertificateProfile.Portable,
            roundings,
            node["method"].Word(["intervals", "enumeration"]) == "enumeration",
            File(node["original"]),
            File(node["result"]),
            [.. node["subgraphs"].Items().Select(Subgraph)],
            node.Has("warnings") ? [.. node["warnings"].Items().Select(w => w.Text())] : []);
    }

    private static FileClaim File(ClaimNode node)
    {
        node.Fields(["bytes", "sha256"], []);
        return new(node["bytes"].Natural(), node["sha256"].Text());
    }

    private static SubgraphClaims Subgraph(ClaimNode node)
    {
        node.Fields(["subgraph", "operators", "removed", "channels", "biases", "duplicates"], []);
        return new(
            node["subgraph"].Index(),
            [.. node["operators"].Items().Select(Operator)],
            [.. node["removed"].Items().Select(Removed)],
            [.. node["channels"].Items().Select(Channels)],
            [.. node["biases"].Items().Select(Bias)],
            [.. node["duplicates"].Items().Select(Duplicate)]);
    }

    private static OperatorClaim Operator(ClaimNode node)
    {
        node.Fields(["result", "original", "changes"], ["pad"]);
        ImmutableArray<string> changes = [.. node["changes"].Items().Select(c => c.Word(ClaimWords.Changes))];
        if (changes.Distinct().Count() != changes.Length)
        {
            throw node["changes"].Wrong("the same change twice", "each once");
        }

        if (changes.Contains(ClaimWords.PadFused) != node.Has("pad"))
        {
            throw node.Wrong(node.Has("pad") ? "a field 'pad'" : "no field 'pad'", "the field 'pad' exactly beside the change 'pad-fused'");
        }

        return new(node["result"].Index(), node["original"].Index(), changes, node.Has("pad") ? node["pad"].Index() : -1);
    }

    private static RemovedClaim Removed(ClaimNode node)
    {
        node.Fields(["original", "rule"], ["forwards", "into"]);
        return new(
            node["original"].Index(),
            node["rule"].Word(ClaimWords.Removals),
            node.Has("forwards") ? node["forwards"].Text() : null,
            node.Has("into") ? node["into"].Index() : -1);
    }

    private static ChannelsClaim Channels(ClaimNode node)
    {
        node.Fields(["value", "axis", "count", "dropped"], []);
        return new(node["value"].Text(), node["axis"].Index(), node["count"].Index(), [.. node["dropped"].Items().Select(Dropped)]);
    }

    private static DroppedChannel Dropped(ClaimNode node)
    {
        string rule = node["rule"].Word(ClaimWords.Rules);
        bool isConstant = rule is ClaimWords.Dead or ClaimWords.Fold or ClaimWords.FoldPadded;
        node.Fields(
            isConstant ? ["channel", "rule", "value"] : rule == ClaimWords.Duplicate ? ["channel", "rule", "of"] : ["channel", "rule"],
            isConstant ? ["accumulator"] : []);
        (long Low, long High)? accumulator = null;
        if (node.Has("accumulator"))
        {
            ImmutableArray<ClaimNode> ends = node["accumulator"].Items();
            accumulator = ends.Length == 2 && ends[0].Integer() <= ends[1].Integer()
                ? (ends[0].Integer(), ends[1].Integer())
                : throw node["accumulator"].Wrong("something else", "two numbers, the smaller one first");
        }

        return new(
            node["channel"].Index(), rule, isConstant ? node["value"].Integer() : null, accumulator, rule == ClaimWords.Duplicate ? node["of"].Index() : -1);
    }

    private static BiasClaim Bias(ClaimNode node)
    {
        node.Fields(["original", "channel", "old", "new", "terms"], []);
        return new(
            node["original"].Index(),
            node["channel"].Index(),
            node["old"].Integer(),
            node["new"].Integer(),
            [.. node["terms"].Items().Select(Term)]);
    }

    private static BiasTerm Term(ClaimNode node)
    {
        node.Fields(["input", "value", "weights", "sum"], []);
        return new(node["input"].Index(), node["value"].Integer(), node["weights"].Integer(), node["sum"].Integer());
    }

    private static DuplicateClaim Duplicate(ClaimNode node)
    {
        node.Fields(["original", "kept", "added"], []);
        return new(node["original"].Index(), node["kept"].Index(), node["added"].Index());
    }
}
