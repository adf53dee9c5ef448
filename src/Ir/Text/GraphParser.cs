using System.Collections.Immutable;

namespace Optc.Ir.Text;

/// <summary>Reads the text form that <see cref="GraphPrinter"/> describes.</summary>
/// <remarks>
/// Outputs of a node may be given without types; they then follow from its shape rule. Which ops there are is said by
/// the caller: a function from an op's name and attributes, which throws <see cref="OpRuleException"/> for others.
/// Text from <c>//</c> to the end of a line is a comment.
/// </remarks>
public static class GraphParser
{
    /// <summary>A module: descriptions and metadata, graphs (the first is the main one), signatures.</summary>
    /// <param name="ops">Makes an op of its name and attributes.</param>
    /// <exception cref="DiagnosticException">The text does not follow the form, or an op refuses its attributes or operands.</exception>
    public static Module ParseModule(string text, Func<string, AttributeReader, IOp> ops)
    {
        TextScanner scanner = new(text);
        List<ParsedGraph> graphs = [];
        List<Signature> signatures = [];
        List<(string Name, ReadOnlyMemory<byte> Content)> metadata = [];
        string description = "";
        while (!scanner.IsAtEnd)
        {
            int start = scanner.Position;
            switch (scanner.Word())
            {
                case "graph":
                    graphs.Add(ParsedGraph.Read(scanner, ops, name => graphs.Find(g => g.Graph.Name == name)?.Graph));
                    break;
                case "signature":
                    signatures.Add(ReadSignature(scanner, graphs));
                    break;
                case "description":
                    description = scanner.Quoted();
                    break;
                case "metadata":
                    metadata.Add((scanner.Quoted(), TensorText.ReadBase64(scanner)));
                    break;
                case string other:
                    throw scanner.Error("a module has no such part", other, "description, metadata, graph or signature", start);
            }
        }

        return graphs.Count > 0
            ? GraphBuilder.Module([.. graphs.Select(g => g.Graph)], [.. signatures], [.. metadata], description)
            : throw scanner.Error("a module has no graph", null, "graph");
    }

    /// <summary>A single graph.</summary>
    /// <param name="ops">Makes an op of its name and attributes.</param>
    /// <param name="subgraphs">Finds graphs that control-flow attributes name; needed for outputs without types only.</param>
    /// <exception cref="DiagnosticException">As for <see cref="ParseModule"/>.</exception>
    public static Graph ParseGraph(string text, Func<string, AttributeReader, IOp> ops, Func<string, Graph?>? subgraphs = null)
    {
        TextScanner scanner = new(text);
        scanner.Expect("graph");
        Graph graph = ParsedGraph.Read(scanner, ops, subgraphs ?? (_ => null)).Graph;
        RequireEnd(scanner);
        return graph;
    }

    /// <summary>An op with its attributes: <c>leaky_relu { alpha: -0.5 }</c>.</summary>
    /// <exception cref="DiagnosticException">The text does not follow the form, or the op refuses its attributes.</exception>
    public static IOp ParseOp(string text, Func<string, AttributeReader, IOp> ops)
    {
        TextScanner scanner = new(text);
        IOp op = ParsedGraph.ReadOp(scanner, scanner.Position, scanner.Word(), ops);
        RequireEnd(scanner);
        return op;
    }

    /// <summary>A tensor with content: <c>i8[4] scale=0.5 zero=0 [-4, -1, 0, 6]</c>, also with <c>=</c> before the content.</summary>
    /// <exception cref="DiagnosticException">The text does not follow the form.</exception>
    public static (TensorType Type, TensorData Content) ParseTensor(string text)
    {
        TextScanner scanner = new(text);
        (TensorType type, TensorData? content) = TensorText.ReadTensor(scanner, needsSign: false);
        RequireEnd(scanner);
        return (type, content ?? throw scanner.Error("content is missing", null, "[...] or base64:\"...\""));
    }

    /// <summary>A type without content: <c>i8[1, ?] scale=0.5 zero=0</c>.</summary>
    /// <exception cref="DiagnosticException">The text does not follow the form.</exception>
    public static TensorType ParseType(string text)
    {
        TextScanner scanner = new(text);
        TensorType type = TensorText.ReadType(scanner);
        RequireEnd(scanner);
        return type;
    }

    private static void RequireEnd(TextScanner scanner)
    {
        if (!scanner.IsAtEnd)
        {
            throw scanner.Error("the text goes on behind its end", null, "the end of the text");
        }
    }

    private static Signature ReadSignature(TextScanner scanner, List<ParsedGraph> graphs)
    {
        string key = scanner.Quoted();
        int start = scanner.Position;
        string name = scanner.Name();
        ParsedGraph graph = graphs.Find(g => g.Graph.Name == name)
            ?? throw scanner.Error("a signature names a graph that does not exist", name, "the name of a graph above", start);
        ImmutableArray<(string, Value)> inputs = ReadNamed(scanner, graph);
        scanner.Expect("->");
        return new(key, graph.Graph, inputs, ReadNamed(scanner, graph));
    }

    private static ImmutableArray<(string Name, Value Value)> ReadNamed(TextScanner scanner, ParsedGraph graph)
    {
        List<(string, Value)> entries = [];
        scanner.Expect("(");
        while (!scanner.TryTake(")"))
        {
            if (entries.Count > 0)
            {
                scanner.Expect(",");
            }

            string name = scanner.Quoted();
            scanner.Expect(":");
            entries.Add((name, graph.ReadValue(scanner)));
        }

        return [.. entries];
    }
}
