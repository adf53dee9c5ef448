using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>The dimensions of a tensor as a vector.</summary>
/// <param name="Wide">True for i64 results, false for i32.</param>
/// <remarks>
/// <para>Shape: <c>x [any] -> y [rank]</c>. Types: x any, y i32 or i64.</para>
/// <para>Source: TFLite builtin 77 (SHAPE), kernel <c>shape.cc</c>, version 1. Known before the run.</para>
/// </remarks>
public sealed record ShapeOf(bool Wide = false) : IOp<ShapeOf>, IDependsOnShapesOnly, IQuantizable, ITfLiteOp<ShapeOf>
{
    public static OpSchema Declaration { get; } = new("shape", ["x"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Shape;

    public static int MaximumVersion => 1;

    public static ShapeOf Parse(AttributeReader attributes) => new(attributes.Bool("wide"));

    public static ShapeOf Read(TfLiteSource source) => source.Options<ShapeOptions>().OutType switch
    {
        TensorElementType.Int64 => new(Wide: true),
        TensorElementType.Int32 or TensorElementType.Float32 => new(),
        var other => throw new OpRuleException("a shape has another element type") { Found = $"{other}", Expected = "Int32 or Int64" },
    };

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        1, new ShapeOptions { OutType = Wide ? TensorElementType.Int64 : TensorElementType.Int32 });

    public void Describe(AttributeWriter attributes) => attributes.Add("wide", Wide);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands) =>
        [new(Wide ? DType.I64 : DType.I32, [operands[0].Shape.HasRank ? operands[0].Shape.Rank : -1])];

    public QuantRule QuantRule(OpOperands operands) => new([OperandRule.Activation], [OperandRule.AsIs]);

    public Kernel Prepare(KernelContext context)
    {
        ImmutableArray<int> dims = context.Input(0).Shape.Dims;
        return () =>
        {
            for (int i = 0; i < dims.Length; i++)
            {
                if (Wide)
                {
                    context.Out<long>(0)[i] = dims[i];
                }
                else
                {
                    context.Out<int>(0)[i] = dims[i];
                }
            }
        };
    }
}
