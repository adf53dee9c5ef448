using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>What the logistic function and the hyperbolic tangent have in common.</summary>
internal static class SigmoidFamily
{
    public static int Version(TfLiteTarget target) => (target.Operands[0].DType, target.Output().DType) switch
    {
        (DType.I16, DType.I16) => 3,
        (DType.I8, _) => 2,
        _ => 1,
    };

    /// <summary>The scale of an i16 operand, after the checks of its kernel.</summary>
    /// <exception cref="OpRuleException">A zero point is not 0, or the output scale is not 1/32768.</exception>
    public static float WideInputScale(KernelContext context)
    {
        Grid.RequireFixed(context.Output(0), 1f / 32768, 0);
        return Grid.Symmetric(context.Input(0)).Scale;
    }
}
