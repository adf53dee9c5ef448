using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Gradients;

public class NormalizedConvolutionTests
{
    private const float Epsilon = 0.05f;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Gradients_of_blocks_in_a_row_agree_with_differences(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        int channels = random.Next(1, 6);
        Value x = builder.Input("x", new(DType.F32, [random.Next(1, 4), random.Next(3, 7), random.Next(3, 7), channels]));
        List<Value> inputs = [x];
        Node first = Add(builder, random, "first", [x], FusedActivation.None, inputs);
        ImmutableArray<Value> between = [first.Outputs[0], .. Line(builder, first, "between", inputs)];
        Node second = Add(builder, random, "second", between, Activation(random), inputs);
        Value y = builder.Add(
            new NormalizeChannels(Epsilon, Activation(random)), [second.Outputs[0], .. Line(builder, second, "last", inputs)], "y").Output;
        return ([.. inputs], random.Next(2) == 0 ? [y] : [y, second.Outputs[1], first.Outputs[2]]);
    });

    private static Node Add(
        GraphBuilder builder, Random random, string name, ImmutableArray<Value> operands, FusedActivation activation, List<Value> inputs)
    {
        int channels = operands[0].Type.Shape[3];
        bool depthwise = random.Next(2) == 0;
        (int h, int w) = (random.Next(1, 4), random.Next(1, 4));
        Value weights = builder.Input($"{name}/w", new(DType.F32, depthwise ? [1, h, w, channels] : [random.Next(1, 6), h, w, channels]));
        inputs.Add(weights);
        NormalizedConvolution op = new(
            random.Next(1, 3), random.Next(1, 3), PaddingMode.Same, depthwise, Epsilon: Epsilon, Activation: activation);
        return builder.Add(op, [operands[0], weights, .. operands[1..]], name);
    }

    private static ImmutableArray<Value> Line(GraphBuilder builder, Node node, string name, List<Value> inputs)
    {
        TensorType channels = node.Outputs[1].Type;
        (Value gamma, Value beta) = (builder.Input($"{name}/gamma", channels), builder.Input($"{name}/beta", channels));
        inputs.AddRange([gamma, beta]);
        return [gamma, beta, node.Outputs[1], node.Outputs[2]];
    }

    private static FusedActivation Activation(Random random) => random.Next(4) switch
    {
        0 => FusedActivation.None,
        1 => FusedActivation.Relu,
        2 => FusedActivation.Relu6,
        _ => FusedActivation.ReluN1To1,
    };
}
