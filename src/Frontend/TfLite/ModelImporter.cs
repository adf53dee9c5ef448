using System.Collections.Immutable;
using Optc.Formats;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Frontend.TfLite;

/// <summary>Makes a module of the records of a file.</summary>
internal sealed class ModelImporter(ModelRecord model)
{
    /// <exception cref="MalformedDataException">An index or a size does not fit.</exception>
    /// <exception cref="DiagnosticException">The file uses what is not supported.</exception>
    public Module Import()
    {
        RefuseUnsupported();
        if (model.Subgraphs.IsEmpty)
        {
            throw new MalformedDataException(-1, "Model.subgraphs", "no subgraph", "at least one");
        }

        ImmutableArray<string> names = GraphNames();
        List<SubGraphImporter> importers = [];
        Dictionary<string, Graph> done = [];
        for (int i = 0; i < names.Length; i++)
        {
            SubGraphImporter importer = new(model, i, names);
            done.Add(names[i], importer.Import());
            importers.Add(importer);
        }

        return GraphBuilder.Module(
            [.. names.Select(n => done[n])],
            [.. model.SignatureDefs.Select((s, i) => ImportSignature(s, i, importers, names, done))],
            [.. model.Metadata.Select(ImportMetadata)],
            model.Description ?? "");
    }

    private void RefuseUnsupported()
    {
        foreach (MetadataRecord metadata in model.Metadata)
        {
            if (metadata.Name == "COMPRESSION_METADATA")
            {
                throw Unsupported("the weights are packed by a compression scheme of TFLite Micro", "metadata COMPRESSION_METADATA");
            }
        }

        foreach (SubGraphRecord graph in model.Subgraphs)
        {
            foreach (TensorRecord tensor in graph.Tensors)
            {
                if (tensor.ExternalBuffer != 0)
                {
                    throw Unsupported("the weights are in another file", $"tensor '{tensor.Name}' in external buffer {tensor.ExternalBuffer}");
                }
            }
        }
    }

    private static DiagnosticException Unsupported(string message, string found) =>
        new(new Diagnostic(DiagnosticId.UnsupportedFeature, message) { Found = found });

    private ImmutableArray<string> GraphNames()
    {
        HashSet<string> taken = [];
        ImmutableArray<string>.Builder names = ImmutableArray.CreateBuilder<string>(model.Subgraphs.Length);
        for (int i = 0; i < model.Subgraphs.Length; i++)
        {
            string? given = model.Subgraphs[i].Name;
            string name = string.IsNullOrEmpty(given) ? i == 0 ? "main" : $"subgraph_{i}" : given;
            while (!taken.Add(name))
            {
                name += "_";
            }

            names.Add(name);
        }

        return names.MoveToImmutable();
    }

    private static Signature ImportSignature(
        SignatureDefRecord record, int index, List<SubGraphImporter> importers, ImmutableArray<string> names, Dictionary<string, Graph> done)
    {
        string path = $"Model.signature_defs[{index}]";
        if (record.SubgraphIndex >= importers.Count)
        {
            throw new MalformedDataException(-1, $"{path}.subgraph_index", $"{record.SubgraphIndex}", $"less than {importers.Count}");
        }

        SubGraphImporter importer = importers[(int)record.SubgraphIndex];
        (string Name, Value Value) Map(TensorMap map, int i, string list) => (
            map.Name ?? "",
            importer.TensorAt(map.TensorIndex <= int.MaxValue ? (int)map.TensorIndex : -1, $"{path}.{list}[{i}].tensor_index"));
        return new(
            record.SignatureKey ?? "",
            done[names[(int)record.SubgraphIndex]],
            [.. record.Inputs.Select((m, i) => Map(m, i, "inputs"))],
            [.. record.Outputs.Select((m, i) => Map(m, i, "outputs"))]);
    }

    private (string Name, ReadOnlyMemory<byte> Content) ImportMetadata(MetadataRecord record, int index) =>
        record.Buffer < model.Buffers.Length
            ? (record.Name ?? "", model.Buffers[(int)record.Buffer].Data)
            : throw new MalformedDataException(
                -1, $"Model.metadata[{index}].buffer", $"{record.Buffer}", $"less than {model.Buffers.Length}");
}
