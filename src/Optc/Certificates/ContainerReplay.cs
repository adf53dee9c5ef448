using System.Collections.Immutable;
using System.Globalization;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Certificates;

/// <summary>What belongs to the file as a whole: subgraphs, signatures, metadata.</summary>
internal static class ContainerReplay
{
    private const string MemoryPlan = "OfflineMemoryAllocation";

    public static void Run(CertificateClaims claims, ModelRecord original, ModelRecord result, List<CheckedFact> facts, HashSet<string> conditions)
    {
        if (original.Subgraphs.Length != result.Subgraphs.Length || claims.Subgraphs.Length != original.Subgraphs.Length || original.Subgraphs.IsEmpty)
        {
            throw Refusal.Of(
                "the files do not have the same subgraphs, or the certificate leaves some out",
                string.Create(CultureInfo.InvariantCulture, $"{original.Subgraphs.Length} and {result.Subgraphs.Length} subgraphs, {claims.Subgraphs.Length} in the certificate"),
                "the same number, one at least");
        }

        if (!original.ExternalBuffers.SequenceEqual(result.ExternalBuffers) || !original.ExternalBufferGroups.SequenceEqual(result.ExternalBufferGroups))
        {
            throw Refusal.Of("external buffers have changed", "other external buffers", "those of the original", "result");
        }

        GraphReplay[] replays = new GraphReplay[claims.Subgraphs.Length];
        for (int i = 0; i < replays.Length; i++)
        {
            SubgraphClaims subgraph = claims.Subgraphs[i];
            if (subgraph.Subgraph != i)
            {
                throw Refusal.Of(
                    "subgraphs of the certificate are not in order", string.Create(CultureInfo.InvariantCulture, $"{subgraph.Subgraph}"), string.Create(CultureInfo.InvariantCulture, $"{i}"), "certificate");
            }

            if (replays.Length > 1 && (original.Subgraphs[i].Name ?? "") != (result.Subgraphs[i].Name ?? ""))
            {
                throw Refusal.Of("a subgraph has another name", $"'{result.Subgraphs[i].Name}'", $"'{original.Subgraphs[i].Name}'", "result");
            }

            replays[i] = new(subgraph, new(original, i, "original"), new(result, i, "result"), claims, facts, conditions);
            replays[i].Run();
        }

        Signatures(original, result, replays);
        Metadata(original, result, replays);
        facts.Add(new("container", "result", string.Create(
            CultureInfo.InvariantCulture, $"subgraphs ({replays.Length}), signatures ({original.SignatureDefs.Length}) and all metadata that runtimes and tools read are those of the original")));
    }

    private static void Signatures(ModelRecord original, ModelRecord result, GraphReplay[] replays)
    {
        if (original.SignatureDefs.Length != result.SignatureDefs.Length)
        {
            throw Signature(result.SignatureDefs.Length, original.SignatureDefs.Length);
        }

        for (int i = 0; i < original.SignatureDefs.Length; i++)
        {
            (SignatureDefRecord a, SignatureDefRecord b) = (original.SignatureDefs[i], result.SignatureDefs[i]);
            if (a.SignatureKey != b.SignatureKey || a.SubgraphIndex != b.SubgraphIndex)
            {
                throw Signature($"{b.SignatureKey} of subgraph {b.SubgraphIndex}", $"{a.SignatureKey} of subgraph {a.SubgraphIndex}");
            }

            GraphReplay replay = replays[a.SubgraphIndex];
            Names(a.Inputs, b.Inputs, replay);
            Names(a.Outputs, b.Outputs, replay);
        }
    }

    private static void Names(ImmutableArray<TensorMap> before, ImmutableArray<TensorMap> now, GraphReplay replay)
    {
        if (before.Length != now.Length)
        {
            throw Signature(now.Length, before.Length);
        }

        for (int i = 0; i < before.Length; i++)
        {
            int tensor = replay.Resolve((int)before[i].TensorIndex);
            if (before[i].Name != now[i].Name || replay.Counterpart((int)now[i].TensorIndex) != tensor || !replay.IsWhole(tensor))
            {
                throw Signature($"'{now[i].Name}' for another tensor", $"'{before[i].Name}' for that of the original");
            }
        }
    }

    private static void Metadata(ModelRecord original, ModelRecord result, GraphReplay[] replays)
    {
        (string Name, ReadOnlyMemory<byte> Data)[] now = [.. Read(result).Where(m => m.Name is not ("min_runtime_version" or "CONVERSION_METADATA"))];

        // An entry without content may go.
        (string Name, ReadOnlyMemory<byte> Data)[] before =
        [
            .. Read(original).Where(m => m.Name is not ("min_runtime_version" or "CONVERSION_METADATA") && (!m.Data.IsEmpty || now.Any(n => n.Name == m.Name))),
        ];
        if (before.Length != now.Length || !before.Zip(now).All(p => p.First.Name == p.Second.Name && p.First.Data.Span.SequenceEqual(p.Second.Data.Span)))
        {
            throw Refusal.Of("metadata have changed", string.Join(", ", now.Select(m => m.Name)), $"as in the original: {string.Join(", ", before.Select(m => m.Name))}", "result", "metadata");
        }

        // The plan names tensors by number.
        if (before.Any(m => m.Name == MemoryPlan) && !replays.All(r => r.KeepsNumbers))
        {
            throw Refusal.Of("a memory plan names tensors that have other numbers now", "another order of tensors", "the order of the original, or no plan", "result", "metadata");
        }
    }

    private static IEnumerable<(string Name, ReadOnlyMemory<byte> Data)> Read(ModelRecord model) =>
        model.Metadata.Select(m => (m.Name ?? "", model.Buffers[(int)m.Buffer].Data));

    private static DiagnosticException Signature<T>(T found, T expected) =>
        Refusal.Of("signatures have changed", $"{found}", $"{expected}", "result", "signatures");
}
