using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Zeros in the shape of another tensor.</summary>
/// <remarks>
/// <para>Shape: <c>x [any] -> y [same]</c>. Types: any of whole bytes; every byte is 0, also where a zero point is not.</para>
/// <para>Source: TFLite builtin 93, kernel <c>zeros_like.cc</c>, version 1.</para>
/// </remarks>
public sealed record ZerosLike : IOp<ZerosLike>, IExecutable, IDifferentiable, ITfLiteOp<ZerosLike>
{
    public static OpSchema Declaration { get; } = new("zeros_like", ["x"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.ZerosLike;

    public static int MaximumVersion => 1;

    public static ZerosLike Parse(AttributeReader attributes) => new();

    public static ZerosLike Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new ZerosLikeOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands) => [operands[0] with { Quant = null }];

    /// <summary>Nothing: the result is constant.</summary>
    public void Differentiate(GradientBuilder g)
    {
    }

    public Kernel Prepare(KernelContext context)
    {
        context.ElementSize();
        return () => context.OutputBytes(0).Clear();
    }
}
