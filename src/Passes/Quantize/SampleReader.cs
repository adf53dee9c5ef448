using System.Collections.Immutable;
using System.Numerics.Tensors;
using Optc.Ir;
using Optc.Runtime;

namespace Optc.Passes.Quantize;

/// <summary>Puts the tensors of samples into the inputs of an interpreter.</summary>
internal sealed class SampleReader
{
    private readonly Interpreter _interpreter;
    private readonly Dictionary<string, int> _positions = [];
    private readonly bool[] _filled;

    public SampleReader(Module module, Interpreter interpreter)
    {
        _interpreter = interpreter;
        _filled = new bool[interpreter.InputCount];
        Graph graph = interpreter.Graph;
        foreach (Signature signature in module.Signatures.Where(s => s.Graph == graph))
        {
            foreach ((string name, Value value) in signature.Inputs)
            {
                _positions.TryAdd(name, graph.Inputs.ToList().IndexOf(value));
            }
        }

        for (int i = 0; i < graph.Inputs.Count; i++)
        {
            _positions.TryAdd(graph.Inputs[i].Name, i);
        }
    }

    /// <exception cref="DiagnosticException">The tensors are not those that the model takes.</exception>
    public void Fill(long sample, ImmutableArray<CalibrationTensor> tensors)
    {
        Array.Clear(_filled);
        int next = 0;
        foreach (CalibrationTensor tensor in tensors)
        {
            int position = tensor.Name is null ? next++ : _positions.GetValueOrDefault(tensor.Name, -1);
            if ((uint)position >= (uint)_filled.Length)
            {
                throw Mismatch(
                    sample,
                    tensor.Name is null ? "a sample has more tensors than the model has inputs" : "a sample has a tensor for an input that the model does not have",
                    tensor.Name is null ? $"{tensors.Length} tensors" : $"'{tensor.Name}'",
                    tensor.Name is null ? $"{_filled.Length}" : string.Join(" or ", _positions.Keys.Order(StringComparer.Ordinal).Select(n => $"'{n}'")));
            }

            Fill(sample, position, tensor.Data.ToDense());
            _filled[position] = true;
        }

        int missing = Array.IndexOf(_filled, false);
        if (missing >= 0)
        {
            throw Mismatch(sample, "a sample has no tensor for an input", null, $"'{_interpreter.Graph.Inputs[missing].Name}'");
        }
    }

    private void Fill(long sample, int position, TensorData data)
    {
        TensorType type = _interpreter.InputType(position);
        if (!Fits(type.Shape, data.Shape))
        {
            throw Mismatch(sample, $"a sample has another shape than input '{_interpreter.Graph.Inputs[position].Name}'", data.Shape.ToString(), type.Shape.ToString());
        }

        if (type.DType == data.DType)
        {
            data.Bytes.Span.CopyTo(_interpreter.Input(position));
            return;
        }

        if (type.DType is not DType.F32 || !TryConvert(data, _interpreter.Input<float>(position)))
        {
            throw Mismatch(sample, $"a sample has another element type than input '{_interpreter.Graph.Inputs[position].Name}'", data.DType.Name, type.DType.Name);
        }
    }

    /// <summary>Equal, but for dimensions of 1 in front.</summary>
    private static bool Fits(Shape wanted, Shape found) =>
        Significant(wanted).SequenceEqual(Significant(found));

    private static ReadOnlySpan<int> Significant(Shape shape) => shape.Dims.AsSpan().TrimStart(1);

    private static bool TryConvert(TensorData data, Span<float> target)
    {
        switch (data.DType)
        {
            case DType.F16:
                TensorPrimitives.ConvertToSingle(data.Span<Half>(), target);
                return true;
            case DType.F64:
                TensorPrimitives.ConvertTruncating<double, float>(data.Span<double>(), target);
                return true;
            case DType.U8:
                TensorPrimitives.ConvertTruncating<byte, float>(data.Span<byte>(), target);
                return true;
            case DType.I8:
                TensorPrimitives.ConvertTruncating<sbyte, float>(data.Span<sbyte>(), target);
                return true;
            case DType.I16:
                TensorPrimitives.ConvertTruncating<short, float>(data.Span<short>(), target);
                return true;
            case DType.U16:
                TensorPrimitives.ConvertTruncating<ushort, float>(data.Span<ushort>(), target);
                return true;
            case DType.I32:
                TensorPrimitives.ConvertTruncating<int, float>(data.Span<int>(), target);
                return true;
            default:
                return false;
        }
    }

    private static DiagnosticException Mismatch(long sample, string message, string? found, string? expected) =>
        new(new Diagnostic(DiagnosticId.DataMismatch, message) { At = [$"calibration sample {sample}"], Found = found, Expected = expected });
}
