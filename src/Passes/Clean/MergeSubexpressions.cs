using System.Globalization;
using System.Text;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.TfLite;

namespace Optc.Passes.Clean;

/// <summary>
/// Computes only once what several nodes compute: the same op with the same attributes on the same values, or
/// on equal constants.
/// <code>
///   a = tanh(x)   b = tanh(x)   f(a, b)
///   => a = tanh(x)   f(a, a)
/// </code>
/// </summary>
/// <remarks>
/// Left alone are ops with side effects, ops on variables and resources (whose content may change between two nodes), and
/// two outputs of the graph, each of which needs a tensor.
/// </remarks>
public sealed class MergeSubexpressions : IPass
{
    public string Name => "merge-subexpressions";

    public string Summary => "computes only once what several nodes compute from the same values";

    public void Run(Module module, PassContext context)
    {
        foreach (Graph graph in module.Graphs)
        {
            Merge(module, graph, context);
        }
    }

    private void Merge(Module module, Graph graph, PassContext context)
    {
        Dictionary<Value, int> numbers = new(ConstantEquality.Instance);
        Dictionary<string, Node> first = [];
        foreach (Node node in graph.Nodes.ToArray())
        {
            string key = Key(node, numbers);
            if (node.Outputs.IsEmpty || first.TryAdd(key, node))
            {
                continue;
            }

            Node twin = first[key];
            string? reason = WhyNot(graph, node, twin);
            if (reason is null)
            {
                GraphPatch patch = new();
                foreach ((Value own, Value other) in node.Outputs.Zip(twin.Outputs))
                {
                    patch.Replace(own, other);
                }

                patch.ApplyTo(module, graph, node);
            }

            context.Record(Name, node, reason);
        }
    }

    private static string? WhyNot(Graph graph, Node node, Node twin)
    {
        if (node.Op.Schema.HasSideEffects)
        {
            return "it has side effects";
        }

        if (node.Inputs.Concat(node.Outputs).Any(v => v is { IsVariable: true } or { Type.DType: DType.Resource or DType.Variant }))
        {
            return "it reads or keeps state, which may change between the two";
        }

        if (node.Foreign is TfLiteOperatorFacts { Intermediates.IsEmpty: false })
        {
            return "the quantization of its intermediates may differ";
        }

        for (int i = 0; i < node.Outputs.Length; i++)
        {
            (Value own, Value other) = (node.Outputs[i], twin.Outputs[i]);
            if (!own.Type.Equals(other.Type))
            {
                return $"its result is declared as {own.Type}, that of '{twin.Name}' as {other.Type}";
            }

            if (graph.IsOutput(own) && graph.IsOutput(other))
            {
                return $"'{own.Name}' and '{other.Name}' are both outputs of the graph";
            }
        }

        return null;
    }

    private static string Key(Node node, Dictionary<Value, int> numbers)
    {
        StringBuilder key = new(node.Op.Schema.Name);
        key.Append(AttributeWriter.TextOf(node.Op));
        foreach (Value? input in node.Inputs)
        {
            int number = -1;
            if (input is not null && !numbers.TryGetValue(input, out number))
            {
                number = numbers.Count;
                numbers.Add(input, number);
            }

            key.Append(CultureInfo.InvariantCulture, $" {number}");
        }

        return key.Append(CultureInfo.InvariantCulture, $" : {node.Outputs.Length}").ToString();
    }
}
