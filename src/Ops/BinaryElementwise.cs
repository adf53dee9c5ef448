using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;

namespace Optc.Ops;

/// <summary>An op without activation on two broadcast operands of one element type.</summary>
/// <remarks>
/// Takes the element types that its declaration lists. Shape: <c>a [any], b [any] -> y [broadcast]</c>, up to 8 dimensions.
/// </remarks>
public abstract record BinaryElementwise<TSelf> : IExecutable
    where TSelf : BinaryElementwise<TSelf>, IOp<TSelf>
{
    private protected BinaryElementwise()
    {
    }

    public void Describe(AttributeWriter attributes)
    {
    }

    /// <exception cref="OpRuleException">Element types or shapes are not allowed.</exception>
    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType a = operands.RequireOneOf(0, TSelf.Declaration.Kernels);
        TensorType b = operands.Require(1, a.DType);
        return [new(ResultOf(a.DType), Broadcasting.Join(a.Shape, b.Shape))];
    }

    public abstract Kernel Prepare(KernelContext context);

    /// <summary>Element type of the result.</summary>
    private protected virtual DType ResultOf(DType operand) => operand;

    private protected static OpRuleException NoKernel(KernelContext context) =>
        new("the operator has no kernel for this element type") { Found = context.Input(0).ToString() };

    /// <summary>For kernels that compute with raw integers as if they were the numbers.</summary>
    /// <exception cref="OpRuleException">An operand or the result is quantized, so that raw integers mean something else.</exception>
    private protected static void RefuseQuantized(KernelContext context)
    {
        if (context.Input(0).Quant is not null || context.Input(1).Quant is not null || context.Output(0).Quant is not null)
        {
            throw new OpRuleException("the kernel computes with plain integers and would ignore the quantization")
            {
                Found = $"{context.Input(0)}, {context.Input(1)} and {context.Output(0)}",
                Expected = "operands and result without quantization",
            };
        }
    }
}
