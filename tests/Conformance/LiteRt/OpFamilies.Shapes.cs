using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;

namespace Optc.Tests.Conformance.LiteRt;

/// <summary>Ops of one operand, pools and reductions, and ops that move elements.</summary>
internal static partial class OpFamilies
{
    private static OpModel Unary(OpSampler s, IOp op, QuantParams? from, QuantParams? to) =>
        s.Finish(op, [s.Input([s.Int(1, 4), s.Int(1, 5), s.Int(2, 40)], from)], to);

    /// <summary>An op that keeps the grid.</summary>
    private static OpModel Same(OpSampler s, IOp op, Shape shape, Func<int[], Value>? second = null)
    {
        Value x = s.Input(shape);
        return second is null
            ? s.Finish(op, [x], x.Type.Quant)
            : s.Finish(op, [x, second(op is Reshape reshape ? [.. reshape.NewShape] : [])], x.Type.Quant);
    }

    private static OpModel AfterSquare(OpSampler s, IOp op)
    {
        Value x = s.Input(s.Shape(3));
        return s.FinishChain([new Square(), op], x);
    }

    private static OpModel Pool(OpSampler s, Func<int, int, int, int, PaddingMode, FusedActivation, IOp> make)
    {
        Value x = s.Input([1, s.Int(4, 10), s.Int(4, 10), s.Int(1, 20)]);
        return s.Finish(make(s.Int(1, 4), s.Int(2, 4), s.Int(1, 3), s.Int(1, 3), Padding(s), Activation(s)), [x], x.Type.Quant);
    }

    /// <param name="factor">Scale of the result over that of the operand, and how far it varies; the same grid when left out.</param>
    private static OpModel Reduce(OpSampler s, IOp op, (double Middle, double Spread)? factor)
    {
        Value x = s.Input([s.Int(1, 3), s.Int(2, 9), s.Int(2, 9), s.Int(1, 40)]);
        Value axes = s.Coin() ? s.Ints(1, 2) : s.Ints(s.Int(1, 3));
        QuantParams? grid = factor is { } f && !s.IsFloat
            ? new(x.Type.Scale * s.Float(f.Middle - f.Spread, f.Middle + f.Spread), s.Int(-100, 100))
            : x.Type.Quant;
        return s.Finish(op, [x, axes], grid);
    }

    private static OpModel Prelu(OpSampler s)
    {
        int channels = s.Int(1, 12);
        Value x = s.Input([1, s.Int(1, 6), s.Int(1, 6), channels]);
        return s.Finish(new Prelu(), [x, s.Constant([1, 1, channels], s.Grid())], s.Grid());
    }

    private static OpModel Padded(OpSampler s, IOp op, bool withValue)
    {
        Value x = s.Input(s.Shape(4));
        Value paddings = s.IntTensor([4, 2], 0, 0, s.Int(0, 3), s.Int(0, 3), s.Int(0, 3), s.Int(0, 3), 0, s.Int(0, 2));
        return s.Finish(op, withValue ? [x, paddings, s.Constant(Shape.Scalar, x.Type.Quant)] : [x, paddings], x.Type.Quant);
    }

    private static OpModel Mirrored(OpSampler s)
    {
        Value x = s.Input([3, s.Int(3, 6), s.Int(3, 6)]);
        return s.Finish(
            new MirrorPad(s.Coin() ? MirrorPadMode.Reflect : MirrorPadMode.Symmetric),
            [x, s.IntTensor([3, 2], 0, 0, s.Int(0, 2), s.Int(0, 2), s.Int(0, 2), s.Int(0, 2))],
            x.Type.Quant);
    }

    private static OpModel Joined(OpSampler s)
    {
        Shape shape = s.Shape(4);
        int axis = s.Int(0, 3);
        QuantParams? grid = s.Grid();
        Value?[] parts = [.. Enumerable.Range(0, s.Int(2, 4)).Select(_ => s.Input(shape.With(axis, s.Int(1, 5)), grid))];
        return s.Finish(new Concatenation(axis), [.. parts], grid);
    }

    private static OpModel Transposed(OpSampler s)
    {
        int[] order = [0, 1, 2, 3];
        for (int i = 3; i > 0; i--)
        {
            int other = s.Int(0, i);
            (order[i], order[other]) = (order[other], order[i]);
        }

        return Same(s, new Transpose(), s.Shape(4), _ => s.Ints(order));
    }

    private static OpModel Strided(OpSampler s)
    {
        Shape shape = s.Shape(3, least: 3, most: 8);
        Value x = s.Input(shape);
        int step = s.Pick(1, 1, 2, -1);
        Value begin = step < 0 ? s.Ints(0, -1, 1) : s.Ints(0, s.Int(0, 1), 1);
        Value end = step < 0 ? s.Ints(shape[0], 0, shape[2]) : s.Ints(shape[0], s.Int(2, 3), shape[2]);
        return s.Finish(
            new StridedSlice(s.Pick(0, 1), s.Pick(0, 1, 4), 0, 0, s.Pick(0, 1)), [x, begin, end, s.Ints(1, step, 1)], x.Type.Quant);
    }

    private static OpModel Sliced(OpSampler s)
    {
        Shape shape = s.Shape(3, least: 3, most: 8);
        Value x = s.Input(shape);
        return s.Finish(
            new Slice(), [x, s.Ints(s.Int(0, 1), s.Int(0, 2), 0), s.Ints(s.Int(1, 2), 1, s.Pick(-1, 2))], x.Type.Quant);
    }

    private static OpModel Parts(OpSampler s)
    {
        int axis = s.Int(0, 2);
        int parts = s.Int(2, 3);
        Shape shape = s.Shape(3);
        Value x = s.Input(shape.With(axis, shape[axis] * parts));
        return s.Finish(new Split(parts), [s.IntScalar(axis), x], [.. Enumerable.Repeat(x.Type.Quant, parts)]);
    }

    private static OpModel Packed(OpSampler s)
    {
        Shape shape = s.Shape(3);
        QuantParams? grid = s.Grid();
        int count = s.Int(2, 4);
        return s.Finish(new Pack(count, s.Int(0, 3)), [.. Enumerable.Range(0, count).Select(_ => s.Input(shape, grid))], grid);
    }

    private static OpModel Unpacked(OpSampler s)
    {
        Shape shape = s.Shape(3);
        int axis = s.Int(0, 2);
        Value x = s.Input(shape);
        return s.Finish(new Unpack(shape[axis], axis), [x], [.. Enumerable.Repeat(x.Type.Quant, shape[axis])]);
    }

    private static OpModel Gathered(OpSampler s)
    {
        Shape shape = s.Shape(3);
        int axis = s.Int(0, 2);
        return Same(s, new Gather(axis), shape, _ => s.Ints([.. Enumerable.Range(0, s.Int(1, 5)).Select(_ => s.Int(0, shape[axis] - 1))]));
    }

    private static OpModel Tiled(OpSampler s) => Same(s, new Tile(), s.Shape(3, most: 4), _ => s.Ints(s.Int(1, 3), s.Int(1, 3), s.Int(1, 3)));

    private static OpModel Bilinear(OpSampler s)
    {
        bool align = s.Int(0, 2) == 0;
        return Same(s, new ResizeBilinear(align, !align && s.Coin()), Picture(s), _ => s.Ints(s.Int(2, 12), s.Int(2, 12)));
    }

    private static OpModel Nearest(OpSampler s)
    {
        bool align = s.Int(0, 2) == 0;
        return Same(s, new ResizeNearestNeighbor(align, !align && s.Coin()), Picture(s), _ => s.Ints(s.Int(2, 12), s.Int(2, 12)));
    }

    private static Shape Picture(OpSampler s) => [1, s.Int(2, 7), s.Int(2, 7), s.Int(1, 9)];

    private static OpModel Largest(OpSampler s) => s.Finish(new ArgMax(DType.I32), [s.Input(s.Shape(3)), s.IntScalar(s.Int(0, 2))]);

    private static OpModel Converted(OpSampler s, IOp op, QuantParams? to) => s.Finish(op, [s.Input(s.Shape(3, most: 8))], to);
}
