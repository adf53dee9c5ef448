using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Xunit;
using static Optc.Tests.Unit.Gradients.FunctionGradientTests;

namespace Optc.Tests.Unit.Gradients;

public class MovementGradientTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Dimensions_added_and_dropped(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Value x = Input(builder, RandomShape(random));
        Value wide = builder.Add(new ExpandDims(), [x, Ints(random.Next(-1, 2))], "wide").Output;
        return ([x], [builder.Add(new Squeeze([]), [wide], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Permutations(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Value x = Input(builder, RandomShape(random));
        int[] perm = [.. Enumerable.Range(0, x.Type.Shape.Rank)];
        random.Shuffle(perm);
        return ([x], [builder.Add(new Transpose(), [x, Ints(perm)], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Borders(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Value x = Input(builder, RandomShape(random));
        Value widths = Widths(x.Type.Shape, _ => random.Next(3));
        Value border = builder.Input("border", new(DType.F32, random.Next(2) == 0 ? Shape.Scalar : [1]));
        return random.Next(2) == 0
            ? ([x], [builder.Add(new Pad(), [x, widths], "y").Output])
            : ([x, border], [builder.Add(new PadV2(), [x, widths, border], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Mirrored_borders(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        MirrorPadMode mode = random.Next(2) == 0 ? MirrorPadMode.Reflect : MirrorPadMode.Symmetric;
        Value x = Input(builder, RandomShape(random));
        Value widths = Widths(x.Type.Shape, size => random.Next(size + (mode is MirrorPadMode.Symmetric ? 1 : 0)));
        return ([x], [builder.Add(new MirrorPad(mode), [x, widths], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Concatenations(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Shape shape = RandomShape(random);
        int axis = random.Next(-shape.Rank, shape.Rank);
        ImmutableArray<Value> inputs = [.. Enumerable.Range(0, random.Next(1, 4)).Select(i => Input(builder, shape.With(axis, random.Next(1, 4)), $"x{i}"))];
        return (inputs, [builder.Add(new Concatenation(axis), [.. inputs], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Parts_of_which_some_are_not_used(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Shape shape = RandomShape(random);
        int axis = random.Next(-shape.Rank, shape.Rank);
        int parts = random.Next(1, 4);
        Node node;
        Value x;
        switch (random.Next(3))
        {
            case 0:
                x = Input(builder, shape.With(axis, parts * random.Next(1, 3)));
                node = builder.Add(new Split(parts), [GraphBuilder.Constant(TensorData.Scalar(axis), "axis"), x], "y");
                break;
            case 1:
                int[] sizes = [.. Enumerable.Range(0, parts).Select(_ => random.Next(0, 4))];
                x = Input(builder, shape.With(axis, sizes.Sum()));
                node = builder.Add(new SplitV(parts), [x, Ints(sizes), GraphBuilder.Constant(TensorData.Scalar(axis), "axis")], "y");
                break;
            default:
                x = Input(builder, shape.With(axis, parts));
                node = builder.Add(new Unpack(parts, axis), [x], "y");
                break;
        }

        return ([x], Some(random, node.Outputs));
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Stacks(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Shape shape = RandomShape(random, 3);
        ImmutableArray<Value> inputs = [.. Enumerable.Range(0, random.Next(1, 4)).Select(i => Input(builder, shape, $"x{i}"))];
        Value fixedOne = GraphBuilder.Constant(TensorData.FromFloats(shape, new float[shape.ElementCount]), "fixed");
        int axis = random.Next(-shape.Rank - 1, shape.Rank + 1);
        return (inputs, [builder.Add(new Pack(inputs.Length + 1, axis), [fixedOne, .. inputs], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Boxes(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Value x = Input(builder, RandomShape(random));
        int[] begin = [.. x.Type.Shape.Select(size => random.Next(size))];
        int[] size = [.. x.Type.Shape.Select((whole, axis) => random.Next(3) == 0 ? -1 : random.Next(whole - begin[axis] + 1))];
        return ([x], [builder.Add(new Slice(), [x, Ints(begin), Ints(size)], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Boxes_that_are_replaced(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Value x = Input(builder, RandomShape(random));
        Value update = Input(builder, Shape.Of([.. x.Type.Shape.Select(size => random.Next(1, size + 1))]), "update");
        int[] start = [.. x.Type.Shape.Select(size => random.Next(-1, size + 1))];
        return ([x, update], [builder.Add(new DynamicUpdateSlice(), [x, update, Ints(start)], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(ManySeeds))]
    public void Ranges_with_strides(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Shape shape = Shape.Of([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(1, 8))]);
        Value x = Input(builder, shape);
        int entries = random.Next(1, shape.Rank + 1);
        int ellipsis = random.Next(3) == 0 ? 1 << random.Next(entries) : 0;
        (int shrink, int inserted) = (0, 0);
        (int[] begin, int[] end, int[] strides) = (new int[entries], new int[entries], new int[entries]);
        for (int i = 0, axis = 0; i < entries; i++)
        {
            if ((ellipsis >> i & 1) != 0)
            {
                strides[i] = 1;
                axis += shape.Rank - entries + 1;
                continue;
            }

            int size = shape[axis++];
            strides[i] = random.Next(2) == 0 ? random.Next(1, 4) : -random.Next(1, 4);
            (begin[i], end[i]) = (random.Next(-size - 1, size + 2), random.Next(-size - 1, size + 2));
            if (random.Next(4) == 0)
            {
                (begin[i], strides[i]) = (random.Next(-size, size), 1);
                shrink |= 1 << i;
            }
        }

        if (random.Next(3) == 0)
        {
            (begin, end, strides) = ([.. begin, 0], [.. end, 0], [.. strides, 1]);
            inserted = 1 << entries;
        }

        int free = ~shrink & random.Next(1 << entries);
        StridedSlice op = new(free, ~shrink & random.Next(1 << entries), ellipsis, inserted, shrink);
        return ([x], [builder.Add(op, [x, Ints(begin), Ints(end), Ints(strides)], "y").Output]);
    });

    public static TheoryData<int> ManySeeds => [.. Enumerable.Range(1, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Repetitions(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Shape shape = RandomShape(random, 3);
        if (random.Next(2) == 0)
        {
            Value x = Input(builder, shape);
            return ([x], [builder.Add(new Tile(), [x, Ints([.. shape.Select(_ => random.Next(1, 4))])], "y").Output]);
        }

        Value small = Input(builder, Reduced(random, shape));
        return ([small], [builder.Add(new BroadcastTo(), [small, Ints([.. shape])], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Reversals(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Value x = Input(builder, RandomShape(random));
        int[] axes = [.. Enumerable.Range(0, x.Type.Shape.Rank).Where(_ => random.Next(2) == 0)];
        return ([x], [builder.Add(new ReverseV2(), [x, Ints(axes)], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Blocks_of_pixels(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        int block = random.Next(1, 4);
        (int n, int h, int w, int c) = (random.Next(1, 3), random.Next(1, 3), random.Next(1, 3), random.Next(1, 3));
        bool deep = random.Next(2) == 0;
        Value x = Input(builder, deep ? [n, h, w, c * block * block] : [n, h * block, w * block, c]);
        return ([x], [builder.Add(deep ? new DepthToSpace(block) : new SpaceToDepth(block), [x], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Blocks_of_batches(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        int[] block = [random.Next(1, 3), random.Next(1, 3)];
        int[] borders = [random.Next(2), random.Next(2), random.Next(2), random.Next(2)];
        int[] cells = [random.Next(2, 4), random.Next(2, 4)];
        Value widths = GraphBuilder.Constant(TensorData.FromInts([2, 2], borders), "borders");
        (int n, int c) = (random.Next(1, 3), random.Next(1, 3));
        if (random.Next(2) == 0)
        {
            Value blocked = Input(builder, [n * block[0] * block[1], cells[0], cells[1], c]);
            return ([blocked], [builder.Add(new BatchToSpaceNd(), [blocked, Ints(block), widths], "y").Output]);
        }

        int Size(int axis) => ((cells[axis] + 1) * block[axis]) - borders[2 * axis] - borders[(2 * axis) + 1];
        Value x = Input(builder, [n, Size(0), Size(1), c]);
        return ([x], [builder.Add(new SpaceToBatchNd(), [x, Ints(block), widths], "y").Output]);
    });

    [Fact]
    public void A_box_at_a_computed_place_has_no_gradient_and_says_so()
    {
        GraphBuilder builder = new("main");
        Value x = Input(builder, [4]);
        Value update = Input(builder, [2], "update");
        Value start = builder.Input("start", new(DType.I32, [1]));
        Value y = builder.Add(new DynamicUpdateSlice(), [x, update, start], "y").Output;
        Value loss = builder.Add(new Sum(KeepDims: false), [y, Ints(0)], "loss").Output;
        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => Optc.Ops.Gradients.Differentiation.Add(builder, loss, [x, update]));
        Assert.Contains("operand 2 is computed", problem.Message, StringComparison.Ordinal);
    }

    internal static Value Input(GraphBuilder builder, Shape shape, string name = "x") => builder.Input(name, new(DType.F32, shape));

    internal static Value Ints(params int[] values) => GraphBuilder.Constant(TensorData.FromInts([values.Length], values), "ints");

    /// <summary>At least one of the values, in their order.</summary>
    private static ImmutableArray<Value> Some(Random random, ImmutableArray<Value> values)
    {
        int certain = random.Next(values.Length);
        return [.. values.Where((_, i) => i == certain || random.Next(2) == 0)];
    }

    private static Value Widths(Shape shape, Func<int, int> width) => GraphBuilder.Constant(
        TensorData.FromInts([shape.Rank, 2], [.. shape.SelectMany(size => (int[])[width(size), width(size)])]), "widths");
}
