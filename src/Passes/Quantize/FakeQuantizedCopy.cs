using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Quantize;

/// <summary>
/// A quantized model in float: the same layers with the real values of the integer weights, and every activation rounded to its grid. What
/// it computes differs from the integers by float rounding and by how halves are rounded only.
/// </summary>
public static class FakeQuantizedCopy
{
    private const int MostBits = 16;

    /// <summary>The copy, of a model and what the quantizer made of it.</summary>
    /// <param name="source">The float model.</param>
    /// <param name="quantized">Its static quantization, whose layers and values have the same names.</param>
    /// <exception cref="DiagnosticException">A pass cannot prepare the model.</exception>
    public static Module Of(Module source, Module quantized, PassContext? context = null)
    {
        Module prepared = Pipelines.PrepareForQuantization.Run(source, context);
        Dictionary<string, TensorType> grids = Grids(quantized.Main);
        ILookup<string, Node> layers = quantized.Main.Nodes.ToLookup(n => n.Name);
        Graph graph = prepared.Main;
        GraphBuilder builder = new(graph.Name, prepared.FindGraph);
        Dictionary<Value, Value> copies = [];
        foreach (Value input in graph.Inputs)
        {
            Value copy = builder.Input(input.Name, input.Type, input.Foreign);
            copies.Add(input, Rounded(builder, copy, input.Name, grids));
        }

        foreach (Node node in graph.Nodes)
        {
            Node? integer = layers[node.Name].FirstOrDefault(n => n.Op.GetType() == node.Op.GetType() && n.Inputs.Length == node.Inputs.Length);
            ImmutableArray<Value?> inputs = [.. node.Inputs.Select((v, i) => v is null ? null : CopyOf(v, integer?.Inputs[i]))];
            ImmutableArray<Value> outputs = [.. node.Outputs.Select(o => GraphBuilder.Result(grids.ContainsKey(o.Name) ? $"{o.Name}/exact" : o.Name, o.Type, o.Foreign))];
            builder.Add(node.Op, inputs, outputs, node.Name, node.Foreign);
            for (int i = 0; i < outputs.Length; i++)
            {
                copies.Add(node.Outputs[i], Rounded(builder, outputs[i], node.Outputs[i].Name, grids));
            }
        }

        foreach (Value output in graph.Outputs)
        {
            builder.Output(CopyOf(output, null));
        }

        Graph built = builder.Build(graph.Foreign);
        return GraphBuilder.Module([built, .. prepared.Graphs.Skip(1)], [], prepared.Metadata, prepared.Description, prepared.Foreign);

        Value CopyOf(Value value, Value? integer)
        {
            if (copies.TryGetValue(value, out Value? known))
            {
                return known;
            }

            if (value is { Constant.DType: DType.F32 } && integer is { Constant: { DType: DType.I8 or DType.I16 } data, Type.Quant: { } quant })
            {
                return GraphBuilder.Constant(TensorData.FromFloats(data.Shape, AffineGrid.Dequantize(data, quant)), value.Name);
            }

            Value same = value.Constant is { } constant
                ? GraphBuilder.Constant(constant, value.Name, value.Type.Quant, value.Foreign)
                : GraphBuilder.Variable(value.Name, value.Type, value.Foreign);
            copies.Add(value, same);
            return same;
        }
    }

    private static Dictionary<string, TensorType> Grids(Graph graph)
    {
        Dictionary<string, TensorType> grids = [];
        foreach (Value value in graph.Inputs.Concat(graph.Nodes.SelectMany(n => n.Outputs)))
        {
            if (value.Type is { DType: DType.I8 or DType.I16, Quant: { IsPerAxis: false } })
            {
                grids.TryAdd(value.Name, value.Type);
            }
        }

        return grids;
    }

    private static Value Rounded(GraphBuilder builder, Value value, string name, Dictionary<string, TensorType> grids)
    {
        if (value.Type.DType is not DType.F32 || !grids.TryGetValue(name, out TensorType? type))
        {
            return value;
        }

        ValueRange range = AffineGrid.RangeOf(type.DType, type.Quant!);
        FakeQuant op = new((float)range.Low, (float)range.High, Math.Min(MostBits, type.DType.BitWidth));
        string result = name == value.Name ? $"{name}/rounded" : name;
        return builder.Add(op, [value], [GraphBuilder.Result(result, value.Type)], result).Output;
    }
}
