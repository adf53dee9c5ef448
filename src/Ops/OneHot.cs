using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels.Movement;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>For each index a vector that is <c>on</c> at that index and <c>off</c> elsewhere.</summary>
/// <param name="Axis">Where the vector lies in the result; -1 for the last dimension.</param>
/// <remarks>
/// <para>
/// Shape: <c>indices [n..], depth [1 element], on [1 element], off [1 element] -> y [n.. with depth inserted at axis]</c>. Indices
/// i32 or i64; one outside 0 to depth - 1 gives a vector of <c>off</c>.
/// </para>
/// <para>Types of on, off, y: any of whole bytes. Source: TFLite builtin 85, kernel <c>one_hot.cc</c>, version 1.</para>
/// </remarks>
public sealed record OneHot(int Axis) : IOp<OneHot>, IExecutable, IDifferentiable, ITfLiteOp<OneHot>
{
    public static OpSchema Declaration { get; } = new("one_hot", ["indices", "depth", "on", "off"], ["y"]) { Kernels = KernelTypes.Any };

    public static BuiltinOperator Code => BuiltinOperator.OneHot;

    public static int MaximumVersion => 1;

    public static OneHot Parse(AttributeReader attributes) => new(attributes.Int("axis"));

    public static OneHot Read(TfLiteSource source) => new(source.Options<OneHotOptions>().Axis);

    public TfLiteEncoding Write(TfLiteTarget target) => new(1, new OneHotOptions { Axis = Axis });

    public void Describe(AttributeWriter attributes) => attributes.Add("axis", Axis);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        Shape indices = operands.Require(0, DType.I32, DType.I64).Shape;
        DType type = operands.RequireSameType(2, 2);
        for (int i = 2; i < 4; i++)
        {
            if (operands[i].Shape.Dims.Any(d => d is not (1 or -1)))
            {
                throw new OpRuleException("a value of a one-hot vector is more than one element") { Found = operands[i].Shape.ToString() };
            }
        }

        int? depth = operands.OneSize(1);
        if (depth < 0)
        {
            throw new OpRuleException("a one-hot vector has a negative length") { Found = $"{depth}" };
        }

        return [indices.HasRank
            ? new(type, Dimensions.Checked(indices.Dims.Insert(Place(indices), depth ?? -1).AsSpan()))
            : new(type, Shape.Unranked)];
    }

    public void Differentiate(GradientBuilder g)
    {
        Value isHot = g.Add(new Equal(), g.Add(new OneHot(Axis), g.Input(0), g.Input(1), g.Scalar(1), g.Scalar(0)), g.Scalar(1));
        g.GiveChosen(isHot, 2, 3);
    }

    public Kernel Prepare(KernelContext context)
    {
        int elementSize = context.ElementSize(2);
        Shape indices = context.Input(0).Shape;
        int axis = Place(indices);
        int depth = context.Output(0).Shape[axis];
        int outer = (int)Dimensions.Outer(indices, axis);
        int inner = (int)Dimensions.Inner(indices, axis);
        IndexReader read = IndexReader.For(context.Input(0).DType);
        return () =>
        {
            ReadOnlySpan<byte> at = context.InputBytes(0);
            ReadOnlySpan<byte> on = context.InputBytes(2);
            Span<byte> y = context.OutputBytes(0);
            ElementFill.Fill(y, context.InputBytes(3));
            for (int o = 0; o < outer; o++)
            {
                for (int i = 0; i < inner; i++)
                {
                    long index = read.At(at, (o * inner) + i);
                    if ((ulong)index < (ulong)depth)
                    {
                        on.CopyTo(y[(((((o * depth) + (int)index) * inner) + i) * elementSize)..]);
                    }
                }
            }
        };
    }

    private int Place(Shape indices) => Axis == -1 ? indices.Rank
        : Axis >= 0 && Axis <= indices.Rank ? Axis
        : throw new OpRuleException("an axis does not exist") { Found = $"{Axis}", Expected = $"-1 to {indices.Rank}" };
}
