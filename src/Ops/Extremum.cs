using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops.Bounds;
using Optc.Ops.Execution;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>MAXIMUM and MINIMUM: one of two operands, element by element; the second one where either is NaN.</summary>
public abstract record Extremum<TSelf> : BinaryElementwise<TSelf>, IBoundsOutputs, IQuantizable
    where TSelf : Extremum<TSelf>, IOp<TSelf>
{
    public TfLiteEncoding Write(TfLiteTarget target)
    {
        DType type = target.Operands[0].DType;
        int version = type is DType.I16 ? 4
            : Broadcasting.IsBeyondFourDimensions(target.Operands) ? 3
            : type is DType.I8 ? 2
            : 1;
        return new(version, new MaximumMinimumOptions());
    }

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.Activation, OperandRule.SameAsInput(0)], [OperandRule.SameAsInput(0)]);

    public OutputBounds? Bounds(OpOperands operands) => new(BoundsRule.Ends, RoundingFreedom.None);

    public override Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization(0);
        context.RequireSameQuantization(1);
        return context.Input(0).DType switch
        {
            DType.F32 => Plain<float>(context),
            DType.I8 => Plain<sbyte>(context),
            DType.U8 => Plain<byte>(context),
            DType.I16 => Plain<short>(context),
            DType.I32 => Plain<int>(context),
            DType.I64 => Plain<long>(context),
            _ => throw NoKernel(context),
        };
    }

    private protected abstract Kernel Plain<T>(KernelContext context)
        where T : unmanaged, INumber<T>;
}
