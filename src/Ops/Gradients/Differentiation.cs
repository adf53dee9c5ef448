using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Ops.Gradients;

/// <summary>Reverse-mode differentiation: adds to a graph the nodes that compute the gradient of a scalar.</summary>
/// <remarks>
/// Every node that the loss depends on, and that depends on a target, is visited once, last to first; gradients of a
/// value that is used several times are added in the order of their uses from last to first. Integer and boolean values
/// carry no gradient; gradients of narrow floats are f32. Source: adjoint accumulation as in Griewank and Walther, Evaluating Derivatives, 2nd ed., chapter 3.
/// </remarks>
public static class Differentiation
{
    /// <summary>Gradients of a loss with regard to some values.</summary>
    /// <param name="graph">Holds the nodes that compute the loss; receives the nodes of the gradients. Shapes are known.</param>
    /// <param name="loss">An f32 value of one element.</param>
    /// <param name="targets">f32 values.</param>
    /// <returns>For each target its gradient, in its shape; <see langword="null"/> where the loss does not depend on it.</returns>
    /// <exception cref="DiagnosticException">Operators on the way have no gradient; all of them are listed.</exception>
    public static ImmutableArray<Value?> Add(GraphBuilder graph, Value loss, ImmutableArray<Value> targets)
    {
        ImmutableArray<Node> nodes = [.. graph.Nodes];
        HashSet<Value> dependent = [.. targets];
        foreach (Node node in nodes)
        {
            if (node.Inputs.Any(v => v is not null && dependent.Contains(v)))
            {
                dependent.UnionWith(node.Outputs.Where(o => o.Type.DType.IsFloat));
            }
        }

        HashSet<Node> needed = Ancestors(loss);
        ImmutableArray<Diagnostic> problems =
        [
            .. nodes
                .Where(n => needed.Contains(n)
                    && n.Op is not IDifferentiable
                    && n.Outputs.Any(dependent.Contains)
                    && n.Inputs.Any(v => v is not null && dependent.Contains(v)))
                .Select(n => NoGradient(n, "the operator has no gradient", null)),
        ];
        if (!problems.IsEmpty)
        {
            throw new DiagnosticException(problems);
        }

        Dictionary<Value, Value> gradients = new()
        {
            [loss] = GraphBuilder.Constant(TensorData.From<float>(DType.F32, loss.Type.Shape, [1]), ""),
        };
        foreach (Node node in nodes.Reverse().Where(n => needed.Contains(n) && n.Outputs.Any(o => gradients.ContainsKey(o))))
        {
            ImmutableArray<bool> wants = [.. node.Inputs.Select(v => v is not null && dependent.Contains(v))];
            if (!wants.Contains(true))
            {
                continue;
            }

            GradientBuilder builder = new(graph, node, [.. node.Outputs.Select(gradients.GetValueOrDefault)], wants);
            try
            {
                ((IDifferentiable)node.Op).Differentiate(builder);
            }
            catch (OpRuleException problem)
            {
                throw new DiagnosticException(NoGradient(node, problem.Message, problem.Found));
            }

            for (int i = 0; i < node.Inputs.Length; i++)
            {
                if (wants[i] && builder.Given[i] is { } given)
                {
                    Value operand = node.Inputs[i]!;
                    gradients[operand] = gradients.TryGetValue(operand, out Value? before)
                        ? graph.Add(new Add(), [before, given], $"{operand.Name}/gradient").Output
                        : given;
                }
            }
        }

        return [.. targets.Select(gradients.GetValueOrDefault)];
    }

    private static HashSet<Node> Ancestors(Value value)
    {
        HashSet<Node> found = [];
        Stack<Value> pending = new([value]);
        while (pending.TryPop(out Value? next))
        {
            if (next.Producer is { } producer && found.Add(producer))
            {
                foreach (Value input in producer.Inputs.OfType<Value>())
                {
                    pending.Push(input);
                }
            }
        }

        return found;
    }

    private static Diagnostic NoGradient(Node node, string message, string? found) => new(DiagnosticId.NotDifferentiable, message)
    {
        At = [$"operator {node}"],
        Found = found,
        Hint = "only layers behind it can be trained: freeze it and everything before",
    };
}
