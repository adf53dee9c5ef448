using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Gradients;

public class ConvolutionGradientTests
{
    private static readonly FusedActivation[] Activations =
        [FusedActivation.None, FusedActivation.Relu, FusedActivation.Relu6, FusedActivation.ReluN1To1];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 24)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Convolutions_with_groups(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Window2D window = new(random);
        int groups = random.Next(1, 3);
        (int inputs, int outputs) = (random.Next(1, 4), random.Next(1, 4));
        Value x = builder.Input("x", new(DType.F32, [random.Next(1, 3), window.Height, window.Width, groups * inputs]));
        Value w = builder.Input("w", new(DType.F32, [groups * outputs, window.KernelH, window.KernelW, inputs]));
        Value b = builder.Input("b", new(DType.F32, [groups * outputs]));
        Conv2D op = new(window.StrideH, window.StrideW, window.Padding, Activation(random), window.DilationH, window.DilationW);
        return Node(builder, op, [x, w, b], random);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Depthwise_convolutions_with_multipliers(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Window2D window = new(random);
        (int channels, int multiplier) = (random.Next(1, 5), random.Next(1, 4));
        Value x = builder.Input("x", new(DType.F32, [random.Next(1, 3), window.Height, window.Width, channels]));
        Value w = builder.Input("w", new(DType.F32, [1, window.KernelH, window.KernelW, channels * multiplier]));
        Value b = builder.Input("b", new(DType.F32, [channels * multiplier]));
        DepthwiseConv2D op = new(
            window.StrideH, window.StrideW, window.Padding, multiplier, Activation(random), window.DilationH, window.DilationW);
        return Node(builder, op, [x, w, b], random);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Transposed_convolutions(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        Window2D window = new(random);
        (int batch, int inputs, int outputs) = (random.Next(1, 3), random.Next(1, 4), random.Next(1, 4));
        (int height, int width) = (Size(window.Height, window.KernelH, window.StrideH, window.Padding), Size(window.Width, window.KernelW, window.StrideW, window.Padding));
        Value shape = GraphBuilder.Constant(TensorData.FromInts([4], [batch, window.Height, window.Width, outputs]), "shape");
        Value w = builder.Input("w", new(DType.F32, [outputs, window.KernelH, window.KernelW, inputs]));
        Value x = builder.Input("x", new(DType.F32, [batch, height, width, inputs]));
        Value b = builder.Input("b", new(DType.F32, [outputs]));
        bool biased = random.Next(2) == 0;
        Node node = builder.Add(
            new TransposeConv(window.StrideH, window.StrideW, window.Padding, Activation(random)), biased ? [shape, w, x, b] : [shape, w, x], "y");
        return (biased ? [w, x, b] : [w, x], [node.Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Products_over_broadcast_batches(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        (Shape batchX, Shape batchY) = ElementwiseGradientTests.Broadcast(random);
        (int m, int k, int n) = (random.Next(1, 4), random.Next(1, 4), random.Next(1, 4));
        (bool adjX, bool adjY) = (random.Next(2) == 0, random.Next(2) == 0);
        Value x = builder.Input("x", new(DType.F32, Shape.Of([.. batchX, .. adjX ? new[] { k, m } : [m, k]])));
        Value y = builder.Input("y", new(DType.F32, Shape.Of([.. batchY, .. adjY ? new[] { n, k } : [k, n]])));
        return ([x, y], [builder.Add(new BatchMatMul(adjX, adjY), [x, y], "z").Output]);
    });

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Pools(int seed) => GradientCheck.Verify(
        seed,
        (builder, random) =>
        {
            Window2D window = new(random);
            Value x = builder.Input("x", new(DType.F32, [random.Next(1, 3), window.Height, window.Width, random.Next(1, 4)]));
            IOp op = random.Next(3) switch
            {
                0 => new AveragePool2D(window.KernelH, window.KernelW, window.StrideH, window.StrideW, window.Padding, Activation(random)),
                1 => new MaxPool2D(window.KernelH, window.KernelW, window.StrideH, window.StrideW, window.Padding, Activation(random)),
                _ => new L2Pool2D(window.KernelH, window.KernelW, window.StrideH, window.StrideW, window.Padding, Activation(random)),
            };
            return ([x], [builder.Add(op, [x], "y").Output]);
        },
        Distinct(seed));

    /// <summary>Values of distance 0.002, none on a kink of an activation, in jumbled order.</summary>
    private static Func<Random, double> Distinct(int seed)
    {
        int at = seed;
        return _ => (at++ * 389 % 1009 * 0.002) - 0.999;
    }

    private static (ImmutableArray<Value> Inputs, ImmutableArray<Value> Results) Node(
        GraphBuilder builder, IOp op, ImmutableArray<Value?> operands, Random random)
    {
        ImmutableArray<Value?> used = random.Next(2) == 0 ? operands : operands[..2];
        return ([.. used.OfType<Value>()], [builder.Add(op, used, "y").Output]);
    }

    private static FusedActivation Activation(Random random) => Activations[random.Next(Activations.Length)];

    private static int Size(int input, int kernel, int stride, PaddingMode padding) =>
        padding is PaddingMode.Same ? (input + stride - 1) / stride : ((input - kernel) / stride) + 1;

    /// <summary>A random window that fits its image.</summary>
    private sealed class Window2D
    {
        public Window2D(Random random)
        {
            (KernelH, KernelW) = (random.Next(1, 4), random.Next(1, 4));
            (StrideH, StrideW) = (random.Next(1, 4), random.Next(1, 4));
            bool dilates = random.Next(3) == 0;
            (DilationH, DilationW) = dilates ? (random.Next(1, 4), random.Next(1, 4)) : (1, 1);
            Height = ((KernelH - 1) * DilationH) + random.Next(1, 5);
            Width = ((KernelW - 1) * DilationW) + random.Next(1, 5);
            Padding = random.Next(2) == 0 ? PaddingMode.Same : PaddingMode.Valid;
        }

        public int Height { get; }

        public int Width { get; }

        public int KernelH { get; }

        public int KernelW { get; }

        public int StrideH { get; }

        public int StrideW { get; }

        public int DilationH { get; }

        public int DilationW { get; }

        public PaddingMode Padding { get; }
    }
}
