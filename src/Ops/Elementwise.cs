using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;

namespace Optc.Ops;

/// <summary>An op whose result has the type of its only operand and is computed element by element.</summary>
/// <remarks>Takes the element types that its declaration lists. Shape: <c>x [any] -> y [same]</c>.</remarks>
public abstract record Elementwise<TSelf> : IExecutable, IShrinkable, IBoundsOutputs
    where TSelf : Elementwise<TSelf>, IOp<TSelf>
{
    private protected Elementwise()
    {
    }

    public virtual void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands) =>
        [operands.RequireOneOf(0, TSelf.Declaration.Kernels) with { Quant = null }];

    public void TraceChannels(ChannelTracer t) => t.PassOn(KeepsZero);

    public OutputBounds? Bounds(OpOperands operands) => new(BoundsRule.Codes, Freedom);

    public abstract Kernel Prepare(KernelContext context);

    /// <summary>How far runtimes differ on 8-bit elements; most kernels are tables of a function.</summary>
    private protected virtual RoundingFreedom Freedom => RoundingFreedom.OneStep;

    /// <summary>True when the op makes 0 of 0.</summary>
    private protected virtual bool KeepsZero => true;
}
