using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.TfLite;

namespace Optc.Backends.TfLite;

/// <summary>Makes a subgraph of one graph: tensors in order of first appearance, or as they are numbered in the file.</summary>
internal sealed class SubGraphExporter(Module module, Graph graph, BufferPool buffers, OperatorCodePool codes, List<Diagnostic> problems, TfLiteTarget target, bool keepsNumbers)
{
    private readonly List<TensorRecord> _tensors = [];
    private readonly Dictionary<Value, int> _indices = [];
    private readonly ImmutableArray<string> _graphNames = [.. module.Graphs.Select(g => g.Name)];

    public SubGraphRecord Export()
    {
        foreach (Value value in keepsNumbers ? graph.Values().OrderBy(v => ((TfLiteTensorFacts)v.Foreign!).Index) : graph.Values())
        {
            TensorOf(value);
        }

        ImmutableArray<OperatorRecord> operators = [.. graph.Nodes.Select(Operator).OfType<OperatorRecord>()];
        return new()
        {
            Name = graph.Foreign is TfLiteGraphFacts facts ? facts.Name : graph.Name,
            Inputs = [.. graph.Inputs.Select(TensorOf)],
            Outputs = [.. graph.Outputs.Select(TensorOf)],
            Operators = operators,
            Tensors = [.. _tensors],
        };
    }

    /// <summary>Index of the tensor of a value; a value that no node uses gets its tensor here.</summary>
    public int TensorOf(Value value)
    {
        if (!_indices.TryGetValue(value, out int index))
        {
            TensorRecord record = Tensor(value);
            index = _tensors.Count;
            _tensors.Add(record);
            _indices.Add(value, index);
        }

        return index;
    }

    private TensorRecord Tensor(Value value)
    {
        Shape shape = value.Type.Shape;
        TfLiteTensorFacts? facts = value.Foreign as TfLiteTensorFacts;
        return new()
        {
            Name = value.Name.Length == 0 ? null : value.Name,
            Type = TfLiteTypes.ToCode(value.Type.DType),
            Shape = [.. shape.Dims.Select(d => d < 0 ? 1 : d)],
            ShapeSignature = shape.Dims.Any(d => d < 0) ? shape.Dims : [],
            Buffer = value.Constant is { } constant ? buffers.Add(constant) : 0,
            IsVariable = value.IsVariable,
            Quantization = Quantization(value, facts),
            Sparsity = value.Constant?.Sparse is { } sparse ? SparseRecords.Write(sparse) : null,
            VariantTensors = facts?.Variants ?? [],
        };
    }

    private QuantizationParametersRecord? Quantization(Value value, TfLiteTensorFacts? facts)
    {
        if (facts?.Blockwise is { } blockwise)
        {
            return blockwise.Details is BlockwiseQuantization blocks
                ? blockwise with
                {
                    Details = blocks with
                    {
                        Scales = TensorOf(facts.BlockScales!),
                        ZeroPoints = facts.BlockZeroPoints is null ? -1 : TensorOf(facts.BlockZeroPoints),
                    },
                }
                : blockwise;
        }

        return value.Type.Quant is not { } quant || (target is TfLiteTarget.Micro && IsConvolutionBias(value)) ? null : new()
        {
            Scale = quant.Scales,
            ZeroPoint = ZeroPoints(quant),

            // Of a layer with one channel left too, whose one scale is that of the channel.
            QuantizedDimension = value.Type.Shape.HasRank && quant.Axis < value.Type.Shape.Rank ? quant.Axis : 0,
        };
    }

    private ImmutableArray<long> ZeroPoints(QuantParams quant)
    {
        if (target is TfLiteTarget.Micro && quant.ZeroPoints.All(z => z == 0))
        {
            return [0];
        }

        // LiteRT refuses convolutions whose weights or bias have fewer zero points than scales.
        return quant.ZeroPoints.Length == quant.Scales.Length ? quant.ZeroPoints : [.. Enumerable.Repeat(quant.ZeroPoint, quant.Scales.Length)];
    }

    /// <summary>Whether a constant is a bias and nothing else.</summary>
    private static bool IsConvolutionBias(Value value)
    {
        const int bias = 2;
        return value is { Constant: not null, UseCount: > 0 }
            && value.Users.All(n => n.Op is Conv2D or DepthwiseConv2D && n.Input(bias) == value && n.Inputs.Count(v => v == value) == 1);
    }

    private OperatorRecord? Operator(Node node)
    {
        OperatorRecord record = new()
        {
            Inputs = [.. node.Inputs.Select(v => v is null ? -1 : TensorOf(v))],
            Outputs = [.. node.Outputs.Select(TensorOf)],
        };
        TfLiteOperatorFacts? facts = node.Foreign as TfLiteOperatorFacts;
        record = record with { Intermediates = facts is null ? [] : [.. facts.Intermediates.Select(v => v is null ? -1 : TensorOf(v))] };
        switch (node.Op)
        {
            case OpaqueTfLite opaque when facts is not null:
                return record with
                {
                    OpcodeIndex = codes.Add(opaque.Code, opaque.CustomName, opaque.Version),
                    BuiltinOptions = facts.Record.BuiltinOptions,
                    BuiltinOptions2 = facts.Record.BuiltinOptions2,
                    CustomOptions = facts.Record.CustomOptions,
                    CustomOptionsFormat = facts.Record.CustomOptionsFormat,
                    MutatingVariableInputs = facts.Record.MutatingVariableInputs,
                };
            case ITfLiteOp op when OpSet.Find(node.Op.Schema.Name) is { TfLiteCode: { } code }:
                TfLiteEncoding encoding = op.Write(new(OpOperands.Of(node, module.FindGraph), _graphNames));
                IOperatorOptions? options = encoding.Options is { HasFields: true } ? encoding.Options : null;
                return record with
                {
                    OpcodeIndex = codes.Add(code, customName: "", encoding.Version),
                    BuiltinOptions = options as IBuiltinOptions,
                    BuiltinOptions2 = options as IBuiltinOptions2,
                };
            default:
                problems.Add(new(DiagnosticId.NotExecutable, $"the operator '{node.Op.Schema.Name}' has no encoding in .tflite")
                {
                    At = [$"graph '{graph.Name}'", node.ToString()],
                    Hint = "fold or lower it before writing",
                });
                return null;
        }
    }
}
