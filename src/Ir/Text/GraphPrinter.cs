using System.Text;

namespace Optc.Ir.Text;

/// <summary>The text form of graphs and modules. <see cref="GraphParser"/> is the inverse.</summary>
/// <remarks>
/// <code>
/// graph kws(%x: f32[1, 49, 10, 1]) -> (%y) {
///   @w: i8[2, 1] scale=[0.5, 0.25] zero=0 axis=0 = [1, -2]
///   var @state: f32[1, 4]
///   %y: f32[1, 25, 5, 2] = conv_2d(%x, @w, _) { stride_h: 2 } as "conv1"
/// }
///
/// signature "serving_default" kws("input": %x) -> ("scores": %y)
/// </code>
/// Constants and variables stand before the nodes, in the order of their first use. <c>_</c> is an operand that is left
/// out, <c>as</c> the name of a layer that is not that of its first output. What the source format alone knows
/// (<c>Foreign</c>) is not shown.
/// </remarks>
public static class GraphPrinter
{
    /// <summary>All graphs, then the signatures; description and metadata first, if there are any.</summary>
    public static string Print(Module module, PrintOptions? options = null)
    {
        StringBuilder text = new();
        if (module.Description.Length > 0)
        {
            text.Append("description ").Append(AttributeWriter.Quote(module.Description)).Append('\n');
        }

        foreach ((string name, ReadOnlyMemory<byte> content) in module.Metadata)
        {
            text.Append("metadata ").Append(AttributeWriter.Quote(name)).Append(' ').Append(TensorText.Base64(content.Span)).Append('\n');
        }

        foreach (Graph graph in module.Graphs)
        {
            text.Append(text.Length > 0 ? "\n" : "").Append(Print(graph, options));
        }

        text.Append(module.Signatures.IsEmpty ? "" : "\n");
        foreach (Signature signature in module.Signatures)
        {
            ValueNames names = new(signature.Graph);
            text.Append("signature ").Append(AttributeWriter.Quote(signature.Key)).Append(' ')
                .Append(ValueNames.Name(signature.Graph.Name))
                .Append('(').AppendJoin(", ", signature.Inputs.Select(i => $"{AttributeWriter.Quote(i.Name)}: {names[i.Value]}"))
                .Append(") -> (").AppendJoin(", ", signature.Outputs.Select(o => $"{AttributeWriter.Quote(o.Name)}: {names[o.Value]}"))
                .Append(")\n");
        }

        return text.ToString();
    }

    public static string Print(Graph graph, PrintOptions? options = null)
    {
        options ??= PrintOptions.Complete;
        ValueNames names = new(graph);
        StringBuilder text = new();
        text.Append("graph ").Append(ValueNames.Name(graph.Name)).Append('(')
            .AppendJoin(", ", graph.Inputs.Select(v => Declaration(v, names, options)))
            .Append(") -> (").AppendJoin(", ", graph.Outputs.Select(v => names[v])).Append(") {\n");
        HashSet<Value> inputs = [.. graph.Inputs];
        foreach (Value value in graph.Values())
        {
            if ((value.Constant is not null || value.IsVariable) && !inputs.Contains(value))
            {
                text.Append("  ").Append(Declaration(value, names, options)).Append('\n');
            }
        }

        foreach (Node node in graph.Nodes)
        {
            text.Append("  ");
            Append(text, node, names);
            text.Append('\n');
        }

        return text.Append("}\n").ToString();
    }

    /// <summary>One node on one line, without indentation or line end.</summary>
    public static string Print(Graph graph, Node node)
    {
        StringBuilder text = new();
        Append(text, node, new(graph));
        return text.ToString();
    }

    private static string Declaration(Value value, ValueNames names, PrintOptions options)
    {
        string variable = value.IsVariable ? "var " : "";
        return value.Constant is { } content
            ? $"{variable}{names[value]}: {TensorText.Print(content, value.Type.Quant, options)}"
            : $"{variable}{names[value]}: {TensorText.Print(value.Type)}";
    }

    private static void Append(StringBuilder text, Node node, ValueNames names)
    {
        text.AppendJoin(", ", node.Outputs.Select(o => $"{names[o]}: {TensorText.Print(o.Type)}"))
            .Append(node.Outputs.IsEmpty ? "" : " = ")
            .Append(node.Op.Schema.Name)
            .Append('(').AppendJoin(", ", node.Inputs.Select(v => v is null ? "_" : names[v])).Append(')');
        string attributes = AttributeWriter.TextOf(node.Op);
        text.Append(attributes.Length > 0 ? " " : "").Append(attributes);
        if (node.Name != (node.Outputs.IsEmpty ? "" : node.Outputs[0].Name))
        {
            text.Append(" as ").Append(AttributeWriter.Quote(node.Name));
        }
    }
}
