using System.Numerics.Tensors;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Root of the mean square over a window; positions outside the image are not counted.</summary>
/// <remarks>
/// <para>Shape: <c>x [N, H, W, C] -> y [N, OH, OW, C]</c>. Types: f32.</para>
/// <para>Source: TFLite builtin 12, reference kernel <c>reference/pooling.h</c>.</para>
/// </remarks>
public sealed record L2Pool2D(int FilterH, int FilterW, int StrideH, int StrideW, PaddingMode Padding, FusedActivation Activation = FusedActivation.None)
    : Pool2D(FilterH, FilterW, StrideH, StrideW, Padding, Activation), IOp<L2Pool2D>, IExecutable, IDifferentiable, ITfLiteOp<L2Pool2D>
{
    public static OpSchema Declaration { get; } = new("l2_pool_2d", ["x"], ["y"]) { Kernels = KernelTypes.F32 };

    public static BuiltinOperator Code => BuiltinOperator.L2Pool2D;

    public static int MaximumVersion => 1;

    /// <summary>Below the root of the smallest normal square: smaller roots come from windows that are zero.</summary>
    private const float SmallestRoot = 1e-19f;

    private protected override DType[] AllowedTypes => [DType.F32];

    public static L2Pool2D Parse(AttributeReader attributes)
    {
        (int filterH, int filterW, int strideH, int strideW, PaddingMode padding, FusedActivation activation) = ParseOptions(attributes);
        return new(filterH, filterW, strideH, strideW, padding, activation);
    }

    public static L2Pool2D Read(TfLiteSource source)
    {
        (int filterH, int filterW, int strideH, int strideW, PaddingMode padding, FusedActivation activation) = ReadOptions(source);
        return new(filterH, filterW, strideH, strideW, padding, activation);
    }

    public TfLiteEncoding Write(TfLiteTarget target) => Encode(version: 1);

    /// <summary><c>dx = x * sum over windows of dy / (y taps)</c>; a window of zeros has gradient zero.</summary>
    public void Differentiate(GradientBuilder g)
    {
        // Where an activation changed y, the gradient is zero whatever y is.
        Value x = g.Input(0);
        Value dz = g.BeforeActivation(Activation, g.Gradient());
        Value ratio = g.Add(new Div(), dz, g.Add(new Maximum(), g.Output(), g.Scalar(SmallestRoot)));
        Value share = g.Add(
            new AveragePool2DGradient(x.Type.Shape[1], x.Type.Shape[2], FilterH, FilterW, StrideH, StrideW, Padding), ratio);
        g.Give(0, g.Multiply(share, x));
    }

    public Kernel Prepare(KernelContext context)
    {
        PoolWalk walk = Walk(context);
        Scratch state = context.Reserve(walk.Channels * (long)sizeof(float));
        (float low, float high) = SpatialRules.Limits(Activation);
        return () => walk.Run(context.In<float>(0), context.Out<float>(0), state.Span<float>(), new RootMeanSquare(low, high));
    }

    private readonly record struct RootMeanSquare(float Low, float High) : IPoolStep<float, float>
    {
        public float Start => 0;

        public void Take(ReadOnlySpan<float> values, Span<float> state) => TensorPrimitives.MultiplyAdd(values, values, state, state);

        public void Finish(ReadOnlySpan<float> state, int taps, Span<float> output)
        {
            for (int c = 0; c < output.Length; c++)
            {
                output[c] = Math.Min(Math.Max(MathF.Sqrt(state[c] / taps), Low), High);
            }
        }
    }
}
