using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Runtime;

namespace Optc.Passes.Quantize;

/// <summary>Puts the tensors of samples into the inputs of an interpreter.</summary>
/// <remarks>
/// A float input takes any real or integer type. A quantized input takes its own type, or float32 and float64, which are
/// put on its grid: <c>round(x / scale) + zero point</c>, ties away from zero, clamped, as the op QUANTIZE does.
/// </remarks>
public sealed class SampleReader
{
    private readonly Interpreter _interpreter;
    private readonly Dictionary<string, int> _positions = [];
    private readonly bool[] _filled;

    private readonly string _place;

    /// <param name="place">What a sample is called in diagnostics.</param>
    public SampleReader(Module module, Interpreter interpreter, string place = "sample")
    {
        _interpreter = interpreter;
        _place = place;
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

        if (type.DType is DType.F32
            ? TryConvert(data, _interpreter.Input<float>(position))
            : TryQuantize(sample, data, type, _interpreter.Input(position)))
        {
            return;
        }

        throw Mismatch(
            sample,
            $"a sample has another element type than input '{_interpreter.Graph.Inputs[position].Name}'",
            data.DType.Name,
            type.Quant is null ? type.DType.Name : $"{type.DType.Name}, or f32 to be quantized");
    }

    private bool TryQuantize(long sample, TensorData data, TensorType type, Span<byte> target)
    {
        if (type.Quant is not { IsPerAxis: false } grid || data.DType is not (DType.F32 or DType.F64 or DType.F16))
        {
            return false;
        }

        float[] real = new float[data.Shape.ElementCount];
        TryConvert(data, real);
        if (!TensorPrimitives.IsFiniteAll<float>(real))
        {
            throw Mismatch(sample, "a sample for a quantized input is no finite number", "NaN or infinity", "finite numbers");
        }

        switch (type.DType)
        {
            case DType.I8:
                Quantize(real, grid, MemoryMarshal.Cast<byte, sbyte>(target));
                return true;
            case DType.U8:
                Quantize(real, grid, target);
                return true;
            case DType.I16:
                Quantize(real, grid, MemoryMarshal.Cast<byte, short>(target));
                return true;
            default:
                return false;
        }
    }

    private static void Quantize<T>(ReadOnlySpan<float> real, QuantParams grid, Span<T> target)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (int i = 0; i < real.Length; i++)
        {
            target[i] = T.CreateSaturating(Math.Round((double)(real[i] / grid.Scale), MidpointRounding.AwayFromZero) + grid.ZeroPoint);
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
            case DType.F32:
                data.AsFloats().CopyTo(target);
                return true;
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

    private DiagnosticException Mismatch(long sample, string message, string? found, string? expected) =>
        new(new Diagnostic(DiagnosticId.DataMismatch, message) { At = [$"{_place} {sample}"], Found = found, Expected = expected });
}
