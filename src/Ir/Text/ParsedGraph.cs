using System.Collections.Immutable;

namespace Optc.Ir.Text;

/// <summary>A graph that is being read, with the references to its values.</summary>
internal sealed class ParsedGraph
{
    private readonly Dictionary<(char Sigil, string Name, int Ordinal), Value> _values = [];
    private readonly Func<string, AttributeReader, IOp> _ops;
    private readonly Func<string, Graph?> _subgraphs;
    private readonly GraphBuilder _builder;

    private ParsedGraph(string name, Func<string, AttributeReader, IOp> ops, Func<string, Graph?> subgraphs)
    {
        (_ops, _subgraphs) = (ops, subgraphs);
        _builder = new(name, subgraphs);
        Graph = _builder.Build();
    }

    public Graph Graph { get; }

    /// <summary>Reads what follows the word <c>graph</c>.</summary>
    public static ParsedGraph Read(TextScanner text, Func<string, AttributeReader, IOp> ops, Func<string, Graph?> subgraphs)
    {
        ParsedGraph graph = new(text.Name(), ops, subgraphs);
        graph.ReadInputs(text);
        text.Expect("->");
        List<(int Place, (char, string, int) Reference)> outputs = ReadOutputs(text);
        text.Expect("{");
        while (!text.TryTake("}"))
        {
            graph.ReadLine(text);
        }

        foreach ((int place, (char, string, int) reference) in outputs)
        {
            graph._builder.Output(graph.Find(text, place, reference));
        }

        return graph;
    }

    /// <summary>Attributes and, from them, the op.</summary>
    /// <param name="start">Place of the op's name, for what the op refuses.</param>
    public static IOp ReadOp(TextScanner text, int start, string name, Func<string, AttributeReader, IOp> ops)
    {
        Dictionary<string, string> entries = [];
        if (text.TryTake("{"))
        {
            while (!text.TryTake("}"))
            {
                if (entries.Count > 0)
                {
                    text.Expect(",");
                }

                int place = text.Position;
                string attribute = text.Word();
                text.Expect(":");
                if (!entries.TryAdd(attribute, text.RawValue()))
                {
                    throw text.Error("an attribute is given twice", attribute, null, place);
                }
            }
        }

        AttributeReader reader = new(entries);
        IOp op = Try(text, start, () => ops(name, reader));
        return reader.Unread.FirstOrDefault() is { } unread
            ? throw text.Error($"the operator '{name}' has no such attribute", unread, null, start)
            : op;
    }

    public Value ReadValue(TextScanner text)
    {
        int start = text.Position;
        return Find(text, start, ReadReference(text));
    }

    private static (char Sigil, string Name, int Ordinal) ReadReference(TextScanner text)
    {
        char sigil = text.TryTake("%") ? '%' : text.TryTake("@") ? '@' : throw text.Error("a value is missing", null, "%name or @name");
        string name = text.IsAdjacentName ? text.Name() : "";
        int start = text.Position;
        int ordinal = text.TryTakeAdjacent('#') ? text.Int() : name.Length > 0 ? 1 : 0;
        return ordinal > 0 ? (sigil, name, ordinal) : throw text.Error("a reference without a name has a number", null, "#1 or more", start);
    }

    private static T Try<T>(TextScanner text, int place, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (OpRuleException problem)
        {
            Diagnostic found = text.Error(problem.Message, problem.Found, problem.Expected, place).Diagnostics[0];
            throw new DiagnosticException(new Diagnostic(DiagnosticId.OperandType, found.Message)
            {
                At = found.At,
                Found = problem.Found,
                Expected = problem.Expected,
            });
        }
    }

    private static List<(int Place, (char Sigil, string Name, int Ordinal) Reference)> ReadOutputs(TextScanner text)
    {
        List<(int, (char, string, int))> outputs = [];
        text.Expect("(");
        while (!text.TryTake(")"))
        {
            if (outputs.Count > 0)
            {
                text.Expect(",");
            }

            outputs.Add((text.Position, ReadReference(text)));
        }

        return outputs;
    }

    private Value Find(TextScanner text, int place, (char, string, int) reference) => _values.GetValueOrDefault(reference)
        ?? throw text.Error("a value is used before it is given or computed", null, "the name of a value above", place);

    private void ReadInputs(TextScanner text)
    {
        text.Expect("(");
        for (bool isFirst = true; !text.TryTake(")"); isFirst = false)
        {
            if (!isFirst)
            {
                text.Expect(",");
            }

            _builder.Input(ReadDeclaration(text));
        }
    }

    /// <summary><c>var @name: type</c> or <c>@name: type = content</c>.</summary>
    private Value ReadDeclaration(TextScanner text)
    {
        bool isVariable = text.TryTakeWord("var");
        int start = text.Position;
        (char Sigil, string Name, int Ordinal) reference = ReadReference(text);
        text.Expect(":");
        (TensorType type, TensorData? content) = TensorText.ReadTensor(text, needsSign: true);
        if (reference.Sigil == '@' && content is null && !isVariable)
        {
            throw text.Error("a constant has no content", null, "= [...] or = base64:\"...\"");
        }

        Value value = new(reference.Name, type) { IsVariable = isVariable, Constant = content };
        Register(text, start, reference, value);
        return value;
    }

    private void ReadLine(TextScanner text)
    {
        if (text.IsNext("@", "var "))
        {
            ReadDeclaration(text);
            return;
        }

        List<((char Sigil, string Name, int Ordinal) Reference, int Place, TensorType? Type)> outputs = [];
        while (text.IsNext("%"))
        {
            int place = text.Position;
            (char, string, int) reference = ReadReference(text);
            outputs.Add((reference, place, text.TryTake(":") ? TensorText.ReadType(text) : null));
            if (!text.TryTake(","))
            {
                break;
            }
        }

        if (outputs.Count > 0)
        {
            text.Expect("=");
        }

        int start = text.Position;
        string name = text.Word();
        ImmutableArray<Value?> operands = ReadOperands(text);
        IOp op = ReadOp(text, start, name, _ops);
        ImmutableArray<TensorType> types = outputs.TrueForAll(o => o.Type is not null)
            ? [.. outputs.Select(o => o.Type!)]
            : Infer(text, start, op, operands, outputs.Count);
        ImmutableArray<Value> values = [.. outputs.Zip(types, (o, inferred) => new Value(o.Reference.Name, o.Type ?? inferred))];
        string layer = text.TryTakeWord("as") ? text.Quoted() : values.IsEmpty ? "" : values[0].Name;
        _builder.Add(op, operands, values, layer);
        for (int i = 0; i < values.Length; i++)
        {
            Register(text, outputs[i].Place, outputs[i].Reference, values[i]);
        }
    }

    private ImmutableArray<TensorType> Infer(TextScanner text, int place, IOp op, ImmutableArray<Value?> operands, int outputs)
    {
        ImmutableArray<TensorType> types = Try(text, place, () => op.InferTypes(new(
            [.. operands.Select(v => v?.Type)], [.. operands.Select(v => v?.Constant)], [], _subgraphs)));
        return types.Length == outputs
            ? types
            : throw text.Error("the operator has another number of results", $"{outputs}", $"{types.Length}", place);
    }

    private ImmutableArray<Value?> ReadOperands(TextScanner text)
    {
        List<Value?> operands = [];
        text.Expect("(");
        while (!text.TryTake(")"))
        {
            if (operands.Count > 0)
            {
                text.Expect(",");
            }

            operands.Add(text.TryTake("_") ? null : ReadValue(text));
        }

        return [.. operands];
    }

    private void Register(TextScanner text, int place, (char Sigil, string Name, int Ordinal) reference, Value value)
    {
        if (!_values.TryAdd(reference, value))
        {
            throw text.Error("two values have one name; number them: #2, #3 ...", null, null, place);
        }
    }
}
