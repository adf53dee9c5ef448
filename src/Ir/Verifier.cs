using System.Collections.Immutable;

namespace Optc.Ir;

/// <summary>Says whether a module is well formed: order, uses, names, and the types that the ops infer.</summary>
public static class Verifier
{
    /// <summary>Every problem of the module; none when it is well formed.</summary>
    public static ImmutableArray<Diagnostic> Check(Module module)
    {
        List<Diagnostic> problems = [];
        foreach (IGrouping<string, Graph> same in module.Graphs.GroupBy(g => g.Name).Where(g => g.Count() > 1))
        {
            problems.Add(new(DiagnosticId.InvalidGraph, "two graphs have one name") { Found = same.Key });
        }

        foreach (Graph graph in module.Graphs)
        {
            CheckStructure(graph, problems);
            CheckTypes(module, graph, problems);
            CheckWeights(graph, problems);
        }

        CheckUses(module, problems);
        CheckSignatures(module, problems);
        return [.. problems];
    }

    /// <exception cref="DiagnosticException">The module is not well formed.</exception>
    public static void ThrowIfBroken(Module module)
    {
        ImmutableArray<Diagnostic> problems = Check(module);
        if (!problems.IsEmpty)
        {
            throw new DiagnosticException(problems);
        }
    }

    private static void CheckWeights(Graph graph, List<Diagnostic> problems)
    {
        HashSet<Value> seen = [];
        foreach (Node node in graph.Nodes)
        {
            foreach (Value weight in node.Inputs.OfType<Value>().Where(v => v.Constant?.Structure is not null && seen.Add(v)))
            {
                problems.AddRange(weight.Constant!.Structure!.Check(weight.Constant).Select(b => new Diagnostic(
                    DiagnosticId.StructureBroken, $"a weight does not keep its {b.What}")
                {
                    At = [$"graph '{graph.Name}'", node.ToString(), $"'{weight.Name}'"],
                    Found = b.Found,
                    Expected = b.Expected,
                }));
            }
        }
    }

    private static void CheckStructure(Graph graph, List<Diagnostic> problems)
    {
        HashSet<Value> known = [];
        foreach (Value input in graph.Inputs)
        {
            if (!known.Add(input))
            {
                problems.Add(Broken(graph, "an input is listed twice", input.Name));
            }
        }

        foreach (Node node in graph.Nodes)
        {
            foreach (Value? input in node.Inputs)
            {
                if (input is not null && !IsAvailable(input, known))
                {
                    problems.Add(Broken(graph, "a value is used before it is computed", input.Name) with { At = [$"graph '{graph.Name}'", node.ToString()] });
                }
            }

            foreach (Value output in node.Outputs)
            {
                if (output.Producer != node || output.Constant is not null || !known.Add(output))
                {
                    problems.Add(Broken(graph, "a value is computed twice", output.Name) with { At = [$"graph '{graph.Name}'", node.ToString()] });
                }
            }
        }

        foreach (Value output in graph.Outputs)
        {
            if (!IsAvailable(output, known))
            {
                problems.Add(Broken(graph, "an output is never computed", output.Name));
            }
        }
    }

    private static bool IsAvailable(Value value, HashSet<Value> known) => value.Constant is not null || value.IsVariable || known.Contains(value);

    /// <summary>A value knows its users: each operand of a node in the module once, and nothing else.</summary>
    private static void CheckUses(Module module, List<Diagnostic> problems)
    {
        HashSet<Node> nodes = [.. module.Graphs.SelectMany(g => g.Nodes)];
        foreach (Graph graph in module.Graphs)
        {
            foreach (Node node in graph.Nodes)
            {
                foreach (Value value in node.Inputs.OfType<Value>().Distinct())
                {
                    int real = node.Inputs.Count(v => v == value);
                    int known = value.Users.Count(u => u == node);
                    if (known != real)
                    {
                        problems.Add(Broken(graph, "a value does not know its uses", value.Name) with
                        {
                            At = [$"graph '{graph.Name}'", node.ToString()],
                            Expected = $"{real} uses instead of {known}",
                        });
                    }
                }
            }

            foreach (Value value in graph.Values())
            {
                foreach (Node user in value.Users.Where(u => !nodes.Contains(u) || !u.Inputs.Contains(value)).Distinct())
                {
                    problems.Add(Broken(graph, $"a value believes to be used by {user}", value.Name));
                }
            }
        }
    }

    private static void CheckTypes(Module module, Graph graph, List<Diagnostic> problems)
    {
        foreach (Node node in graph.Nodes)
        {
            try
            {
                ImmutableArray<TensorType> types = node.Op.InferTypes(OpOperands.Of(node, module.FindGraph));
                if (types.Length != node.Outputs.Length)
                {
                    problems.Add(OfNode(graph, node, "the operator has another number of results than the graph gives it", $"{node.Outputs.Length}", $"{types.Length}"));
                    continue;
                }

                for (int i = 0; i < types.Length; i++)
                {
                    TensorType declared = node.Outputs[i].Type;
                    if (types[i].DType != declared.DType || !types[i].Shape.IsCompatibleWith(declared.Shape))
                    {
                        problems.Add(OfNode(
                            graph,
                            node,
                            $"result {i} is declared as something that the operator does not compute",
                            $"{declared.DType.Name}{declared.Shape}",
                            $"{types[i].DType.Name}{types[i].Shape}"));
                    }
                }
            }
            catch (OpRuleException problem)
            {
                problems.Add(OfNode(graph, node, problem.Message, problem.Found, problem.Expected));
            }
        }
    }

    private static void CheckSignatures(Module module, List<Diagnostic> problems)
    {
        HashSet<string> keys = [];
        foreach (Signature signature in module.Signatures)
        {
            if (!keys.Add(signature.Key))
            {
                problems.Add(new(DiagnosticId.InvalidGraph, "two signatures have one name") { Found = signature.Key });
            }

            if (!module.Graphs.Contains(signature.Graph))
            {
                problems.Add(new(DiagnosticId.InvalidGraph, "a signature belongs to a graph of another module") { At = [$"signature '{signature.Key}'"], Found = signature.Graph.Name });
            }

            foreach ((string name, Value value) in signature.Inputs)
            {
                if (!signature.Graph.Inputs.Contains(value))
                {
                    problems.Add(new(DiagnosticId.InvalidGraph, "a signature names an input that the graph does not have") { At = [$"signature '{signature.Key}'"], Found = name });
                }
            }

            foreach ((string name, Value value) in signature.Outputs)
            {
                if (!signature.Graph.IsOutput(value))
                {
                    problems.Add(new(DiagnosticId.InvalidGraph, "a signature names an output that the graph does not have") { At = [$"signature '{signature.Key}'"], Found = name });
                }
            }
        }
    }

    private static Diagnostic Broken(Graph graph, string message, string found) =>
        new(DiagnosticId.InvalidGraph, message) { At = [$"graph '{graph.Name}'"], Found = $"'{found}'" };

    private static Diagnostic OfNode(Graph graph, Node node, string message, string? found, string? expected) =>
        new(DiagnosticId.OperandType, message) { At = [$"graph '{graph.Name}'", node.ToString()], Found = found, Expected = expected };
}
