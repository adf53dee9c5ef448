using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>The dense form of a constant that is stored sparse (<see cref="SparseLayout"/>); elements not stored are 0.</summary>
/// <remarks>
/// <para>Shape: <c>x [any] -> y [same]</c>. A runtime sees the content of every constant in dense form, so the kernel
/// copies.</para>
/// <para>Types: any of whole bytes, f32, f16 and i8 in LiteRT. Source: TFLite builtin 124, <c>densify.cc</c> of LiteRT,
/// version 1.</para>
/// </remarks>
public sealed record Densify : IOp<Densify>, IReshaping, ITfLiteOp<Densify>
{
    public static OpSchema Declaration { get; } = new("densify", ["x"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Densify;

    public static int MaximumVersion => 1;

    public static Densify Parse(AttributeReader attributes) => new();

    public static Densify Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new DensifyOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands) =>
        [operands[0].RequireFixedSize("a tensor to be made dense") with { Quant = null }];

    public Kernel Prepare(KernelContext context)
    {
        context.RequireSameQuantization();
        context.ElementSize();
        return () => context.InputBytes(0).CopyTo(context.OutputBytes(0));
    }
}
