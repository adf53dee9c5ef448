using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.Quantization;

namespace Optc.Ops;

/// <summary>A basic operation on two broadcast operands of one element type, with an activation behind it.</summary>
/// <param name="Activation">
/// Limits the result; as in the reference kernels, <see cref="FusedActivation.Tanh"/> and
/// <see cref="FusedActivation.SignBit"/> do nothing.
/// </param>
public abstract record Arithmetic(FusedActivation Activation) : IExecutable, IShrinkable, IBoundsOutputs
{
    /// <exception cref="OpRuleException">Element types or shapes are not allowed.</exception>
    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType a = operands.Require(0, ElementTypes);
        TensorType b = operands.Require(1, a.DType);
        if (!Enum.IsDefined(Activation))
        {
            throw new OpRuleException("the fused activation is not one of the format") { Found = $"{(int)Activation}" };
        }

        return [new(a.DType, Broadcasting.Join(a.Shape, b.Shape))];
    }

    public virtual void Describe(AttributeWriter attributes) => attributes.Add("activation", Activation);

    /// <inheritdoc/>
    public abstract void TraceChannels(ChannelTracer t);

    /// <inheritdoc/>
    public virtual OutputBounds? Bounds(OpOperands operands) => null;

    public abstract Kernel Prepare(KernelContext context);

    /// <summary>Element types that the shape rule accepts.</summary>
    private protected abstract DType[] ElementTypes { get; }

    private protected ActivationFunctionType ActivationCode => (ActivationFunctionType)Activation;

    /// <summary>True for 16-bit operands and result.</summary>
    private protected static bool IsInt16(OpOperands operands) => operands[0].DType is DType.I16;

    private protected static OpRuleException NoKernel(KernelContext context) =>
        new("the operator has no kernel for this element type") { Found = context.Input(0).ToString() };

    private protected Limits<T> LimitsOf<T>()
        where T : unmanaged, System.Numerics.INumber<T>, System.Numerics.IMinMaxValue<T> => Limits<T>.Of(Activation);

    private protected static QuantRule BinaryRule(KernelTypes activations) =>
        new([OperandRule.Activation, OperandRule.Activation], [OperandRule.Activation]) { Activations = activations };
}
