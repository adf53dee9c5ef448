using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops.TfLite;

namespace Optc.Backends.TfLite;

/// <summary>Makes the records of a file from a module.</summary>
internal sealed class ModelExporter(Module module, TfLiteWriteOptions options)
{
    // They say how the file came about.
    private static readonly ImmutableArray<string> DroppedMetadata = ["CONVERSION_METADATA", RuntimeVersions.MetadataName];

    // A memory plan by tensor number means nothing once tensors are numbered anew.
    private readonly bool _keepsNumbers = module.Metadata.Any(m => m.Name == TfLiteTensorFacts.MemoryPlan) && module.Graphs.All(HasNumbers);

    // Entries of optc itself refer to tensors and layers by name.
    private readonly bool _hasAllNames = options.Names is TfLiteNames.All
        || (options.Names is TfLiteNames.Automatic && IsFloat(module))
        || module.Metadata.Any(m => m.Name.StartsWith("optc.", StringComparison.Ordinal));

    /// <exception cref="DiagnosticException">Ops have no encoding; all are listed.</exception>
    public ModelRecord Export()
    {
        BufferPool buffers = new();
        OperatorCodePool codes = new();
        List<Diagnostic> problems = [];
        buffers.AddInOrder(module.Graphs.SelectMany(g => g.Values()).Select(v => v.Constant).OfType<TensorData>());
        List<SubGraphExporter> exporters = [.. module.Graphs.Select(g => new SubGraphExporter(module, g, buffers, codes, problems, options.Target, _keepsNumbers))];
        ImmutableArray<SubGraphRecord> subgraphs = [.. exporters.Select(e => e.Export())];
        if (problems.Count > 0)
        {
            throw new DiagnosticException([.. problems]);
        }

        ImmutableArray<SignatureDefRecord> signatures = [.. module.Signatures.Select(s => Signature(s, exporters))];
        ImmutableArray<MetadataRecord> metadata =
        [
            .. module.Metadata.Where(m => !m.Content.IsEmpty && !DroppedMetadata.Contains(m.Name) && (_keepsNumbers || m.Name != TfLiteTensorFacts.MemoryPlan))
                .Select(m => new MetadataRecord { Name = m.Name, Buffer = buffers.Add(m.Content) }),
        ];
        return new()
        {
            Description = _hasAllNames && module.Description.Length > 0 ? module.Description : null,
            OperatorCodes = codes.Codes,
            Subgraphs = [.. subgraphs.Select((g, i) => WithNames(g, i, codes.Codes, exporters[i]))],
            Buffers = buffers.Buffers,
            SignatureDefs = signatures,
            Metadata = metadata,
        };
    }

    /// <summary>Whether a graph still has exactly the tensors of its file.</summary>
    private static bool HasNumbers(Graph graph) =>
        graph.Values().Select(v => (v.Foreign as TfLiteTensorFacts)?.Index ?? -1).Order().Select((index, i) => index == i).All(same => same);

    /// <summary>Whether layers of the module can be trained: it has float constants, and nothing in it is quantized.</summary>
    private static bool IsFloat(Module module)
    {
        ImmutableArray<Value> values = [.. module.Graphs.SelectMany(g => g.Values())];
        return values.Any(v => v.Constant is { DType: DType.F32 }) && !values.Any(v => v.Type.Quant is not null || v.Constant is { DType: DType.F16 });
    }

    /// <summary>The subgraph with the names that stay; what a reader makes up again is never written.</summary>
    private SubGraphRecord WithNames(SubGraphRecord graph, int index, ImmutableArray<OperatorCodeRecord> codes, SubGraphExporter exporter)
    {
        HashSet<int> interfaces =
        [
            .. module.Graphs[index].Inputs.Concat(module.Graphs[index].Outputs)
                .Concat(module.Signatures.Where(s => s.Graph == module.Graphs[index]).SelectMany(s => s.Inputs.Concat(s.Outputs)).Select(e => e.Value))
                .Select(exporter.TensorOf),
        ];
        ImmutableArray<string?> names = TensorNames.Needed(graph, codes, interfaces, _hasAllNames);
        return graph with
        {
            Name = _hasAllNames || module.Graphs.Length > 1 ? graph.Name : null,
            Tensors = [.. graph.Tensors.Select((t, i) => t with { Name = names[i] })],
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
