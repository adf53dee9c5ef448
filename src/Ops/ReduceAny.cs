using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>True where any element along axes is true; false over none.</summary>
/// <param name="KeepDims">True when the reduced dimensions stay, with size 1.</param>
/// <remarks>
/// <para>Types: bool.</para>
/// <para>Source: TFLite builtin 91, <c>reference/reduce.h</c>, version 1; TFLite Micro does not have it.</para>
/// </remarks>
public sealed record ReduceAny(bool KeepDims) : Reduction<ReduceAny>(KeepDims), IOp<ReduceAny>, ITfLiteOp<ReduceAny>
{
    public static OpSchema Declaration { get; } = new("reduce_any", ["x", "axes"], ["y"])
    {
        Kernels = KernelTypes.Bool,
    };

    public static BuiltinOperator Code => BuiltinOperator.ReduceAny;

    public static int MaximumVersion => 1;

    public static ReduceAny Parse(AttributeReader attributes) => new(attributes.Bool("keep_dims"));

    public static ReduceAny Read(TfLiteSource source) => new(source.Options<ReducerOptions>().KeepDims);

    public TfLiteEncoding Write(TfLiteTarget target) => Encode(1, KeepDims);

    public override Kernel Prepare(KernelContext context) => PrepareIn<byte, AnyReducer>(context);
}
