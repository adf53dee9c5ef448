using Optc.Ir;
using Optc.Ops;
using Xunit;

namespace Optc.Tests.Unit.Gradients;

public class ReductionGradientTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 16)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Reductions_along_axes(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        bool keep = random.Next(2) == 0;
        IOp op = (seed % 4) switch
        {
            0 => new Mean(keep),
            1 => new ReduceMax(keep),
            2 => new ReduceMin(keep),
            _ => new ReduceProd(keep),
        };
        Shape shape = FunctionGradientTests.RandomShape(random);
        int[] axes = [.. Enumerable.Range(0, shape.Rank).Where(_ => random.Next(2) == 0).Select(a => random.Next(2) == 0 ? a : a - shape.Rank)];
        Value x = builder.Input("x", new(DType.F32, shape));
        return ([x], [builder.Add(op, [x, GraphBuilder.Constant(TensorData.FromInts([axes.Length], axes), "axes")], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Running_sums(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Shape shape = FunctionGradientTests.RandomShape(random);
        Value x = builder.Input("x", new(DType.F32, shape));
        Value axis = GraphBuilder.Constant(TensorData.Scalar(random.Next(-shape.Rank, shape.Rank)), "axis");
        return ([x], [builder.Add(new Cumsum(random.Next(2) == 0, random.Next(2) == 0), [x, axis], "y").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Normalization_along_the_last_axis(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        IOp op = (seed % 4) switch
        {
            0 => new Softmax(),
            1 => new Softmax(2.5f),
            2 => new LogSoftmax(),
            _ => new L2Normalization(),
        };
        Value x = builder.Input("x", new(DType.F32, FunctionGradientTests.RandomShape(random)));
        return ([x], [builder.Add(op, [x], "y").Output]);
    });

    [Fact]
    public void Equal_extrema_share_the_gradient()
    {
        float[][] gradients = GradientCheck.Gradients(
            builder =>
            {
                Value x = builder.Input("x", new(DType.F32, [4]));
                Value axes = GraphBuilder.Constant(TensorData.FromInts([1], [0]), "axes");
                return ([x], builder.Add(new ReduceMax(KeepDims: false), [x, axes], "y").Output);
            },
            [1, 3, 3, 2]);
        Assert.Equal([0, 0.5f, 0.5f, 0], gradients[0]);
    }

    [Theory]
    [InlineData(new double[] { 2, 0, 3 }, new float[] { 0, 6, 0 })]
    [InlineData(new double[] { 0, 0, 3 }, new float[] { 0, 0, 0 })]
    [InlineData(new double[] { 2, 4, 3 }, new float[] { 12, 6, 8 })]
    public void Products_with_zeros_have_the_gradient_of_the_other_factors(double[] point, float[] expected)
    {
        float[][] gradients = GradientCheck.Gradients(
            builder =>
            {
                Value x = builder.Input("x", new(DType.F32, [3]));
                Value axes = GraphBuilder.Constant(TensorData.FromInts([1], [0]), "axes");
                return ([x], builder.Add(new ReduceProd(KeepDims: false), [x, axes], "y").Output);
            },
            point);
        Assert.Equal(expected, gradients[0]);
    }

    [Fact]
    public void A_vector_shorter_than_the_smallest_norm_is_only_scaled()
    {
        float[][] gradients = GradientCheck.Gradients(
            builder =>
            {
                Value x = builder.Input("x", new(DType.F32, [2]));
                Value y = builder.Add(new L2Normalization(), [x], "y").Output;
                Value axes = GraphBuilder.Constant(TensorData.FromInts([1], [0]), "axes");
                return ([x], builder.Add(new Sum(KeepDims: false), [y, axes], "sum").Output);
            },
            [1e-8, 0]);
        Assert.All(gradients[0], g => Assert.Equal(1e6, g, 1));
    }
}
