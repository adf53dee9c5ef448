using System.Numerics;
using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>REDUCE_MAX and REDUCE_MIN: one element for all along some axes.</summary>
/// <param name="KeepDims">True when the reduced dimensions stay, with size 1.</param>
public abstract record ReducedExtremum<TSelf>(bool KeepDims) : Reduction<TSelf>(KeepDims), IQuantizable, IDifferentiable
    where TSelf : ReducedExtremum<TSelf>, IOp<TSelf>
{
    public TfLiteEncoding Write(TfLiteTarget target) => Encode(target.Operands[0].DType switch
    {
        DType.I16 => 3,
        DType.I8 => 2,
        _ => 1,
    }, KeepDims);

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.Activation, OperandRule.AsIs], [OperandRule.SameAsInput(0)]);

    public void Differentiate(GradientBuilder g) => ShareAmongEqual(g);

    public override Kernel Prepare(KernelContext context)
    {
        if (context.Input(0).DType is DType.I8 or DType.U8 or DType.I16)
        {
            Grid.RequireEqual(context);
        }

        return context.Input(0).DType switch
        {
            DType.F32 => PrepareFloats(context),
            DType.I32 => PrepareIntegers<int>(context),
            DType.I64 => PrepareIntegers<long>(context),
            DType.I8 => PrepareIntegers<sbyte>(context),
            DType.U8 => PrepareIntegers<byte>(context),
            _ => PrepareIntegers<short>(context),
        };
    }

    private protected abstract Kernel PrepareFloats(KernelContext context);

    private protected abstract Kernel PrepareIntegers<T>(KernelContext context)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>;
}
