using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using Optc.Backends.TfLite;
using Optc.Backends.TfLiteMicro;
using Optc.Formats.TfLite;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Execution;
using Optc.Passes.Prune;
using Optc.Structure;

namespace Optc.Report;

/// <summary>Makes an <see cref="Inspection"/>, walking the graphs and the records of the file side by side.</summary>
internal sealed class Inspector
{
    private const int DepthwiseChannelAxis = 3;

    // A few bytes of a sparse layout can stand for any number of zeros.
    private const long LargestExpansion = 1 << 28;

    private static readonly ImmutableArray<(KernelTypes Flag, DType Type)> KernelTypesOf =
    [
        (KernelTypes.F32, DType.F32), (KernelTypes.I8, DType.I8), (KernelTypes.I16, DType.I16), (KernelTypes.U8, DType.U8),
        (KernelTypes.I32, DType.I32), (KernelTypes.I64, DType.I64), (KernelTypes.Bool, DType.Bool),
    ];

    private readonly Module _module;
    private readonly TfLiteByteMap _bytes;
    private readonly TfLiteByteUse[] _buffers;
    private readonly ReadOnlyMemory<byte> _file;
    private readonly List<(Value Value, TensorData Content, Node Layer, string Operand, bool Shared)> _weights = [];
    private readonly HashSet<Value> _seenConstants = [];
    private readonly HashSet<uint> _seenBuffers = [];
    private readonly List<Operator> _operators = [];
    private long _parameters;

    public Inspector(Module module, ReadOnlyMemory<byte> file)
    {
        _module = module;
        _bytes = TfLiteByteMap.Of(file);
        _file = file;
        ModelRecord model = _bytes.Model;
        if (model.Subgraphs.Length != module.Graphs.Length
            || model.Subgraphs.Zip(module.Graphs).Any(p => p.First.Operators.Length != p.Second.Nodes.Count))
        {
            throw new ArgumentException("The file holds another model than the module.", nameof(file));
        }

        _buffers = new TfLiteByteUse[model.Buffers.Length];
        Array.Fill(_buffers, TfLiteByteUse.Unused);
        foreach (MetadataRecord metadata in model.Metadata)
        {
            _buffers[metadata.Buffer] = TfLiteByteUse.Metadata;
        }

        foreach (SubGraphRecord graph in model.Subgraphs)
        {
            foreach (int tensor in Used(graph))
            {
                _buffers[graph.Tensors[tensor].Buffer] = TfLiteByteUse.OtherConstants;
            }
        }
    }

    /// <summary>The tensors that operators or callers see.</summary>
    private static IEnumerable<int> Used(SubGraphRecord graph) => graph.Inputs
        .Concat(graph.Outputs)
        .Concat(graph.Operators.SelectMany(o => o.Inputs.Concat(o.Outputs).Concat(o.Intermediates)))
        .Concat(graph.Tensors.Select(t => t.Quantization?.Details).OfType<BlockwiseQuantization>().SelectMany(b => new[] { b.Scales, b.ZeroPoints }))
        .Where(t => (uint)t < (uint)graph.Tensors.Length);

    public Inspection Inspect()
    {
        Walk();
        Dictionary<Value, PrunableWeight> places = [];
        foreach (PrunableWeight weight in _module.Graphs.SelectMany(g => PrunableWeight.Of(g)))
        {
            places.TryAdd(weight.Source!, weight);
        }

        ArenaEstimate arena = ArenaEstimate.Of(_module);
        short[]?[] codes = [.. _weights.Select(w => CodableWeights.Of(Dense(w.Value, w.Content, w.Layer), w.Value.Type.Quant))];
        (long peak, Node? at) = Peak(_module.Main);
        long macs = MultiplyAccumulates.Sum(_operators.Select(o => o.Macs));
        return new(
            _module.Description,
            MinimumRuntime(),
            _parameters,
            macs,
            new(_file.Length, Uses()),
            new(arena.Total, arena.Activations, arena.Persistent, peak, at?.Name),
            [.. _module.Signatures.Select(s => new SignatureEntry(s.Key, s.Graph.Name, Tensors(s.Inputs), Tensors(s.Outputs)))],
            [.. _module.Graphs.Select(GraphOf)],
            [.. _operators.GroupBy(o => (o.Name, o.Type, o.Executable)).Select(group => OperatorOf(group.Key, [.. group], macs))],
            [.. _bytes.Model.Metadata.Select(m => new MetadataEntry(m.Name ?? "", ContentOf(m).Length))],
            [
                .. _weights.Select((w, i) => WeightOf(w.Value, w.Content, w.Layer, w.Operand, w.Shared) with
                {
                    Bound = places.TryGetValue(w.Value, out PrunableWeight? place) ? WeightStructures.Describe(place) : null,
                    Coded = codes[i] is { Length: > 0 } own ? [.. ModelSizes.Coders.Select(c => WeightCost.Of(c, own))] : [],
                }),
            ])
        {
            Sizes = SizesOf(codes),
        };
    }

    /// <summary>Only where the bytes of the file went.</summary>
    public FileSize Size()
    {
        Walk();
        return new(_file.Length, Uses());
    }

    private ModelSizes SizesOf(short[]?[] codes)
    {
        (TensorData Content, short[]? Codes)[] own = [.. _weights.Zip(codes).Where(w => !w.First.Shared).Select(w => (w.First.Content, w.Second))];
        ReadOnlyMemory<short>[] coded = [.. own.Where(w => w.Codes is { Length: > 0 }).Select(w => (ReadOnlyMemory<short>)w.Codes)];
        return new(
            _file.Length,
            WeightCoders.Gzip.CountBytes(_file.Span),
            own.Sum(w => w.Content.Shape.ElementCount),
            own.Sum(w => (long)w.Content.Bytes.Length),
            coded.Length == 0 ? [] : [.. ModelSizes.Coders.Select(c => WeightCost.Of(c, coded))],
            own.Where(w => w.Codes is null).Sum(w => (long)w.Content.Bytes.Length));
    }

    private void Walk()
    {
        for (int g = 0; g < _module.Graphs.Length; g++)
        {
            for (int n = 0; n < _module.Graphs[g].Nodes.Count; n++)
            {
                Visit(_module.Graphs[g].Nodes[n], _bytes.Model.Subgraphs[g], _bytes.Model.Subgraphs[g].Operators[n]);
            }
        }
    }

    /// <summary>Name, type, shape and grid of a tensor of an interface.</summary>
    internal static TensorEntry TensorOf(string name, TensorType type) => new(name, type.DType.Name, Dims(type.Shape), Grid(type.Quant));

    private static ImmutableArray<int>? Dims(Shape shape) => shape.HasRank ? shape.Dims : null;

    private static GridEntry? Grid(QuantParams? quant) => quant is null ? null : new(
        quant.Scales.Length,
        quant.Scales.Min(),
        quant.Scales.Max(),
        quant.ZeroPoints.Min(),
        quant.ZeroPoints.Max(),
        quant.IsPerAxis ? quant.Axis : null);

    private static ImmutableArray<TensorEntry> Tensors(ImmutableArray<(string Name, Value Value)> entries) =>
        [.. entries.Select(e => TensorOf(e.Name, e.Value.Type))];

    private static GraphEntry GraphOf(Graph graph) => new(
        graph.Name,
        graph.Nodes.Count,
        graph.Values().Count(),
        MultiplyAccumulates.Of(graph),
        [.. graph.Inputs.Select(v => TensorOf(v.Name, v.Type))],
        [.. graph.Outputs.Select(v => TensorOf(v.Name, v.Type))]);

    private static OperatorEntry OperatorOf((string Name, string Type, bool Executable) kind, Operator[] group, long total)
    {
        long macs = MultiplyAccumulates.Sum(group.Select(o => o.Macs));
        return new(
            kind.Name,
            kind.Type,
            group.Length,
            [.. group.Select(o => o.Version).Distinct().Order()],
            macs,
            Percent(macs, total),
            kind.Executable);
    }

    private static double Percent(long part, long whole) => whole == 0 ? 0 : 100.0 * part / whole;

    private string? MinimumRuntime()
    {
        foreach (MetadataRecord metadata in _bytes.Model.Metadata)
        {
            if (metadata.Name == RuntimeVersions.MetadataName)
            {
                return Encoding.UTF8.GetString(ContentOf(metadata)).TrimEnd('\0');
            }
        }

        return RuntimeVersions.Minimum(_bytes.Model.OperatorCodes);
    }

    private ReadOnlySpan<byte> ContentOf(MetadataRecord metadata) => _bytes.Model.Buffers[(int)metadata.Buffer].Data.Span;

    private ImmutableArray<ByteUse> Uses()
    {
        ImmutableArray<long> counts = _bytes.Count(_buffers);
        return [.. Enum.GetValues<TfLiteByteUse>().Select(use => new ByteUse(NameOf(use), counts[(int)use], Percent(counts[(int)use], _file.Length)))];
    }

    private static string NameOf(TfLiteByteUse use) => use switch
    {
        TfLiteByteUse.Weights => "weights",
        TfLiteByteUse.Biases => "biases",
        TfLiteByteUse.OtherConstants => "other constants",
        TfLiteByteUse.Metadata => "metadata",
        TfLiteByteUse.Scales => "scales",
        TfLiteByteUse.ZeroPoints => "zero points",
        TfLiteByteUse.RecordedRanges => "recorded ranges",
        TfLiteByteUse.SparseIndices => "sparse indices",
        TfLiteByteUse.Shapes => "shapes",
        TfLiteByteUse.Names => "names",
        TfLiteByteUse.OperatorOptions => "operator options",
        TfLiteByteUse.OperatorTables => "operator tables",
        TfLiteByteUse.TensorTables => "tensor tables",
        TfLiteByteUse.BufferTables => "buffer tables",
        TfLiteByteUse.GraphTables => "graph tables",
        TfLiteByteUse.VTables => "vtables",
        TfLiteByteUse.Head => "head",
        TfLiteByteUse.Padding => "padding",
        TfLiteByteUse.Unused => "unused",
        _ => throw new UnreachableException(),
    };

    private void Visit(Node node, SubGraphRecord graph, OperatorRecord record)
    {
        (string type, bool executable) = TypeOf(node);
        int version = _bytes.Model.OperatorCodes[(int)record.OpcodeIndex].Version;
        _operators.Add(new(NameOf(node.Op), type, version, MultiplyAccumulates.Of(node), executable));
        for (int i = 0; i < node.Inputs.Length; i++)
        {
            if (node.Inputs[i] is not { Constant: { } content } value || i >= record.Inputs.Length || record.Inputs[i] < 0)
            {
                continue;
            }

            uint buffer = graph.Tensors[record.Inputs[i]].Buffer;
            (TfLiteByteUse use, Node layer, string operand) = OperandRole.Of(value, node, i);
            _buffers[buffer] = (TfLiteByteUse)Math.Min((int)_buffers[buffer], (int)use);
            if (use is TfLiteByteUse.OtherConstants || !_seenConstants.Add(value))
            {
                continue;
            }

            bool shared = !_seenBuffers.Add(buffer);
            _parameters += shared ? 0 : content.Shape.ElementCount;
            if (use is TfLiteByteUse.Weights && content.DType.BitWidth is > 0 and <= 64)
            {
                _weights.Add((value, content, layer, operand, shared));
            }
        }
    }

    private static string NameOf(IOp op) => op is OpaqueTfLite { CustomName.Length: 0 } opaque ? opaque.Code.ToString() : op is OpaqueTfLite ? op.Title : op.Schema.Name;

    /// <summary>What is known of one weight tensor.</summary>
    internal static WeightEntry WeightOf(Value value, TensorData content, Node layer, string operand, bool shared)
    {
        TensorData dense = Dense(value, content, layer);
        QuantParams? quant = value.Type.Quant;
        WeightStatistics statistics = WeightStatistics.Of(dense, quant, ChannelAxis(layer, content.Shape, quant));
        long elements = content.Shape.ElementCount;
        return new(
            value.Name,
            layer.Name,
            NameOf(layer.Op),
            operand,
            content.DType.Name,
            Dims(content.Shape),
            elements,
            content.Bytes.Length,
            shared,
            statistics.Zeros,
            Percent(statistics.Zeros, elements),
            statistics.Distinct,
            statistics.DistinctPerChannel,
            statistics.Entropy,
            (long)Math.Ceiling((elements * statistics.Entropy / 8) - 1e-9),
            statistics.Channels,
            statistics.ZeroChannels,
            statistics.Pattern,
            content.Sparse is not null,
            Grid(quant));
    }

    /// <summary>All elements of a constant, however it is stored.</summary>
    internal static TensorData Dense(Value value, TensorData content, Node layer)
    {
        if (content.Sparse is not null && content.DType.ByteCount(content.Shape.ElementCount) > LargestExpansion)
        {
            throw Refused(DiagnosticId.MemoryLimit, "a sparse constant is too large to be expanded", content.Shape.ToString(), "less than 2^28 bytes");
        }

        try
        {
            return content.ToDense();
        }
        catch (OpRuleException problem)
        {
            throw Refused(DiagnosticId.InvalidGraph, problem.Message, problem.Found, problem.Expected);
        }

        DiagnosticException Refused(DiagnosticId id, string message, string? found, string? expected) => new(new Diagnostic(id, message)
        {
            At = [layer.ToString(), $"constant '{value.Name}'"],
            Found = found,
            Expected = expected,
        });
    }

    private static int ChannelAxis(Node layer, Shape shape, QuantParams? quant) =>
        quant is { IsPerAxis: true } && quant.Axis < shape.Rank ? quant.Axis
        : layer.Op is DepthwiseConv2D && shape.Rank > DepthwiseChannelAxis ? DepthwiseChannelAxis
        : 0;

    /// <summary>The type of the first activation that a node reads (else of what it makes), and whether there is a kernel for it.</summary>
    private static (string Type, bool Executable) TypeOf(Node node)
    {
        int x = node.Op.Schema.Inputs.IndexOf("x");
        Value? first = node.Op is EmbeddingLookup ? node.Outputs[0]
            : x >= 0 ? node.Input(x)
            : node.Inputs.FirstOrDefault(v => v is { Constant: null }) ?? node.Outputs.FirstOrDefault() ?? node.Inputs.FirstOrDefault();
        if (first is null)
        {
            return ("none", node.Op is IExecutable);
        }

        DType type = first.Type.DType;
        bool hybrid = type is DType.F32 && node.Inputs.Any(v => v is { Constant: not null, Type.Quant: not null })
            && node.Op.Schema.Kernels.HasFlag(KernelTypes.Hybrid);
        KernelTypes flag = hybrid ? KernelTypes.Hybrid : KernelTypesOf.FirstOrDefault(k => k.Type == type).Flag;
        KernelTypes kernels = node.Op.Schema.Kernels;
        bool executable = node.Op is IExecutable && (kernels.HasFlag(KernelTypes.Any) || (flag != KernelTypes.None && kernels.HasFlag(flag)));
        return (hybrid ? "hybrid" : type.Name, executable);
    }

    private static (long Bytes, Node? Layer) Peak(Graph graph)
    {
        Dictionary<Value, int> last = [];
        for (int step = 0; step < graph.Nodes.Count; step++)
        {
            foreach (Value value in graph.Nodes[step].Inputs.OfType<Value>().Concat(graph.Nodes[step].Outputs))
            {
                last[value] = step;
            }
        }

        foreach (Value output in graph.Outputs)
        {
            last[output] = int.MaxValue;
        }

        Dictionary<Value, long> live = [];
        foreach (Value input in graph.Inputs)
        {
            live[input] = SizeOf(input);
        }

        long peak = live.Values.Sum();
        Node? at = graph.Nodes.Count > 0 ? graph.Nodes[0] : null;
        for (int step = 0; step < graph.Nodes.Count; step++)
        {
            foreach (Value output in graph.Nodes[step].Outputs)
            {
                live[output] = SizeOf(output);
            }

            long now = live.Values.Sum();
            (peak, at) = now > peak ? (now, graph.Nodes[step]) : (peak, at);
            foreach (Value dead in live.Keys.Where(v => last.GetValueOrDefault(v, -1) <= step).ToList())
            {
                live.Remove(dead);
            }
        }

        return (peak, at);
    }

    private static long SizeOf(Value value) => value.IsVariable || value.Constant is not null
        ? 0
        : value.Type.DType.ByteCount(MultiplyAccumulates.Elements(value.Type.Shape));

    private readonly record struct Operator(string Name, string Type, int Version, long Macs, bool Executable);
}
