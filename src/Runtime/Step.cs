using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Runtime;

/// <summary>One node of a prepared graph.</summary>
internal abstract class Step(Node node)
{
    public Node Node { get; } = node;

    public abstract void Run();
}

/// <summary>A node whose types are known before the run.</summary>
internal sealed class StaticStep(Node node, Kernel kernel) : Step(node)
{
    public override void Run() => kernel();
}

/// <summary>A node some of whose shapes depend on data: it is typed, given memory and prepared anew in each run.</summary>
internal sealed class DynamicStep(Node node, Session session, ValueBuffer?[] inputs, ValueBuffer[] outputs) : Step(node)
{
    private long _charged;

    public override void Run()
    {
        session.Charge(-_charged);
        long before = session.MemoryInUse;
        try
        {
            Compute();
        }
        catch (ArgumentOutOfRangeException problem) when (problem.ParamName == FixedPoint.FactorName)
        {
            throw new OpRuleException(GraphCompiler.NoFiniteRatio) { Found = $"{problem.ActualValue}", Expected = "finite scales above 0" };
        }
        catch (OverflowException)
        {
            throw new OpRuleException(GraphCompiler.TooLarge) { Expected = GraphCompiler.AddressableSize };
        }

        _charged = session.MemoryInUse - before;
    }

    private void Compute()
    {
        OpOperands operands = new(
            [.. inputs.Select(b => b?.Type)],
            [.. inputs.Select(b => b is null or { IsVariable: true } || b.Type.DType is DType.Resource ? null : b.Snapshot())],
            [.. Node.Outputs.Select(o => o.Type)],
            session.FindGraph);
        ImmutableArray<TensorType> types = Node.Op.InferTypes(operands);
        for (int i = 0; i < outputs.Length; i++)
        {
            if (!types[i].Shape.IsKnown)
            {
                throw new OpRuleException("the shape of a result cannot be determined") { Found = types[i].Shape.ToString() };
            }

            if (outputs[i].IsDynamic)
            {
                long size = types[i].ByteCount;
                session.Charge(size);
                outputs[i].Type = types[i] with { Quant = Node.Outputs[i].Type.Quant };
                outputs[i].Bind(new Arena(size), 0, size);
            }
            else if (!types[i].Shape.Equals(outputs[i].Type.Shape))
            {
                throw new OpRuleException("a result has another shape than was planned") { Found = types[i].Shape.ToString(), Expected = outputs[i].Type.Shape.ToString() };
            }
        }

        NodeContext context = new(session, inputs, outputs, immediate: true);
        ((IExecutable)Node.Op).Prepare(context)();
    }
}
