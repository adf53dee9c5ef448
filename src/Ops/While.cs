using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Runs a graph on its own results as long as another graph says so.</summary>
/// <param name="Condition">Graph from the loop's values to one bool.</param>
/// <param name="Body">Graph from the loop's values to their successors, the same types in the same order.</param>
/// <remarks>
/// <para>Shape: <c>x* [any] -> y* [same]</c>; without a round, the results are the operands.</para>
/// <para>A loop that never ends is stopped by cancelling the run only.</para>
/// <para>Types: any of a fixed size. Source: TFLite builtin 119, <c>while.cc</c> of TFLite Micro.</para>
/// </remarks>
public sealed record While(string Condition, string Body) : IOp<While>, IExecutable, ICallsGraphs, ITfLiteOp<While>
{
    public static OpSchema Declaration { get; } = new("while", ["x*"], ["y*"])
    {
        Kernels = KernelTypes.Any,
        HasSideEffects = true,
    };

    public static BuiltinOperator Code => BuiltinOperator.While;

    public static int MaximumVersion => 1;

    public IEnumerable<string> Callees => [Condition, Body];

    public static While Parse(AttributeReader attributes) => new(attributes.String("condition"), attributes.String("body"));

    public static While Read(TfLiteSource source)
    {
        WhileOptions options = source.Options<WhileOptions>();
        return new(source.GraphName(options.CondSubgraphIndex), source.GraphName(options.BodySubgraphIndex));
    }

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new WhileOptions
    {
        CondSubgraphIndex = target.GraphIndex(Condition),
        BodySubgraphIndex = target.GraphIndex(Body),
    });

    public void Describe(AttributeWriter attributes) => attributes.Add("condition", Condition).Add("body", Body);

    /// <summary>The types of the operands: what goes round does not change its type.</summary>
    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        ImmutableArray<TensorType> loop = [.. Enumerable.Range(0, operands.Count).Select(i => operands[i])];
        Graph condition = operands.Subgraph(Condition);
        Graph body = operands.Subgraph(Body);
        GraphCall.CheckInterface(condition, loop, outputs: 1);
        GraphCall.CheckInterface(body, loop, outputs: loop.Length);
        if (condition.Outputs[0].Type is not { DType: DType.Bool } verdict || verdict.Shape.Dims.Any(d => d is not (1 or -1)))
        {
            throw new OpRuleException($"the graph '{Condition}' does not give a single bool")
            {
                Found = condition.Outputs[0].Type.ToString(),
                Expected = "bool[]",
            };
        }

        ImmutableArray<TensorType>.Builder types = ImmutableArray.CreateBuilder<TensorType>(loop.Length);
        for (int i = 0; i < loop.Length; i++)
        {
            types.Add(GraphCall.Unify(loop[i], body.Outputs[i].Type, $"value {i} of the loop over '{Body}'"));
        }

        return types.MoveToImmutable();
    }

    public Kernel Prepare(KernelContext context)
    {
        Subroutine condition = context.Subgraph(Condition);
        Subroutine body = context.Subgraph(Body);
        GraphCall.CheckPrepared(context, condition, Condition, firstInput: 0, outputs: false);
        GraphCall.CheckPrepared(context, body, Body, firstInput: 0, outputs: true);
        if (condition.Output(0) is not { DType: DType.Bool, ElementCount: 1 })
        {
            throw new OpRuleException($"the graph '{Condition}' does not give a single bool") { Found = condition.Output(0).ToString() };
        }

        return () =>
        {
            for (int i = 0; i < context.OutputCount; i++)
            {
                context.InputBytes(i).CopyTo(context.OutputBytes(i));
            }

            while (Continues(context, condition))
            {
                for (int i = 0; i < context.OutputCount; i++)
                {
                    context.OutputBytes(i).CopyTo(body.InputBytes(i));
                }

                body.Run();
                for (int i = 0; i < context.OutputCount; i++)
                {
                    body.OutputBytes(i).CopyTo(context.OutputBytes(i));
                }
            }
        };
    }

    private static bool Continues(KernelContext context, Subroutine condition)
    {
        for (int i = 0; i < context.OutputCount; i++)
        {
            context.OutputBytes(i).CopyTo(condition.InputBytes(i));
        }

        condition.Run();
        return condition.OutputBytes(0)[0] != 0;
    }
}
