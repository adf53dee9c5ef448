using System.Collections.Immutable;
using Optc.Formats;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.TfLite;

namespace Optc.Frontend.TfLite;

/// <summary>Makes a graph of one subgraph. Every tensor becomes one value.</summary>
internal sealed class SubGraphImporter(ModelRecord model, int index, ImmutableArray<string> graphNames)
{
    // Far above the 8 dimensions that runtimes take; keeps recursion over dimensions shallow.
    private const int MaximumRank = 32;

    private readonly SubGraphRecord _record = model.Subgraphs[index];
    private readonly GraphBuilder _builder = new(graphNames[index]);
    private readonly ImmutableArray<string> _names = TensorNames.Of(model.Subgraphs[index], model.OperatorCodes);
    private readonly Value?[] _values = new Value?[model.Subgraphs[index].Tensors.Length];
    private readonly bool _hasMemoryPlan = model.Metadata.Any(m => m.Name == TfLiteTensorFacts.MemoryPlan);
    private readonly HashSet<int> _produced = [.. model.Subgraphs[index].Operators.SelectMany(o => o.Outputs)];

    private string Path => $"Model.subgraphs[{index}]";

    public Graph Import()
    {
        for (int i = 0; i < _record.Inputs.Length; i++)
        {
            ImportInput(_record.Inputs[i], $"{Path}.inputs[{i}]");
        }

        for (int i = 0; i < _record.Operators.Length; i++)
        {
            ImportOperator(_record.Operators[i], $"{Path}.operators[{i}]");
        }

        for (int i = 0; i < _record.Outputs.Length; i++)
        {
            _builder.Output(TensorAt(_record.Outputs[i], $"{Path}.outputs[{i}]"));
        }

        return _builder.Build(new TfLiteGraphFacts(_record.Name));
    }

    /// <summary>The value of a tensor, made at its first use.</summary>
    /// <exception cref="MalformedDataException">There is no such tensor, or it contradicts itself.</exception>
    public Value TensorAt(int tensor, string path)
    {
        CheckIndex(tensor, path);
        return _values[tensor] ??= MakeValue(tensor);
    }

    private void CheckIndex(int tensor, string path)
    {
        if ((uint)tensor >= (uint)_values.Length)
        {
            throw new MalformedDataException(-1, path, $"tensor {tensor}", $"0 to {_values.Length - 1}");
        }
    }

    private void ImportInput(int tensor, string path)
    {
        CheckIndex(tensor, path);
        if (_values[tensor] is not null || _produced.Contains(tensor))
        {
            throw new MalformedDataException(-1, path, $"tensor {tensor}, which is computed or listed twice", "a tensor of its own for every input");
        }

        TensorRecord record = _record.Tensors[tensor];
        _values[tensor] = _builder.Input(_names[tensor], TypeOf(record, tensor), FactsOf(record, tensor));
    }

    private Value MakeValue(int tensor)
    {
        TensorRecord record = _record.Tensors[tensor];
        TensorType type = TypeOf(record, tensor);
        if (_produced.Contains(tensor))
        {
            return GraphBuilder.Result(_names[tensor], type, FactsOf(record, tensor));
        }

        if (record.IsVariable)
        {
            return GraphBuilder.Variable(_names[tensor], type, FactsOf(record, tensor));
        }

        return ConstantOf(record, type, tensor) is { } content
            ? GraphBuilder.Constant(content, _names[tensor], type.Quant, FactsOf(record, tensor))
            : GraphBuilder.Result(_names[tensor], type, FactsOf(record, tensor));
    }

    private TensorData? ConstantOf(TensorRecord record, TensorType type, int tensor)
    {
        string path = $"{Path}.tensors[{tensor}]";
        if (record.Buffer >= model.Buffers.Length)
        {
            throw new MalformedDataException(-1, $"{path}.buffer", $"{record.Buffer}", $"less than {model.Buffers.Length}");
        }

        ReadOnlyMemory<byte> bytes = model.Buffers[(int)record.Buffer].Data;
        Shape shape = record.Shape.IsEmpty ? Shape.Scalar : Shape.Of(record.Shape);
        if (bytes.IsEmpty && (record.Shape.IsEmpty || shape.ElementCount > 0))
        {
            return null;
        }

        SparseLayout? sparse = record.Sparsity is null ? null : SparseRecords.Read(record.Sparsity, $"{path}.sparsity");
        long expected = type.DType is DType.String or DType.Variant ? bytes.Length : type.DType.ByteCount(shape.ElementCount);
        return sparse is not null || expected == bytes.Length
            ? new(type.DType, shape, bytes, sparse)
            : throw new MalformedDataException(-1, path, $"{bytes.Length} bytes of data", $"{expected} bytes for {type.DType.Name}{shape}");
    }

    private TensorType TypeOf(TensorRecord record, int tensor)
    {
        string path = $"{Path}.tensors[{tensor}]";
        DType dtype = TfLiteTypes.FromCode(record.Type)
            ?? throw new MalformedDataException(-1, $"{path}.type", $"{(int)record.Type}", "an element type of this revision of the format");
        ImmutableArray<int> dims = record.ShapeSignature.IsEmpty ? record.Shape : record.ShapeSignature;
        if (record.Shape.Length > MaximumRank)
        {
            throw new MalformedDataException(-1, $"{path}.shape", $"{record.Shape.Length} dimensions", $"at most {MaximumRank}");
        }

        if (record.Shape.Any(d => d < 0) || dims.Any(d => d < -1) || dims.Length != record.Shape.Length)
        {
            throw new MalformedDataException(
                -1, $"{path}.shape", $"[{string.Join(", ", record.Shape)}] with signature [{string.Join(", ", record.ShapeSignature)}]", "sizes from 0 up, and a signature of the same rank");
        }

        Shape shape = Shape.Of(dims);
        try
        {
            // Codes beyond these cannot be planned by anything; better refused here than met as an overflow later.
            _ = dtype.ByteCount(Shape.Of(record.Shape).ElementCount);
        }
        catch (OverflowException)
        {
            throw new MalformedDataException(-1, $"{path}.shape", $"[{string.Join(", ", record.Shape)}]", "a size below 2^60 bytes");
        }

        return new(dtype, shape, QuantOf(record, path));
    }

    private static QuantParams? QuantOf(TensorRecord record, string path)
    {
        if (record.Quantization is not { Details: null } quant || quant.Scale.IsEmpty || quant.ZeroPoint.IsEmpty)
        {
            return null;
        }

        int scales = quant.Scale.Length;

        // Some converters give a bias the axis of its filter; a vector has but one.
        int axis = record.Shape.Length == 1 ? 0 : quant.QuantizedDimension;
        if (quant.ZeroPoint.Length != 1 && quant.ZeroPoint.Length != scales)
        {
            throw new MalformedDataException(-1, $"{path}.quantization.zero_point", $"{quant.ZeroPoint.Length} zero points for {scales} scales", "as many, or one");
        }

        if (scales > 1 && ((uint)axis >= (uint)record.Shape.Length || record.Shape[axis] != scales))
        {
            throw new MalformedDataException(
                -1, $"{path}.quantization.scale", $"{scales} scales along dimension {axis} of [{string.Join(", ", record.Shape)}]", "one for each index of that dimension");
        }

        foreach (float scale in quant.Scale)
        {
            if (!float.IsFinite(scale) || scale < 0)
            {
                throw new MalformedDataException(-1, $"{path}.quantization.scale", $"{scale}", "finite scales from 0 up");
            }
        }

        return new(quant.Scale, quant.ZeroPoint, axis) { Min = quant.Min, Max = quant.Max };
    }

    private TfLiteTensorFacts? FactsOf(TensorRecord record, int tensor)
    {
        QuantizationParametersRecord? blockwise = record.Quantization is { Details: not null } ? record.Quantization : null;
        if (record.VariantTensors.IsEmpty && blockwise is null && !_hasMemoryPlan)
        {
            return null;
        }

        BlockwiseQuantization? blocks = blockwise?.Details as BlockwiseQuantization;
        return new(record.VariantTensors, blockwise)
        {
            BlockScales = blocks is null ? null : PlainTensor(blocks.Scales),
            BlockZeroPoints = blocks is { ZeroPoints: >= 0 } ? PlainTensor(blocks.ZeroPoints) : null,
            Index = _hasMemoryPlan ? tensor : null,
        };
    }

    // Scales of a block quantization are plain constants; anything else would refer to itself without end.
    private Value PlainTensor(int tensor)
    {
        string path = $"{Path}.tensors[].quantization.details";
        CheckIndex(tensor, path);
        return _record.Tensors[tensor].Quantization?.Details is null
            ? TensorAt(tensor, path)
            : throw new MalformedDataException(-1, path, $"tensor {tensor}, which is block-quantized itself", "plain scales");
    }

    private void ImportOperator(OperatorRecord record, string path)
    {
        if (record.OpcodeIndex >= model.OperatorCodes.Length)
        {
            throw new MalformedDataException(-1, $"{path}.opcode_index", $"{record.OpcodeIndex}", $"less than {model.OperatorCodes.Length}");
        }

        ImmutableArray<Value?> inputs = [.. record.Inputs.Select((t, i) => t == -1 ? null : TensorAt(t, $"{path}.inputs[{i}]"))];
        Value[] outputs = new Value[record.Outputs.Length];
        for (int i = 0; i < outputs.Length; i++)
        {
            outputs[i] = TensorAt(record.Outputs[i], $"{path}.outputs[{i}]");
            if (outputs[i].Producer is not null || Array.IndexOf(outputs, outputs[i]) < i)
            {
                throw new MalformedDataException(-1, $"{path}.outputs[{i}]", $"tensor {record.Outputs[i]}, which is computed twice", "one operator for each tensor");
            }
        }

        OperatorCodeRecord code = model.OperatorCodes[(int)record.OpcodeIndex];
        IOp op = OpOf(record, code, inputs, outputs);
        ImmutableArray<Value?> intermediates = [.. record.Intermediates.Select((t, i) => t == -1 ? null : TensorAt(t, $"{path}.intermediates[{i}]"))];
        object? facts = op is OpaqueTfLite || !intermediates.IsEmpty ? new TfLiteOperatorFacts(record, intermediates) : null;
        string name = outputs.Length > 0 ? outputs[0].Name : "";
        _builder.Add(op, inputs, [.. outputs], name, facts);
    }

    private IOp OpOf(OperatorRecord record, OperatorCodeRecord code, ImmutableArray<Value?> inputs, Value[] outputs)
    {
        OpaqueTfLite opaque = new(code.BuiltinCode, code.CustomCode ?? "", code.Version);
        OpEntry? entry = OpSet.Find(code.BuiltinCode);
        if (entry is null)
        {
            return opaque;
        }

        if (code.Version > entry.TfLiteMaximumVersion)
        {
            return opaque with { Reason = $"versions up to {entry.TfLiteMaximumVersion} are known" };
        }

        if (inputs.Any(IsBlockQuantized) || outputs.Any(IsBlockQuantized))
        {
            return opaque with { Reason = "an operand is quantized by blocks" };
        }

        try
        {
            IOp op = entry.ReadTfLite!(new(record, graphNames));
            return TypeProblem(op, inputs, outputs) is { } reason ? opaque with { Reason = reason } : op;
        }
        catch (OpRuleException problem)
        {
            return opaque with { Reason = problem.Found is null ? problem.Message : $"{problem.Message}: {problem.Found}" };
        }
    }

    private static bool IsBlockQuantized(Value? value) => value?.Foreign is TfLiteTensorFacts { Blockwise: not null };

    // Element types that an op does not know leave the node opaque; whatever else is wrong is for the verifier to report.
    private static string? TypeProblem(IOp op, ImmutableArray<Value?> inputs, Value[] outputs)
    {
        try
        {
            op.InferTypes(new([.. inputs.Select(v => v?.Type)], [.. inputs.Select(v => v?.Constant)], [.. outputs.Select(v => v.Type)]));
            return null;
        }
        catch (OpRuleException problem)
        {
            return problem.ConcernsElementType ? $"{problem.Message}: {problem.Found}" : null;
        }
    }
}
