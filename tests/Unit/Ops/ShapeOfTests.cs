using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class ShapeOfTests
{
    [Fact]
    public void Shape_and_rank_need_no_content()
    {
        Assert.Equal([2, 3], new OpCase(new ShapeOf()).Input<float>(DType.F32, [2, 3]).Run<int>());
        Assert.Equal([2L, 3], new OpCase(new ShapeOf(Wide: true)).Input<float>(DType.F32, [2, 3]).Run<long>());
        Assert.Equal([2], new OpCase(new Rank()).Input<float>(DType.F32, [2, 3]).Run<int>());
        Assert.Equal(Shape.Of([2]), new OpCase(new ShapeOf()).Input<float>(DType.F32, [-1, 3]).Infer()[0].Shape);
        Assert.Equal(Shape.Of([-1]), new OpCase(new ShapeOf()).Input<float>(DType.F32, Shape.Unranked).Infer()[0].Shape);
    }

    [Fact]
    public void The_element_type_of_a_shape_is_read_from_a_file()
    {
        static ShapeOf Read(TensorElementType type) =>
            ShapeOf.Read(new(new OperatorRecord { BuiltinOptions = new ShapeOptions { OutType = type } }, []));

        Assert.Equal(new ShapeOf(), Read(TensorElementType.Int32));
        Assert.Equal(new ShapeOf(Wide: true), Read(TensorElementType.Int64));
        Assert.ThrowsAny<OpRuleException>(() => Read(TensorElementType.Bool));
        Assert.Equal(new ShapeOf(Wide: true), OpCase.Reparse(new ShapeOf(Wide: true)));
    }

    [Fact]
    public void Squeeze_and_expand_change_the_shape_only()
    {
        static Shape Squeezed(Shape x, params ImmutableArray<int> axes) =>
            new Squeeze(axes).InferTypes(new(new TensorType(DType.F32, x)))[0].Shape;
        static Shape Expanded(Shape x, int axis) =>
            new OpCase(new ExpandDims()).Input<float>(DType.F32, x).Constant(DType.I32, Shape.Scalar, axis).Infer()[0].Shape;

        Assert.Equal(Shape.Of([2, 3]), Squeezed([1, 2, 1, 3]));
        Assert.Equal(Shape.Of([1, 2, 3]), Squeezed([1, 2, 1, 3], -2));
        Assert.Equal(Shape.Of([-1, 3]), Squeezed([-1, 1, 3], 1));
        Assert.Equal(Shape.Of([3]), Squeezed([-1, 1, 3], 0, 1));
        Assert.False(Squeezed([-1, 1, 3]).HasRank);
        Assert.ThrowsAny<OpRuleException>(() => Squeezed([2, 1], 0));
        Assert.ThrowsAny<OpRuleException>(() => Squeezed([2, 1], 2));
        Assert.Equal(Shape.Of([2, 3, 1]), Expanded([2, 3], -1));
        Assert.Equal(Shape.Of([1, -1, 3]), Expanded([-1, 3], 0));
        Assert.Equal(Shape.Of([-1, -1]), new OpCase(new ExpandDims()).Input<float>(DType.F32, [2]).Input<int>(DType.I32, [1]).Infer()[0].Shape);
        Assert.ThrowsAny<OpRuleException>(() => Expanded([2, 3], 3));
        Assert.ThrowsAny<OpRuleException>(() => Expanded([2, 3], int.MinValue));

        Assert.Equal([1f, 2], new OpCase(new Squeeze([])).Input<float>(DType.F32, [1, 2], 1, 2).Run<float>());
        Assert.Equal([1f, 2], new OpCase(new ExpandDims()).Input<float>(DType.F32, [2], 1, 2).Input(DType.I32, [1], -1).Run<float>());
        Assert.Equal(
            new byte[] { 0x21, 0x03 },
            new OpCase(new Squeeze([0])).Input<byte>(new TensorType(DType.I4, [1, 3]), 0x21, 0x03).Run<byte>());
        Assert.Equal(new Squeeze([0, -1]), OpCase.Reparse(new Squeeze([0, -1])));
    }
}
