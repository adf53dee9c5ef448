using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Ir;

namespace Optc.Tests.Conformance.LiteRt;

/// <summary>Makes models of one op with random shapes, grids and weights.</summary>
/// <param name="type">Element type of the activations: f32, i8 or i16.</param>
internal sealed class OpSampler(DType type, int seed)
{
    private readonly GraphBuilder _builder = new("main");
    private readonly Random _random = new(seed);
    private int _constants;
    private int _inputs;

    public bool IsFloat => type is DType.F32;

    /// <summary>Weights of float activations are 8-bit integers.</summary>
    public bool IsHybrid { get; init; }

    public DType Type => type;

    /// <summary>A number of at least <paramref name="least"/> and at most <paramref name="most"/>.</summary>
    public int Int(int least, int most) => _random.Next(least, most + 1);

    public bool Coin() => _random.Next(2) == 0;

    public float Float(double least, double most) => (float)(least + (_random.NextDouble() * (most - least)));

    public T Pick<T>(params ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];

    public Shape Shape(int rank, int least = 1, int most = 6)
    {
        int[] dims = new int[rank];
        for (int i = 0; i < rank; i++)
        {
            dims[i] = Int(least, most);
        }

        return Ir.Shape.Create(dims);
    }

    /// <summary>A grid with a scale of 2^-7 to 2^-1, or none for floats.</summary>
    public QuantParams? Grid() => type switch
    {
        DType.F32 => null,
        DType.I16 => new(Scale(-14, -9), 0),
        _ => new(Scale(-7, -1), Int(-128, 127)),
    };

    /// <summary>A fixed grid; none for floats.</summary>
    public QuantParams? Grid(float scale, int zero) => IsFloat ? null : new(scale, zero);

    /// <summary>A grid whose scale is a random factor of 0.5 to 2 from the given one.</summary>
    public QuantParams? GridNear(double scale) => IsFloat ? null : new((float)(scale * Math.Pow(2, Float(-1, 1))), type is DType.I16 ? 0 : Int(-100, 100));

    public float Scale(double leastLog2, double mostLog2) => (float)Math.Pow(2, Float(leastLog2, mostLog2));

    public Value Input(Shape shape, QuantParams? grid) => _builder.Input($"x{_inputs++}", new(type, shape, grid));

    public Value Input(Shape shape) => Input(shape, Grid());

    public Value InputOf(DType dtype, Shape shape, QuantParams? grid = null) => _builder.Input($"x{_inputs++}", new(dtype, shape, grid));

    /// <summary>A constant of the type of the activations with any content.</summary>
    public Value Constant(Shape shape, QuantParams? grid) =>
        GraphBuilder.Constant(new(type, shape, Content(new(type, shape, grid))), Name(), grid);

    public Value IntTensor(Shape shape, params ReadOnlySpan<int> values) => GraphBuilder.Constant(TensorData.FromInts(shape, values), Name());

    public Value Ints(params ReadOnlySpan<int> values) => IntTensor([values.Length], values);

    public Value IntScalar(int value) => IntTensor(Ir.Shape.Scalar, value);

    /// <summary>Weights: f32, or i8 with zero points of 0 and one scale or one for each index of <paramref name="axis"/>.</summary>
    public Value Weights(Shape shape, int axis, bool perChannel)
    {
        if (IsFloat && !IsHybrid)
        {
            return Constant(shape, grid: null);
        }

        float[] scales = new float[perChannel ? shape[axis] : 1];
        for (int i = 0; i < scales.Length; i++)
        {
            scales[i] = Scale(-9, -5);
        }

        sbyte[] values = new sbyte[shape.ElementCount];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (sbyte)Int(-127, 127);
        }

        return GraphBuilder.Constant(
            TensorData.From<sbyte>(DType.I8, shape, values), Name(), new([.. scales], [.. new long[scales.Length]], axis));
    }

    /// <summary>Bias on the grid of input times weights, small enough to leave the sum its weight.</summary>
    public Value Bias(int count, Value x, Value w, int fanIn)
    {
        if (IsFloat)
        {
            return Constant([count], grid: null);
        }

        float[] scales = [.. w.Type.Quant!.Scales.Select(s => x.Type.Scale * s)];
        double reach = Math.Sqrt(fanIn) * (type is DType.I16 ? 500_000 : 2000);
        long[] values = new long[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (long)Float(-reach, reach);
        }

        TensorData data = type is DType.I16
            ? TensorData.From<long>(DType.I64, [count], values)
            : TensorData.FromInts([count], [.. values.Select(v => (int)v)]);
        return GraphBuilder.Constant(data, Name(), new([.. scales], [.. new long[scales.Length]]));
    }

    /// <summary>A grid on which a sum of <paramref name="fanIn"/> products fills most of the range and sometimes leaves it.</summary>
    public QuantParams? SumGrid(Value x, Value w, int fanIn)
    {
        if (IsFloat)
        {
            return null;
        }

        double deviation = x.Type.Scale * w.Type.Quant!.Scales.Max() * Math.Sqrt(fanIn) * 74 * (type is DType.I16 ? 19_000 : 74);
        return GridNear(deviation / (type is DType.I16 ? 16_000 : 60));
    }

    /// <summary>The result of an op that comes before the one of the model.</summary>
    public Value Before(IOp op, Value x) => _builder.Add(op, [x], op.Schema.Name).Output;

    /// <summary>The model of one op; all results are outputs.</summary>
    public OpModel Finish(IOp op, ImmutableArray<Value?> operands, params ReadOnlySpan<QuantParams?> grids)
    {
        Node node = _builder.Add(op, operands, "y", grids);
        foreach (Value output in node.Outputs)
        {
            _builder.Output(output);
        }

        Graph graph = _builder.Build();
        return new(GraphBuilder.Module([graph]), [.. graph.Inputs.Select(i => Content(i.Type))]);
    }

    /// <summary>The model of unary float ops, one after the other.</summary>
    public OpModel FinishChain(ReadOnlySpan<IOp> ops, Value x)
    {
        Value last = x;
        foreach (IOp op in ops)
        {
            last = _builder.Add(op, [last], "y").Output;
        }

        _builder.Output(last);
        return new(GraphBuilder.Module([_builder.Build()]), [Content(x.Type)]);
    }

    /// <summary>Any content: integers of the whole range, floats of -3 to 3.</summary>
    private byte[] Content(TensorType tensor)
    {
        switch (tensor.DType)
        {
            case DType.F32:
                float[] values = new float[tensor.ElementCount];
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = Float(-3, 3);
                }

                return MemoryMarshal.AsBytes<float>(values).ToArray();
            case DType.I32:
                int[] indices = new int[tensor.ElementCount];
                return MemoryMarshal.AsBytes<int>(indices).ToArray();
            case DType.Bool:
                byte[] truths = new byte[tensor.ElementCount];
                for (int i = 0; i < truths.Length; i++)
                {
                    truths[i] = Coin() ? (byte)1 : (byte)0;
                }

                return truths;
            default:
                byte[] bytes = new byte[tensor.ByteCount];
                _random.NextBytes(bytes);
                return bytes;
        }
    }

    private string Name() => $"c{_constants++}";
}

/// <summary>A model with one set of inputs.</summary>
internal sealed record OpModel(Module Module, ImmutableArray<byte[]> Inputs);
