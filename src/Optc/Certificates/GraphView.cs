using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Certificates;

/// <summary>A subgraph of a file as its records stand there, with who writes what.</summary>
internal sealed class GraphView
{
    private const int Nobody = -1;
    private const long LargestTensor = 1L << 26;

    private readonly int[] _writer;
    private readonly int[] _slot;
    private readonly bool[] _isInput;

    /// <param name="file">How messages name the file.</param>
    /// <exception cref="DiagnosticException">A tensor has two writers, or is read before it is written.</exception>
    public GraphView(ModelRecord model, int subgraph, string file)
    {
        (Model, Graph, Subgraph, File) = (model, model.Subgraphs[subgraph], subgraph, file);
        _writer = new int[Graph.Tensors.Length];
        _slot = new int[Graph.Tensors.Length];
        _isInput = new bool[Graph.Tensors.Length];
        Array.Fill(_writer, Nobody);
        foreach (int input in Graph.Inputs)
        {
            _isInput[input] = !_isInput[input] ? true : throw Unsound("an input is listed twice", [.. Place]);
        }

        for (int o = 0; o < Operators.Length; o++)
        {
            for (int i = 0; i < Operators[o].Outputs.Length; i++)
            {
                int tensor = Operators[o].Outputs[i];
                if (tensor >= 0 && (_isInput[tensor] || _writer[tensor] != Nobody))
                {
                    throw Unsound("a tensor is written twice", At(o));
                }

                if (tensor >= 0)
                {
                    (_writer[tensor], _slot[tensor]) = (o, i);
                }
            }
        }

        for (int o = 0; o < Operators.Length; o++)
        {
            if (Operators[o].Inputs.Any(t => t >= 0 && _writer[t] >= o))
            {
                throw Unsound("a tensor is read before it is written", At(o));
            }
        }
    }

    public ModelRecord Model { get; }

    public SubGraphRecord Graph { get; }

    public int Subgraph { get; }

    public string File { get; }

    public ImmutableArray<OperatorRecord> Operators => Graph.Operators;

    public ImmutableArray<string> Place =>
        Model.Subgraphs.Length == 1 ? [File] : [File, string.Create(CultureInfo.InvariantCulture, $"subgraph {Subgraph}")];

    public ImmutableArray<string> At(int op) =>
        Place.Add(string.Create(CultureInfo.InvariantCulture, $"operator {op} ({Code(op).CustomCode ?? Code(op).BuiltinCode.ToString()})"));

    public TensorRecord Tensor(int tensor) => Graph.Tensors[tensor];

    public OperatorCodeRecord Code(int op) => Model.OperatorCodes[(int)Operators[op].OpcodeIndex];

    public BuiltinOperator Kind(int op) => Code(op).BuiltinCode;

    public bool IsInput(int tensor) => _isInput[tensor];

    /// <summary>Whether a tensor is written by an operator or comes from outside.</summary>
    public bool IsActivation(int tensor) => _isInput[tensor] || _writer[tensor] != Nobody;

    /// <summary>The operator that writes a tensor; -1 for inputs and constants.</summary>
    public int Writer(int tensor) => _writer[tensor];

    /// <summary>The operand of an operator; -1 where it is not given.</summary>
    public int Operand(int op, int slot) => slot < Operators[op].Inputs.Length ? Operators[op].Inputs[slot] : -1;

    /// <summary>A constant: data in the file, and no writer.</summary>
    public bool IsConstant(int tensor) => tensor >= 0 && !IsActivation(tensor) && !Tensor(tensor).IsVariable && Data(tensor).Length > 0;

    public ReadOnlyMemory<byte> Data(int tensor) => Model.Buffers[(int)Tensor(tensor).Buffer].Data;

    /// <summary>The name of a value in certificates.</summary>
    public string Name(int tensor) => _isInput[tensor]
        ? string.Create(CultureInfo.InvariantCulture, $"in{Graph.Inputs.IndexOf(tensor)}")
        : _writer[tensor] != Nobody
            ? string.Create(CultureInfo.InvariantCulture, $"op{_writer[tensor]}:{_slot[tensor]}")
            : string.Create(CultureInfo.InvariantCulture, $"tensor {tensor}");

    /// <summary>The value of a name such as <c>op3:0</c> or <c>in0</c>; -1 when there is none.</summary>
    public int Find(string name)
    {
        if (name.StartsWith("in", StringComparison.Ordinal) && Number(name.AsSpan(2), Graph.Inputs.Length) is int input and >= 0)
        {
            return Graph.Inputs[input];
        }

        int colon = name.IndexOf(':', StringComparison.Ordinal);
        return colon > 2 && name.StartsWith("op", StringComparison.Ordinal)
            && Number(name.AsSpan(2..colon), Operators.Length) is int op and >= 0
            && Number(name.AsSpan(colon + 1), Operators[op].Outputs.Length) is int output and >= 0
                ? Operators[op].Outputs[output]
                : Nobody;
    }

    /// <summary>Number of elements; -1 for shapes with negative or absurd sizes.</summary>
    public static long Count(ImmutableArray<int> shape)
    {
        long count = 1;
        foreach (int size in shape)
        {
            count = size < 0 ? -1 : count * size;
            if (count is < 0 or > LargestTensor)
            {
                return -1;
            }
        }

        return count;
    }

    public long Count(int tensor) => Count(Tensor(tensor).Shape);

    /// <summary>The elements of an integer constant of up to 32 bits; null when it is none, or its data do not fit its shape.</summary>
    public int[]? Integers(int tensor)
    {
        if (tensor < 0 || IsActivation(tensor) || Tensor(tensor).IsVariable || Tensor(tensor).Sparsity is not null || Count(tensor) is not (>= 0 and long count))
        {
            return null;
        }

        ReadOnlySpan<byte> data = Data(tensor).Span;
        TensorElementType type = Tensor(tensor).Type;
        int bits = type switch
        {
            TensorElementType.Int4 => 4,
            TensorElementType.Int8 or TensorElementType.Uint8 => 8,
            TensorElementType.Int16 => 16,
            TensorElementType.Int32 => 32,
            _ => 0,
        };
        if (bits == 0 || data.Length != ((count * bits) + 7) / 8)
        {
            return null;
        }

        int[] elements = new int[count];
        for (int i = 0; i < elements.Length; i++)
        {
            elements[i] = type switch
            {
                TensorElementType.Int4 => (sbyte)(data[i / 2] << (i % 2 == 0 ? 4 : 0)) >> 4,
                TensorElementType.Int8 => (sbyte)data[i],
                TensorElementType.Uint8 => data[i],
                TensorElementType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(data[(2 * i)..]),
                _ => BinaryPrimitives.ReadInt32LittleEndian(data[(4 * i)..]),
            };
        }

        return elements;
    }

    /// <summary>As <see cref="Integers"/>, with 64-bit constants too.</summary>
    public long[]? WideIntegers(int tensor)
    {
        if (tensor < 0 || Tensor(tensor).Type != TensorElementType.Int64)
        {
            return Integers(tensor)?.Select(e => (long)e).ToArray();
        }

        ReadOnlySpan<byte> data = Data(tensor).Span;
        if (IsActivation(tensor) || Tensor(tensor).IsVariable || Tensor(tensor).Sparsity is not null || data.Length != Count(tensor) * 8)
        {
            return null;
        }

        long[] elements = new long[data.Length / 8];
        for (int i = 0; i < elements.Length; i++)
        {
            elements[i] = BinaryPrimitives.ReadInt64LittleEndian(data[(8 * i)..]);
        }

        return elements;
    }

    /// <summary>The bits of the elements of a constant of 1, 2, 4 or 8 bytes each; null when it is none, or its data do not fit its shape.</summary>
    public ulong[]? Bits(int tensor)
    {
        if (tensor < 0 || IsActivation(tensor) || Tensor(tensor).IsVariable || Tensor(tensor).Sparsity is not null || Count(tensor) is not (> 0 and long count))
        {
            return null;
        }

        if (Tensor(tensor).Type == TensorElementType.Int4)
        {
            return Integers(tensor)?.Select(e => (ulong)(uint)e).ToArray();
        }

        ReadOnlySpan<byte> data = Data(tensor).Span;
        int size = Tensor(tensor).Type switch
        {
            TensorElementType.Int8 or TensorElementType.Uint8 or TensorElementType.Bool => 1,
            TensorElementType.Int16 or TensorElementType.Uint16 or TensorElementType.Float16 or TensorElementType.Bfloat16 => 2,
            TensorElementType.Int32 or TensorElementType.Uint32 or TensorElementType.Float32 => 4,
            TensorElementType.Int64 or TensorElementType.Uint64 or TensorElementType.Float64 => 8,
            _ => 0,
        };
        if (size == 0 || data.Length != count * size)
        {
            return null;
        }

        ulong[] elements = new ulong[count];
        for (int i = 0; i < elements.Length; i++)
        {
            ulong bits = 0;
            for (int b = size - 1; b >= 0; b--)
            {
                bits = (bits << 8) | data[(i * size) + b];
            }

            elements[i] = bits;
        }

        return elements;
    }

    private static int Number(ReadOnlySpan<char> text, int count) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < count
            && (text.Length == 1 || text[0] != '0')
            ? number
            : Nobody;

    private static DiagnosticException Unsound(string message, ImmutableArray<string> at) =>
        Refusal.Of(message, "a graph whose order or writers are in doubt", "every tensor written once, before it is read", at);
}
