using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Largest element along axes; the smallest value of the type, or minus infinity, over none.</summary>
/// <param name="KeepDims">True when the reduced dimensions stay, with size 1.</param>
/// <remarks>
/// <para>Types: f32, i32, i64; i8, u8 and i16 with equal quantization of x and y.</para>
/// <para>Source: TFLite builtin 82, <c>reference/reduce.h</c>, versions 1 to 3; TFLite Micro has f32 and i8.</para>
/// <para>Gradient: elements that are equally extreme share it.</para>
/// </remarks>
public sealed record ReduceMax(bool KeepDims) : ReducedExtremum<ReduceMax>(KeepDims), IOp<ReduceMax>, ITfLiteOp<ReduceMax>
{
    public static OpSchema Declaration { get; } = new("reduce_max", ["x", "axes"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.ReduceMax;

    public static int MaximumVersion => 3;

    public static ReduceMax Parse(AttributeReader attributes) => new(attributes.Bool("keep_dims"));

    public static ReduceMax Read(TfLiteSource source) => new(source.Options<ReducerOptions>().KeepDims);

    private protected override Kernel PrepareFloats(KernelContext context) => PrepareFloat<FloatMax>(context);

    private protected override Kernel PrepareIntegers<T>(KernelContext context) => PrepareIn<T, IntegerMax<T>>(context);
}
