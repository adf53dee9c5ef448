using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Backends.TfLite;

/// <summary>Makes the records of a file from a module.</summary>
internal sealed class ModelExporter(Module module)
{
    // A memory plan by tensor number means nothing once tensors are numbered anew.
    private static readonly ImmutableArray<string> DroppedMetadata = ["OfflineMemoryAllocation", RuntimeVersions.MetadataName];

    /// <exception cref="DiagnosticException">Ops have no encoding; all are listed.</exception>
    public ModelRecord Export()
    {
        BufferPool buffers = new();
        OperatorCodePool codes = new();
        List<Diagnostic> problems = [];
        List<SubGraphExporter> exporters = [.. module.Graphs.Select(g => new SubGraphExporter(module, g, buffers, codes, problems))];
        ImmutableArray<SubGraphRecord> subgraphs = [.. exporters.Select(e => e.Export())];
        if (problems.Count > 0)
        {
            throw new DiagnosticException([.. problems]);
        }

        ImmutableArray<SignatureDefRecord> signatures = [.. module.Signatures.Select(s => Signature(s, exporters))];
        List<MetadataRecord> metadata =
        [
            .. module.Metadata.Where(m => !DroppedMetadata.Contains(m.Name)).Select(m => new MetadataRecord { Name = m.Name, Buffer = buffers.Add(m.Content) }),
        ];
        if (RuntimeVersions.Minimum(codes.Codes) is { } minimum)
        {
            metadata.Add(new() { Name = RuntimeVersions.MetadataName, Buffer = buffers.Add(minimum) });
        }

        return new()
        {
            Description = module.Description.Length == 0 ? null : module.Description,
            OperatorCodes = codes.Codes,
            Subgraphs = subgraphs,
            Buffers = buffers.Buffers,
            SignatureDefs = signatures,
            Metadata = [.. metadata],
        };
    }

    private SignatureDefRecord Signature(Signature signature, List<SubGraphExporter> exporters)
    {
        int index = module.Graphs.IndexOf(signature.Graph);
        TensorMap Map((string Name, Value Value) entry) => new()
        {
            Name = entry.Name,
            TensorIndex = (uint)exporters[index].TensorOf(entry.Value),
        };
        return new()
        {
            SignatureKey = signature.Key,
            SubgraphIndex = (uint)index,
            Inputs = [.. signature.Inputs.Select(Map)],
            Outputs = [.. signature.Outputs.Select(Map)],
        };
    }
}
