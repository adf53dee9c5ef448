using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>A tensor as its slices along one axis, without that axis.</summary>
/// <param name="Num">Number of slices: the size of the axis.</param>
/// <param name="Axis">The axis; negative ones count from the end.</param>
/// <remarks>
/// <para>Shape: <c>x [.., num, ..] -> y* [d0, ...]</c>, one dimension less.</para>
/// <para>Types: any of whole bytes, quantized alike. Source: TFLite builtin 88, kernel <c>unpack.cc</c>, versions 1 to 4.</para>
/// </remarks>
public sealed record Unpack(int Num, int Axis) : IOp<Unpack>, IExecutable, IMovesElements, IQuantizable, IDifferentiable, ITfLiteOp<Unpack>
{
    public static OpSchema Declaration { get; } = new("unpack", ["x"], ["y*"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.Unpack;

    public static int MaximumVersion => 4;

    public static Unpack Parse(AttributeReader attributes) => new(attributes.Int("num"), attributes.Int("axis"));

    public static Unpack Read(TfLiteSource source)
    {
        UnpackOptions options = source.Options<UnpackOptions>();
        return new(options.Num, options.Axis);
    }

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        target.Operands[0].DType switch
        {
            DType.I8 or DType.U8 => 2,
            DType.Bool => 3,
            DType.I16 when target.Output().DType is DType.I16 => 4,
            _ => 1,
        },
        new UnpackOptions { Num = Num, Axis = Axis });

    public void Describe(AttributeWriter attributes) => attributes.Add("num", Num).Add("axis", Axis);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands[0];
        Dimensions.RequireResults(Num);
        if (!x.Shape.HasRank)
        {
            return Dimensions.Repeat(x.Unranked(), Num);
        }

        int axis = Dimensions.Axis(Axis, x.Shape.Rank);
        Dimensions.Agree(x.Shape[axis], Num, "the unpacked dimension and the number of results");
        return Dimensions.Repeat(x.Shaped([.. x.Shape.Dims.RemoveAt(axis)]), Num);
    }

    public QuantRule QuantRule(OpOperands operands) => Quantization.QuantRule.Moving(operands.Count, Num);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Add(new Pack(Num, Axis), g.Gradients()));

    public Kernel Prepare(KernelContext context)
    {
        int elementSize = context.ElementSize();
        Shape x = context.Input(0).Shape;
        int axis = Dimensions.Axis(Axis, x.Rank);
        int[] rowBytes = new int[context.OutputCount];
        Array.Fill(rowBytes, checked((int)(Dimensions.Inner(x, axis + 1) * elementSize)));
        return MovedTensors.Cut(context, 0, (int)Dimensions.Outer(x, axis), rowBytes);
    }
}
