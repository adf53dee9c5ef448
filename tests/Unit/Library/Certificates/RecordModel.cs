using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Formats.TfLite;

namespace Optc.Tests.Unit.Library.Certificates;

/// <summary>Makes files operator by operator, with nothing between a test and what stands in the file.</summary>
internal sealed class RecordModel
{
    private readonly List<TensorRecord> _tensors = [];
    private readonly List<BufferRecord> _buffers = [new()];
    private readonly List<OperatorCodeRecord> _codes = [];
    private readonly List<OperatorRecord> _operators = [];

    public int Activation(string name, int[] shape, float scale = 0.05f, int zero = 0, TensorElementType type = TensorElementType.Int8) =>
        Tensor(name, shape, type, [], [scale], [zero], 0);

    public int Float(string name, int[] shape) => Tensor(name, shape, TensorElementType.Float32, [], [], [], 0);

    public int Weights(string name, int[] shape, sbyte[] data, float[] scales, int dimension = 0) =>
        Tensor(name, shape, TensorElementType.Int8, MemoryMarshal.AsBytes<sbyte>(data).ToArray(), scales, new long[scales.Length], dimension);

    public int Bias(string name, int[] data, float[] scales) =>
        Tensor(name, [data.Length], TensorElementType.Int32, MemoryMarshal.AsBytes<int>(data).ToArray(), scales, new long[scales.Length], 0);

    public int Numbers(string name, params int[] data) => Numbers(name, [data.Length], data);

    public int Numbers(string name, int[] shape, int[] data) =>
        Tensor(name, shape, TensorElementType.Int32, MemoryMarshal.AsBytes<int>(data).ToArray(), [], [], 0);

    public int Floats(string name, int[] shape, float[] data) =>
        Tensor(name, shape, TensorElementType.Float32, MemoryMarshal.AsBytes<float>(data).ToArray(), [], [], 0);

    public int Tensor(string name, int[] shape, TensorElementType type, byte[] data, float[] scales, long[] zeros, int dimension)
    {
        if (data.Length > 0)
        {
            _buffers.Add(new() { Data = data });
        }

        _tensors.Add(new()
        {
            Name = name,
            Shape = [.. shape],
            Type = type,
            Buffer = data.Length > 0 ? (uint)(_buffers.Count - 1) : 0,
            Quantization = scales.Length == 0 ? null : new() { Scale = [.. scales], ZeroPoint = [.. zeros], QuantizedDimension = dimension },
        });
        return _tensors.Count - 1;
    }

    public int Operator(BuiltinOperator kind, int[] inputs, int output, IBuiltinOptions? options = null)
    {
        int code = _codes.FindIndex(c => c.BuiltinCode == kind);
        if (code < 0)
        {
            code = _codes.Count;
            _codes.Add(new() { BuiltinCode = kind });
        }

        _operators.Add(new() { OpcodeIndex = (uint)code, Inputs = [.. inputs], Outputs = [output], BuiltinOptions = options });
        return output;
    }

    public byte[] File(int[] inputs, params int[] outputs) => TfLiteFile.ToArray(new()
    {
        OperatorCodes = [.. _codes],
        Buffers = [.. _buffers],
        Subgraphs = [new() { Name = "main", Tensors = [.. _tensors], Operators = [.. _operators], Inputs = [.. inputs], Outputs = [.. outputs] }],
        SignatureDefs =
        [
            new()
            {
                SignatureKey = "serving_default",
                Inputs = [.. inputs.Select((t, i) => new TensorMap { Name = $"x{i}", TensorIndex = (uint)t })],
                Outputs = [.. outputs.Select((t, i) => new TensorMap { Name = $"y{i}", TensorIndex = (uint)t })],
            },
        ],
    });

    /// <summary>The elements whose index on one axis is among those kept.</summary>
    public static T[] Slice<T>(T[] data, int[] shape, int axis, ImmutableArray<int> kept)
    {
        int inner = shape.Skip(axis + 1).Aggregate(1, (a, b) => a * b);
        return [.. data.Where((_, i) => kept.Contains(i / inner % shape[axis]))];
    }
}
