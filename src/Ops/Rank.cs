using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>The number of dimensions of a tensor.</summary>
/// <remarks>
/// <para>Shape: <c>x [any] -> y []</c>. Types: x any, y i32.</para>
/// <para>Source: TFLite builtin 110, kernel <c>rank.cc</c>, version 1. Known before the run.</para>
/// </remarks>
public sealed record Rank : IOp<Rank>, IDependsOnShapesOnly, IQuantizable, ITfLiteOp<Rank>
{
    public static OpSchema Declaration { get; } = new("rank", ["x"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Rank;

    public static int MaximumVersion => 1;

    public static Rank Parse(AttributeReader attributes) => new();

    public static Rank Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new RankOptions());

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        _ = operands[0];
        return [new(DType.I32, Shape.Scalar)];
    }

    public QuantRule QuantRule(OpOperands operands) => new([OperandRule.Activation], [OperandRule.AsIs]);

    public Kernel Prepare(KernelContext context)
    {
        int rank = context.Input(0).Shape.Rank;
        return () => context.Out<int>(0)[0] = rank;
    }
}
