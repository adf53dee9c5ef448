using System.Numerics;
using System.Numerics.Tensors;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Bounds;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Mean over a window; positions outside the image are not counted.</summary>
/// <remarks>
/// <para>Shape: <c>x [N, H, W, C] -> y [N, OH, OW, C]</c>. Types: f32; i8, u8, i16 with one quantization for both.</para>
/// <para>Source: TFLite builtin 1, reference kernels <c>reference/pooling.h</c>, <c>reference/integer_ops/pooling.h</c>.</para>
/// </remarks>
public sealed record AveragePool2D(int FilterH, int FilterW, int StrideH, int StrideW, PaddingMode Padding, FusedActivation Activation = FusedActivation.None)
    : Pool2D(FilterH, FilterW, StrideH, StrideW, Padding, Activation), IOp<AveragePool2D>, IExecutable, IBoundsOutputs, IQuantizable, IDifferentiable, ITfLiteOp<AveragePool2D>
{
    public static OpSchema Declaration { get; } = new("average_pool_2d", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16 | KernelTypes.U8,
    };

    public static BuiltinOperator Code => BuiltinOperator.AveragePool2D;

    public static int MaximumVersion => 3;

    private protected override DType[] AllowedTypes => [DType.F32, DType.I8, DType.I16, DType.U8];

    public static AveragePool2D Parse(AttributeReader attributes)
    {
        (int filterH, int filterW, int strideH, int strideW, PaddingMode padding, FusedActivation activation) = ParseOptions(attributes);
        return new(filterH, filterW, strideH, strideW, padding, activation);
    }

    public static AveragePool2D Read(TfLiteSource source)
    {
        (int filterH, int filterW, int strideH, int strideW, PaddingMode padding, FusedActivation activation) = ReadOptions(source);
        return new(filterH, filterW, strideH, strideW, padding, activation);
    }

    public TfLiteEncoding Write(TfLiteTarget target) => Encode(IntegerVersion(target));

    public void Differentiate(GradientBuilder g)
    {
        Shape x = g.Input(0).Type.Shape;
        g.Give(0, g.Add(
            new AveragePool2DGradient(x[1], x[2], FilterH, FilterW, StrideH, StrideW, Padding), g.BeforeActivation(Activation, g.Gradient())));
    }

    public OutputBounds? Bounds(OpOperands operands) => new(BoundsRule.Ends, RoundingFreedom.EitherSideOfMean);

    public Kernel Prepare(KernelContext context)
    {
        PoolWalk walk = Walk(context);
        Scratch state = context.Reserve(walk.Channels * (long)sizeof(int));
        if (context.Input(0).DType is DType.F32)
        {
            (float low, float high) = SpatialRules.Limits(Activation);
            return () => walk.Run(context.In<float>(0), context.Out<float>(0), state.Span<float>(), new FloatMean(low, high));
        }

        RequireSameQuantization(context);
        ActivationRange range = SpatialRules.RangeOf(Activation, context.Output(0));
        return context.Input(0).DType switch
        {
            DType.I8 => () => walk.Run(context.In<sbyte>(0), context.Out<sbyte>(0), state.Span<int>(), new IntegerMean<sbyte>(range)),
            DType.U8 => () => walk.Run(context.In<byte>(0), context.Out<byte>(0), state.Span<int>(), new IntegerMean<byte>(range)),
            _ => () => walk.Run(context.In<short>(0), context.Out<short>(0), state.Span<int>(), new IntegerMean<short>(range)),
        };
    }

    private readonly record struct FloatMean(float Low, float High) : IPoolStep<float, float>
    {
        public float Start => 0;

        public void Take(ReadOnlySpan<float> values, Span<float> state) => TensorPrimitives.Add(values, state, state);

        public void Finish(ReadOnlySpan<float> state, int taps, Span<float> output)
        {
            for (int c = 0; c < output.Length; c++)
            {
                output[c] = Math.Min(Math.Max(state[c] / taps, Low), High);
            }
        }
    }

    private readonly record struct IntegerMean<T>(ActivationRange Range) : IPoolStep<T, int>
        where T : unmanaged, IBinaryInteger<T>
    {
        public int Start => 0;

        public void Take(ReadOnlySpan<T> values, Span<int> state)
        {
            for (int c = 0; c < values.Length; c++)
            {
                state[c] += int.CreateTruncating(values[c]);
            }
        }

        // Halves away from zero, on the raw values: the reference does not subtract the zero point.
        public void Finish(ReadOnlySpan<int> state, int taps, Span<T> output)
        {
            for (int c = 0; c < output.Length; c++)
            {
                int mean = taps == 0 ? 0 : (state[c] > 0 ? state[c] + (taps / 2) : state[c] - (taps / 2)) / taps;
                output[c] = T.CreateTruncating(Range.Clamp(mean));
            }
        }
    }
}
