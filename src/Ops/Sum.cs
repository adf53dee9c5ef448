using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Sum along axes.</summary>
/// <param name="KeepDims">True when the reduced dimensions stay, with size 1.</param>
/// <remarks>
/// <para>Types: f32; i8, u8 and i16 with one scale and zero point per tensor; i32 and i64, wrapping.</para>
/// <para>Source: TFLite builtin 74, <c>reference/reduce.h</c> and <c>reduce_common.cc</c> of TFLite Micro, versions 1 and 2;
/// u8, i32 and i64 exist in LiteRT only.</para>
/// </remarks>
public sealed record Sum(bool KeepDims) : Reduction<Sum>(KeepDims), IOp<Sum>, IQuantizable, IDifferentiable, ITfLiteOp<Sum>
{
    public static OpSchema Declaration { get; } = new("sum", ["x", "axes"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.Sum;

    public static int MaximumVersion => 2;

    public static Sum Parse(AttributeReader attributes) => new(attributes.Bool("keep_dims"));

    public static Sum Read(TfLiteSource source) => new(source.Options<ReducerOptions>().KeepDims);

    public TfLiteEncoding Write(TfLiteTarget target) => Encode(target.Operands[0].DType is DType.I8 ? 2 : 1, KeepDims);

    public QuantRule QuantRule(OpOperands operands) => new([OperandRule.Activation, OperandRule.AsIs], [OperandRule.Activation]);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Spread(g.Gradient(), g.Input(0).Type.Shape, Axes(g)));

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => PrepareFloat<FloatSum>(context),
        DType.I32 => PrepareIn<int, IntegerSum<int, int>>(context),
        DType.I64 => PrepareIn<long, IntegerSum<long, long>>(context),
        DType.I8 => QuantizedSum.Prepare<sbyte>(context, Plan(context), divide: false),
        DType.U8 => QuantizedSum.Prepare<byte>(context, Plan(context), divide: false),
        _ => QuantizedSum.Prepare<short>(context, Plan(context), divide: false),
    };
}
