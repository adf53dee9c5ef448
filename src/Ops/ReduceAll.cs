using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>True where all elements along axes are true; true over none.</summary>
/// <param name="KeepDims">True when the reduced dimensions stay, with size 1.</param>
/// <remarks>
/// <para>Types: bool.</para>
/// <para>Source: TFLite builtin 140, <c>reference/reduce.h</c>, version 1; also in TFLite Micro.</para>
/// </remarks>
public sealed record ReduceAll(bool KeepDims) : Reduction<ReduceAll>(KeepDims), IOp<ReduceAll>, ITfLiteOp<ReduceAll>
{
    public static OpSchema Declaration { get; } = new("reduce_all", ["x", "axes"], ["y"])
    {
        Kernels = KernelTypes.Bool,
    };

    public static BuiltinOperator Code => BuiltinOperator.ReduceAll;

    public static int MaximumVersion => 1;

    public static ReduceAll Parse(AttributeReader attributes) => new(attributes.Bool("keep_dims"));

    public static ReduceAll Read(TfLiteSource source) => new(source.Options<ReducerOptions>().KeepDims);

    public TfLiteEncoding Write(TfLiteTarget target) => Encode(1, KeepDims);

    public override Kernel Prepare(KernelContext context) => PrepareIn<byte, AllReducer>(context);
}
