using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Gradients;

public class ElementwiseGradientTests
{
    private static readonly FusedActivation[] Activations =
        [FusedActivation.None, FusedActivation.Relu, FusedActivation.Relu6, FusedActivation.ReluN1To1];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Addition_and_products_over_broadcasts(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        FusedActivation activation = Activations[random.Next(Activations.Length)];
        (Shape a, Shape b) = Broadcast(random);
        Value x = builder.Input("x", new(DType.F32, a));
        Value y = builder.Input("y", new(DType.F32, b));
        IOp op = random.Next(3) switch
        {
            0 => new Add(activation),
            1 => new Sub(activation),
            _ => new Mul(activation),
        };
        return ([x, y], [builder.Add(op, [x, y], "z").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Dense_layers(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        int rows = random.Next(1, 5);
        int outputs = random.Next(1, 6);
        int depth = random.Next(1, 7);
        Value x = builder.Input("x", new(DType.F32, [rows, depth]));
        Value w = builder.Input("w", new(DType.F32, [outputs, depth]));
        Value b = builder.Input("b", new(DType.F32, [outputs]));
        bool biased = random.Next(2) == 0;
        Node node = builder.Add(new FullyConnected(Activations[random.Next(2)]), biased ? [x, w, b] : [x, w], "y");
        return (biased ? [x, w, b] : [x, w], [node.Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_value_that_is_used_twice_gets_the_sum_of_both_gradients(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Value x = builder.Input("x", new(DType.F32, [random.Next(1, 4), random.Next(1, 4)]));
        Value square = builder.Add(new Mul(), [x, x], "square").Output;
        Value sum = builder.Add(new Add(), [square, x], "sum").Output;
        return ([x], [sum, square]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Sums_along_axes(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Shape shape = Shape.Of([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(1, 4))]);
        int[] axes = [.. Enumerable.Range(0, shape.Rank).Where(_ => random.Next(2) == 0)];
        Value x = builder.Input("x", new(DType.F32, shape));
        Value a = GraphBuilder.Constant(TensorData.FromInts([axes.Length], axes), "axes");
        return ([x], [builder.Add(new Sum(random.Next(2) == 0), [x, a], "y").Output]);
    });

    internal static (Shape A, Shape B) Broadcast(Random random)
    {
        int[] full = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(1, 4))];
        Shape Reduced() => Shape.Of([.. full.Select(d => random.Next(3) == 0 ? 1 : d).Skip(random.Next(3) == 0 ? random.Next(full.Length) : 0)]);
        return (Reduced(), Reduced());
    }
}
