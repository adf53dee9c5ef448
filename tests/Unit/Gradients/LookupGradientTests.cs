using Optc.Ir;
using Optc.Ops;
using Xunit;
using static Optc.Tests.Unit.Gradients.FunctionGradientTests;
using static Optc.Tests.Unit.Gradients.MovementGradientTests;

namespace Optc.Tests.Unit.Gradients;

public class LookupGradientTests
{
    private static readonly DType[] IndexTypes = [DType.I16, DType.I32, DType.I64];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 16)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Slices_by_index(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Value x = Input(builder, RandomShape(random));
        int axis = random.Next(x.Type.Shape.Rank);
        int batch = random.Next(axis + 1);
        int[] tail = [.. Enumerable.Range(0, random.Next(3)).Select(_ => random.Next(1, 4))];
        Shape shape = Shape.Of([.. x.Type.Shape.Dims[..batch], .. tail]);
        Value indices = Indices(random, IndexTypes[random.Next(3)], shape, _ => x.Type.Shape[axis]);
        return ([x], [builder.Add(new Gather(random.Next(2) == 0 ? axis : axis - x.Type.Shape.Rank, batch), [x, indices], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Slices_by_tuples(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Shape whole = RandomShape(random);
        int width = random.Next(1, whole.Rank + 1);
        Shape shape = Shape.Of([.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => random.Next(1, 4)), width]);
        bool scatters = random.Next(2) == 0;
        Value indices = Indices(random, IndexTypes[random.Next(scatters ? 1 : 0, 3)], shape, i => whole[i % width]);
        if (scatters)
        {
            Value updates = Input(builder, Shape.Of([.. shape.Dims[..^1], .. whole.Dims[width..]]));
            return ([updates], [builder.Add(new ScatterNd(), [indices, updates, Ints([.. whole])], "y").Output]);
        }

        Value x = Input(builder, whole);
        return ([x], [builder.Add(new GatherNd(), [x, indices], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Rows_of_a_table(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Value table = Input(builder, RandomShape(random));
        Value indices = Indices(random, DType.I32, [random.Next(1, 5)], _ => table.Type.Shape[0]);
        return ([table], [builder.Add(new EmbeddingLookup(), [indices, table], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Repeated_values(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Value on = Input(builder, Shape.Scalar, "on");
        Value off = Input(builder, Shape.Scalar, "off");
        if (random.Next(2) == 0)
        {
            return ([on], [builder.Add(new Fill(), [Ints([.. RandomShape(random)]), on], "y").Output]);
        }

        Shape shape = RandomShape(random, 3);
        Value indices = Indices(random, DType.I32, shape, _ => 4);
        Value depth = GraphBuilder.Constant(TensorData.Scalar(3), "depth");
        return ([on, off], [builder.Add(new OneHot(random.Next(-1, shape.Rank + 1)), [indices, depth, on, off], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Largest_elements(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Value x = Input(builder, RandomShape(random).With(-1, random.Next(1, 7)));
        Value k = GraphBuilder.Constant(TensorData.Scalar(random.Next(1, x.Type.Shape[-1] + 1)), "k");
        return ([x], [builder.Add(new TopkV2(), [x, k], "y").Outputs[0]]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Images_of_another_size(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Value x = Input(builder, [random.Next(1, 3), random.Next(1, 6), random.Next(1, 6), random.Next(1, 3)]);
        Value size = Ints(random.Next(1, 8), random.Next(1, 8));
        (bool align, bool half) = random.Next(3) switch
        {
            0 => (false, false),
            1 => (true, false),
            _ => (false, true),
        };
        IOp op = seed % 2 == 0 ? new ResizeBilinear(align, half) : new ResizeNearestNeighbor(align, half);
        return ([x], [builder.Add(op, [x, size], "y").Output]);
    });

    private static Value Indices(Random random, DType type, Shape shape, Func<int, int> limit)
    {
        long[] values = [.. Enumerable.Range(0, (int)shape.ElementCount).Select(i => (long)random.Next(limit(i)))];
        return GraphBuilder.Constant(
            type switch
            {
                DType.I16 => TensorData.From<short>(type, shape, [.. values.Select(v => (short)v)]),
                DType.I32 => TensorData.FromInts(shape, [.. values.Select(v => (int)v)]),
                _ => TensorData.From<long>(type, shape, values),
            },
            "indices");
    }
}
