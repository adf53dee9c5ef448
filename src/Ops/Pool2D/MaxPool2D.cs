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

/// <summary>Largest value of a window; positions outside the image do not take part.</summary>
/// <remarks>
/// <para>Shape: <c>x [N, H, W, C] -> y [N, OH, OW, C]</c>. Types: f32; i8, u8, i16 with one quantization for both.</para>
/// <para>Source: TFLite builtin 17, reference kernels <c>reference/pooling.h</c>, <c>reference/integer_ops/pooling.h</c>.</para>
/// </remarks>
public sealed record MaxPool2D(int FilterH, int FilterW, int StrideH, int StrideW, PaddingMode Padding, FusedActivation Activation = FusedActivation.None)
    : Pool2D(FilterH, FilterW, StrideH, StrideW, Padding, Activation), IOp<MaxPool2D>, IExecutable, IBoundsOutputs, IQuantizable, IDifferentiable, ITfLiteOp<MaxPool2D>
{
    public static OpSchema Declaration { get; } = new("max_pool_2d", ["x"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16 | KernelTypes.U8,
    };

    public static BuiltinOperator Code => BuiltinOperator.MaxPool2D;

    public static int MaximumVersion => 3;

    private protected override DType[] AllowedTypes => [DType.F32, DType.I8, DType.I16, DType.U8];

    public static MaxPool2D Parse(AttributeReader attributes)
    {
        (int filterH, int filterW, int strideH, int strideW, PaddingMode padding, FusedActivation activation) = ParseOptions(attributes);
        return new(filterH, filterW, strideH, strideW, padding, activation);
    }

    public static MaxPool2D Read(TfLiteSource source)
    {
        (int filterH, int filterW, int strideH, int strideW, PaddingMode padding, FusedActivation activation) = ReadOptions(source);
        return new(filterH, filterW, strideH, strideW, padding, activation);
    }

    public TfLiteEncoding Write(TfLiteTarget target) => Encode(IntegerVersion(target));

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Add(
        new MaxPool2DGradient(FilterH, FilterW, StrideH, StrideW, Padding), g.Input(0), g.BeforeActivation(Activation, g.Gradient())));

    public OutputBounds? Bounds(OpOperands operands) => new(BoundsRule.Ends, RoundingFreedom.None);

    public Kernel Prepare(KernelContext context)
    {
        PoolWalk walk = Walk(context);
        Scratch state = context.Reserve(walk.Channels * (long)sizeof(float));
        if (context.Input(0).DType is DType.F32)
        {
            (float low, float high) = SpatialRules.Limits(Activation);
            return () => walk.Run(context.In<float>(0), context.Out<float>(0), state.Span<float>(), new Largest<float>(float.MinValue, low, high));
        }

        RequireSameQuantization(context);
        ActivationRange range = SpatialRules.RangeOf(Activation, context.Output(0));
        return context.Input(0).DType switch
        {
            DType.I8 => () => walk.Run(
                context.In<sbyte>(0), context.Out<sbyte>(0), state.Span<sbyte>(), new Largest<sbyte>(sbyte.MinValue, (sbyte)range.Low, (sbyte)range.High)),
            DType.U8 => () => walk.Run(
                context.In<byte>(0), context.Out<byte>(0), state.Span<byte>(), new Largest<byte>(0, (byte)range.Low, (byte)range.High)),
            _ => () => walk.Run(
                context.In<short>(0), context.Out<short>(0), state.Span<short>(), new Largest<short>(short.MinValue, (short)range.Low, (short)range.High)),
        };
    }

    private readonly record struct Largest<T>(T Start, T Low, T High) : IPoolStep<T, T>
        where T : unmanaged, INumber<T>
    {
        public void Take(ReadOnlySpan<T> values, Span<T> state) => TensorPrimitives.Max(values, state, state);

        public void Finish(ReadOnlySpan<T> state, int taps, Span<T> output)
        {
            for (int c = 0; c < output.Length; c++)
            {
                output[c] = T.Min(T.Max(state[c], Low), High);
            }
        }
    }
}
