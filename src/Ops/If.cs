using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Runs one of two graphs.</summary>
/// <param name="Then">Graph for a true condition.</param>
/// <param name="Else">Graph for a false one; inputs and outputs have the same types as those of <paramref name="Then"/>.</param>
/// <remarks>
/// <para>Shape: <c>condition [one element], x* [any] -> y* [as the graphs]</c>: operands are copied to the inputs of the
/// chosen graph by position, its outputs back.</para>
/// <para>Types: condition bool; others any of a fixed size. Source: TFLite builtin 118, <c>if.cc</c> of TFLite Micro.</para>
/// </remarks>
public sealed record If(string Then, string Else) : IOp<If>, IExecutable, ICallsGraphs, ITfLiteOp<If>
{
    public static OpSchema Declaration { get; } = new("if", ["condition", "x*"], ["y*"])
    {
        Kernels = KernelTypes.Any,
        HasSideEffects = true,
    };

    public static BuiltinOperator Code => BuiltinOperator.If;

    public static int MaximumVersion => 1;

    public IEnumerable<string> Callees => [Then, Else];

    public static If Parse(AttributeReader attributes) => new(attributes.String("then"), attributes.String("else"));

    public static If Read(TfLiteSource source)
    {
        IfOptions options = source.Options<IfOptions>();
        return new(source.GraphName(options.ThenSubgraphIndex), source.GraphName(options.ElseSubgraphIndex));
    }

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new IfOptions
    {
        ThenSubgraphIndex = target.GraphIndex(Then),
        ElseSubgraphIndex = target.GraphIndex(Else),
    });

    public void Describe(AttributeWriter attributes) => attributes.Add("then", Then).Add("else", Else);

    /// <summary>What both graphs declare for their outputs; a dimension that one of them, or the node, knows is known.</summary>
    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType condition = operands.Require(0, DType.Bool);
        if (condition.Shape.Dims.Any(d => d is not (1 or -1)))
        {
            throw new OpRuleException("a condition is a single element") { Found = condition.Shape.ToString(), Expected = "[]" };
        }

        ImmutableArray<TensorType> arguments = [.. Enumerable.Range(1, operands.Count - 1).Select(i => operands[i])];
        Graph then = operands.Subgraph(Then);
        Graph otherwise = operands.Subgraph(Else);
        GraphCall.CheckInterface(then, arguments, then.Outputs.Count);
        GraphCall.CheckInterface(otherwise, arguments, then.Outputs.Count);
        ImmutableArray<TensorType>.Builder types = ImmutableArray.CreateBuilder<TensorType>(then.Outputs.Count);
        for (int i = 0; i < then.Outputs.Count; i++)
        {
            TensorType type = GraphCall.Unify(otherwise.Outputs[i].Type, then.Outputs[i].Type, $"output {i} of the graph '{Else}'");
            types.Add(i < operands.Declared.Length && operands.Declared[i].Shape.IsCompatibleWith(type.Shape)
                ? GraphCall.Unify(type, operands.Declared[i] with { DType = type.DType }, $"output {i}")
                : type);
        }

        return types.MoveToImmutable();
    }

    public Kernel Prepare(KernelContext context)
    {
        Subroutine then = context.Subgraph(Then);
        Subroutine otherwise = context.Subgraph(Else);
        GraphCall.CheckPrepared(context, then, Then, firstInput: 1, outputs: true);
        GraphCall.CheckPrepared(context, otherwise, Else, firstInput: 1, outputs: true);
        return () =>
        {
            Subroutine chosen = context.InputBytes(0)[0] != 0 ? then : otherwise;
            for (int i = 0; i < chosen.InputCount; i++)
            {
                context.InputBytes(i + 1).CopyTo(chosen.InputBytes(i));
            }

            chosen.Run();
            for (int i = 0; i < chosen.OutputCount; i++)
            {
                chosen.OutputBytes(i).CopyTo(context.OutputBytes(i));
            }
        };
    }
}
