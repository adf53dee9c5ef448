using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops;
using Optc.Ops.TfLite;
using Optc.Runtime;

namespace Optc.Tests.Unit.Ops;

/// <summary>One op between operands that are given, computed by the interpreter.</summary>
internal sealed class OpCase(IOp op)
{
    private readonly List<Value?> _operands = [];
    private readonly List<(Value Value, byte[] Content)> _inputs = [];
    private readonly List<TensorType> _declared = [];
    private readonly List<QuantParams?> _outputQuant = [];
    private readonly List<Graph> _subgraphs = [];

    /// <summary>An operand that the graph gets as an input.</summary>
    public OpCase Input<T>(TensorType type, params ReadOnlySpan<T> values)
        where T : unmanaged
    {
        Value value = GraphBuilder.Result($"x{_operands.Count}", type);
        _inputs.Add((value, MemoryMarshal.AsBytes(values).ToArray()));
        _operands.Add(value);
        return this;
    }

    public OpCase Input<T>(DType type, Shape shape, params ReadOnlySpan<T> values)
        where T : unmanaged => Input(new TensorType(type, shape), values);

    public OpCase Constant<T>(TensorType type, params ReadOnlySpan<T> values)
        where T : unmanaged
    {
        _operands.Add(GraphBuilder.Constant(TensorData.From(type.DType, type.Shape, values), $"c{_operands.Count}", type.Quant));
        return this;
    }

    public OpCase Constant<T>(DType type, Shape shape, params ReadOnlySpan<T> values)
        where T : unmanaged => Constant(new TensorType(type, shape), values);

    public OpCase Variable(TensorType type)
    {
        _operands.Add(GraphBuilder.Variable($"v{_operands.Count}", type));
        return this;
    }

    /// <summary>Optional operands that are left out.</summary>
    public OpCase Missing(int count = 1)
    {
        _operands.AddRange(Enumerable.Repeat<Value?>(null, count));
        return this;
    }

    /// <summary>Declares the next output in full, instead of leaving its type to the shape rule.</summary>
    public OpCase Output(TensorType type)
    {
        _declared.Add(type);
        return this;
    }

    /// <summary>Quantization of the next output, whose type follows from the shape rule.</summary>
    public OpCase OutputQuant(float scale, long zeroPoint)
    {
        _outputQuant.Add(new(scale, zeroPoint));
        return this;
    }

    /// <summary>A graph that the op calls by name.</summary>
    public OpCase Subgraph(Graph graph)
    {
        _subgraphs.Add(graph);
        return this;
    }

    /// <summary>The types that the shape rule gives.</summary>
    public ImmutableArray<TensorType> Infer() => op.InferTypes(Operands());

    /// <summary>Version of the operator in a <c>.tflite</c> file.</summary>
    public int Version() => ((ITfLiteOp)op).Write(new(Operands(), [.. _subgraphs.Select(g => g.Name)])).Version;

    /// <summary>Prepares the op; the inputs are filled with what they were given.</summary>
    public OpRun Prepare(InterpreterOptions? options = null)
    {
        GraphBuilder builder = new("main", name => _subgraphs.Find(g => g.Name == name));
        Dictionary<Value, Value> map = _inputs.ToDictionary(i => i.Value, i => builder.Input(i.Value.Name, i.Value.Type));
        ImmutableArray<Value?> operands = [.. _operands.Select(v => v is not null && map.TryGetValue(v, out Value? input) ? input : v)];
        Node node = _declared.Count > 0
            ? builder.Add(op, operands, [.. _declared.Select((t, i) => GraphBuilder.Result($"y{i}", t))], "op")
            : builder.Add(op, operands, "op", [.. _outputQuant]);
        foreach (Value output in node.Outputs)
        {
            builder.Output(output);
        }

        Interpreter interpreter = new(GraphBuilder.Module([builder.Build(), .. _subgraphs]), options: options);
        for (int i = 0; i < _inputs.Count; i++)
        {
            _inputs[i].Content.CopyTo(interpreter.Input(i));
        }

        return new(interpreter);
    }

    /// <summary>Content of one output after one run.</summary>
    public T[] Run<T>(int output = 0, InterpreterOptions? options = null)
        where T : unmanaged
    {
        using OpRun run = Prepare(options);
        return run.Next<T>(output);
    }

    /// <summary>The op made again from its printed attributes.</summary>
    public static IOp Reparse(IOp op)
    {
        AttributeWriter writer = new();
        op.Describe(writer);
        return OpSet.Find(op.Schema.Name)!.Parse(new(writer.Entries.ToDictionary(e => e.Name, e => e.Text)));
    }

    private OpOperands Operands() => new(
        [.. _operands.Select(v => v?.Type)],
        [.. _operands.Select(v => v?.Constant)],
        [.. _declared],
        name => _subgraphs.Find(g => g.Name == name));
}

/// <summary>A prepared op, to be run as often as needed.</summary>
internal sealed class OpRun(Interpreter interpreter) : IDisposable
{
    public Interpreter Interpreter => interpreter;

    /// <summary>Content of an output after one more run.</summary>
    public T[] Next<T>(int output = 0)
        where T : unmanaged
    {
        interpreter.Run();
        return interpreter.Output<T>(output).ToArray();
    }

    public OpRun Set<T>(int input, params ReadOnlySpan<T> values)
        where T : unmanaged
    {
        values.CopyTo(interpreter.Input<T>(input));
        return this;
    }

    public void Dispose() => interpreter.Dispose();
}
