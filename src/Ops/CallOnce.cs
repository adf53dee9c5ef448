using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Runs a graph the first time, and nothing afterwards: it gives resource variables their initial values.</summary>
/// <param name="Graph">Name of a graph without inputs and outputs.</param>
/// <remarks>
/// <para>Once means once for each graph name and session, until the session is reset to its fresh state.</para>
/// <para>Source: TFLite builtin 129, <c>call_once.cc</c> of TFLite Micro.</para>
/// </remarks>
public sealed record CallOnce(string Graph) : IOp<CallOnce>, IExecutable, ICallsGraphs, ITfLiteOp<CallOnce>
{
    public static OpSchema Declaration { get; } = new("call_once", [], []) { Kernels = KernelTypes.Any, HasSideEffects = true };

    public static BuiltinOperator Code => BuiltinOperator.CallOnce;

    public static int MaximumVersion => 1;

    public IEnumerable<string> Callees => [Graph];

    public static CallOnce Parse(AttributeReader attributes) => new(attributes.String("graph"));

    public static CallOnce Read(TfLiteSource source) =>
        new(source.GraphName(source.Options<CallOnceOptions>().InitSubgraphIndex));

    public TfLiteEncoding Write(TfLiteTarget target) =>
        new(1, new CallOnceOptions { InitSubgraphIndex = target.GraphIndex(Graph) });

    public void Describe(AttributeWriter attributes) => attributes.Add("graph", Graph);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        GraphCall.CheckInterface(operands.Subgraph(Graph), [], outputs: 0);
        return [];
    }

    public Kernel Prepare(KernelContext context)
    {
        Subroutine subroutine = context.Subgraph(Graph);
        return () =>
        {
            if (context.Resources.IsInitialized(Graph))
            {
                return;
            }

            subroutine.Run();
            context.Resources.MarkInitialized(Graph);
        };
    }
}
