using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Execution;

namespace Optc.Ops;

/// <summary>What the control-flow ops share: a called graph takes operands by position and gives results by position.</summary>
internal static class GraphCall
{
    /// <summary>Checks a graph against the operands it will be called with.</summary>
    /// <param name="arguments">Types of the operands that become inputs of the graph.</param>
    /// <param name="outputs">Number of results that are expected.</param>
    /// <exception cref="OpRuleException">Number, element type or shape do not fit.</exception>
    public static void CheckInterface(Graph graph, ImmutableArray<TensorType> arguments, int outputs)
    {
        if (graph.Inputs.Count != arguments.Length || graph.Outputs.Count != outputs)
        {
            throw new OpRuleException($"the graph '{graph.Name}' has another number of inputs or outputs than it is called with")
            {
                Found = $"{graph.Inputs.Count} inputs, {graph.Outputs.Count} outputs",
                Expected = $"{arguments.Length} inputs, {outputs} outputs",
            };
        }

        for (int i = 0; i < arguments.Length; i++)
        {
            Unify(graph.Inputs[i].Type, arguments[i], $"input {i} of the graph '{graph.Name}'");
        }
    }

    /// <summary>The type that two descriptions of one tensor agree on; a dimension is known if either knows it.</summary>
    /// <exception cref="OpRuleException">They contradict each other.</exception>
    public static TensorType Unify(TensorType found, TensorType expected, string what)
    {
        if (found.DType != expected.DType || !found.Shape.IsCompatibleWith(expected.Shape))
        {
            throw new OpRuleException($"{what} has another type than the value it is given")
            {
                Found = $"{found.DType.Name}{found.Shape}",
                Expected = $"{expected.DType.Name}{expected.Shape}",
            };
        }

        if (!found.Shape.HasRank)
        {
            return new(found.DType, expected.Shape);
        }

        Shape shape = found.Shape;
        for (int i = 0; i < shape.Rank && expected.Shape.HasRank; i++)
        {
            shape = shape[i] < 0 ? shape.With(i, expected.Shape[i]) : shape;
        }

        return new(found.DType, shape);
    }

    /// <summary>Checks that the bytes of a prepared graph's input or output are those of the value on the other side.</summary>
    /// <exception cref="OpRuleException">They are not, or have no fixed size.</exception>
    public static void CheckPrepared(TensorType inner, TensorType outer, string what)
    {
        outer.RequireFixedSize(what);
        if (inner.DType != outer.DType || !inner.Shape.Equals(outer.Shape))
        {
            throw new OpRuleException($"{what} has another type than the value it is given")
            {
                Found = $"{inner.DType.Name}{inner.Shape}",
                Expected = $"{outer.DType.Name}{outer.Shape}",
            };
        }
    }

    /// <summary>Checks a prepared graph against the operands from <paramref name="firstInput"/> on and, if asked, the results.</summary>
    public static void CheckPrepared(KernelContext context, Subroutine graph, string name, int firstInput, bool outputs)
    {
        for (int i = 0; i < graph.InputCount; i++)
        {
            CheckPrepared(graph.Input(i), context.Input(firstInput + i), $"input {i} of the graph '{name}'");
        }

        for (int i = 0; outputs && i < graph.OutputCount; i++)
        {
            CheckPrepared(graph.Output(i), context.Output(i), $"output {i} of the graph '{name}'");
        }
    }
}
