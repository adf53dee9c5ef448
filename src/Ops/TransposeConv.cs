using System.Collections.Immutable;
using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Transposed convolution: the adjoint of a convolution with respect to its input, with bias and activation.</summary>
/// <param name="BiasType">Accumulator of int16 activations where the file names one.</param>
/// <remarks>
/// <para>Shape: <c>shape [4], w [O, KH, KW, C], x [N, H, W, C], bias [O] (optional) -> y [shape]</c>. Padding is that of the
/// convolution from y to x. A shape that is computed is the declared shape of the result, as in TFLite Micro.</para>
/// <para>Types: f32; i8 with i8 weights, bias i32; i16 with i8 weights, bias i64, i32 or i16.</para>
/// <para>Source: TFLite builtin 67, reference kernels <c>reference/transpose_conv.h</c> and
/// <c>reference/integer_ops/transpose_conv.h</c>.</para>
/// </remarks>
public sealed partial record TransposeConv(
    int StrideH,
    int StrideW,
    PaddingMode Padding,
    FusedActivation Activation = FusedActivation.None,
    DType? BiasType = null) : IOp<TransposeConv>, IExecutable, IShrinkable, IQuantizable, ITfLiteOp<TransposeConv>
{
    public static OpSchema Declaration { get; } = new("transpose_conv", ["shape", "w", "x", "bias?"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16,
    };

    public static BuiltinOperator Code => BuiltinOperator.TransposeConv;

    public static int MaximumVersion => 5;

    public static TransposeConv Parse(AttributeReader attributes) => new(
        attributes.Int("stride_h"),
        attributes.Int("stride_w"),
        attributes.Enum<PaddingMode>("padding"),
        attributes.Enum<FusedActivation>("activation"),
        SpatialRules.ParseBiasType(attributes.String("bias_type")));

    public static TransposeConv Read(TfLiteSource source)
    {
        TransposeConvOptions options = source.Options<TransposeConvOptions>();
        return new(
            options.StrideH,
            options.StrideW,
            SpatialRules.Read(options.Padding),
            SpatialRules.Read(options.FusedActivationFunction),
            SpatialRules.ReadBiasType(options.QuantizedBiasType));
    }

    public TfLiteEncoding Write(TfLiteTarget target)
    {
        bool integerWeights = target.Operands[1].DType is DType.I8;
        int version = BiasType is not null && target.Operands[2].DType is DType.I16 && integerWeights ? 5
            : Activation is not FusedActivation.None ? 4
            : target.Operands.Has(3) ? 3
            : integerWeights ? 2
            : 1;
        return new(version, new TransposeConvOptions
        {
            StrideH = StrideH,
            StrideW = StrideW,
            Padding = SpatialRules.Write(Padding),
            FusedActivationFunction = SpatialRules.Write(Activation),
            QuantizedBiasType = SpatialRules.WriteBiasType(BiasType),
        });
    }

    public void Describe(AttributeWriter attributes) => attributes
        .Add("stride_h", StrideH)
        .Add("stride_w", StrideW)
        .Add("padding", Padding)
        .Add("activation", Activation)
        .Add("bias_type", SpatialRules.BiasTypeText(BiasType));

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        operands.Require(0, DType.I32);
        TensorType x = operands.Require(2, DType.F32, DType.I8, DType.I16);
        operands.RequireRank(2, 4);
        TensorType w = operands.Require(1, x.DType is DType.F32 ? DType.F32 : DType.I8);
        operands.RequireRank(1, 4);
        if (!w.Shape.IsKnown || w.Shape.ElementCount == 0)
        {
            throw new OpRuleException("the weights of a convolution have a known shape without zeros") { Found = w.Shape.ToString() };
        }

        SpatialRules.CheckBias(operands, 3, w.Shape[0], x.DType switch
        {
            DType.F32 => [DType.F32],
            DType.I8 => [DType.I32],
            _ => [DType.I64, DType.I32, DType.I16],
        });
        Shape shape = operands.Ints(0) is { } wanted ? Shape.Create(wanted) : operands.DeclaredShape(0);
        Check(shape, x.Shape, w.Shape);
        return [new(x.DType, shape)];
    }

    public QuantRule QuantRule(OpOperands operands) => new(
        operands.Has(3)
            ? [OperandRule.AsIs, OperandRule.WeightsAlong(0), OperandRule.Activation, OperandRule.BiasOf(2, 1)]
            : [OperandRule.AsIs, OperandRule.WeightsAlong(0), OperandRule.Activation],
        [OperandRule.Activation]);

    public void TraceChannels(ChannelTracer t)
    {
        t.SumUp(t.Last(2), 1, axis: 3);
        if (t.Ints(0) is not null && t.Make(1, axis: 0, bias: 3, outputAxis: 3, Activation) is { } y)
        {
            t.Counted(0, 3, y.Channels);
        }
    }

    public Kernel Prepare(KernelContext context)
    {
        (TensorType x, TensorType w, TensorType y) = (context.Input(2), context.Input(1), context.Output(0));
        Scatter scatter = new(x.Shape, w.Shape, y.Shape, WindowOf(y.Shape[1], w.Shape[1], StrideH), WindowOf(y.Shape[2], w.Shape[2], StrideW));
        return x.DType switch
        {
            DType.F32 => PrepareFloat(context, scatter),
            DType.I8 => PrepareInt8(context, scatter),
            _ => PrepareInt16(context, scatter),
        };
    }

    private Window WindowOf(int output, int kernel, int stride) => SpatialRules.WindowOf(output, kernel, stride, 1, Padding);

    private void Check(Shape shape, Shape x, Shape w)
    {
        if (!shape.HasRank)
        {
            return;
        }

        if (shape.Rank != 4 || (shape[3] >= 0 && shape[3] != w[0]))
        {
            throw new OpRuleException("the shape of the result does not fit the weights") { Found = shape.ToString(), Expected = $"[N, H, W, {w[0]}]" };
        }

        if (!shape.IsKnown || !x.IsKnown)
        {
            return;
        }

        Shape forward = [shape[0], WindowOf(shape[1], w[1], StrideH).Output, WindowOf(shape[2], w[2], StrideW).Output, w[3]];
        if (!forward.Equals(x))
        {
            throw new OpRuleException("a convolution of the result would not have the shape of the input") { Found = x.ToString(), Expected = forward.ToString() };
        }
    }

    private Kernel PrepareFloat(KernelContext context, Scatter scatter)
    {
        (float low, float high) = SpatialRules.Limits(Activation);
        return () =>
        {
            Span<float> y = context.Out<float>(0);
            scatter.Run(context.In<float>(2), 0f, context.In<float>(1), y);
            ReadOnlySpan<float> bias = context.Has(3) ? context.In<float>(3) : [];
            for (int i = 0; i < y.Length; i++)
            {
                float value = bias.IsEmpty ? y[i] : y[i] + bias[i % scatter.Outputs];
                y[i] = Math.Min(Math.Max(value, low), high);
            }
        };
    }

    private Kernel PrepareInt8(KernelContext context, Scatter scatter)
    {
        (TensorType x, TensorType w, TensorType y) = (context.Input(2), context.Input(1), context.Output(0));
        Requantizer stage = StageOf(context, x, w, y, y.ZeroPoint);
        int zero = x.ZeroPoint;
        int channels = scatter.Outputs;
        Scratch scratch = context.Reserve(y.ElementCount * sizeof(int));
        return () =>
        {
            Span<sbyte> result = context.Out<sbyte>(0);
            Span<int> sums = scratch.Span<int>()[..result.Length];
            scatter.Run(context.In<sbyte>(2), zero, context.In<sbyte>(1), sums);
            ReadOnlySpan<int> bias = context.Has(3) ? context.In<int>(3) : [];
            for (int i = 0; i < result.Length; i += channels)
            {
                Span<int> pixel = sums.Slice(i, channels);
                for (int c = 0; c < bias.Length; c++)
                {
                    pixel[c] = unchecked(pixel[c] + bias[c]);
                }

                stage.Apply(pixel, result.Slice(i, channels));
            }
        };
    }

    private Kernel PrepareInt16(KernelContext context, Scatter scatter)
    {
        (TensorType x, TensorType w, TensorType y) = (context.Input(2), context.Input(1), context.Output(0));
        Requantizer stage = StageOf(context, x, w, y with { Quant = new(y.Scale, 0) }, zeroPoint: 0);
        DType? biasType = context.Has(3) ? context.Input(3).DType : null;
        bool narrow = (biasType ?? BiasType) is DType.I32;
        int channels = scatter.Outputs;
        Scratch scratch = context.Reserve(y.ElementCount * sizeof(long));
        return () =>
        {
            Span<short> result = context.Out<short>(0);
            Span<long> sums = scratch.Span<long>()[..result.Length];
            scatter.Run(context.In<short>(2), 0L, context.In<sbyte>(1), sums);
            for (int i = 0; i < result.Length; i++)
            {
                int c = i % channels;
                long sum = sums[i] + biasType switch
                {
                    DType.I64 => context.In<long>(3)[c],
                    DType.I32 => context.In<int>(3)[c],
                    DType.I16 => context.In<short>(3)[c],
                    _ => 0,
                };
                result[i] = (short)(narrow ? stage.Requantize16(FixedPoint.WrapToInt32(sum), c) : stage.RequantizeLong(sum, c));
            }
        };
    }

    private Requantizer StageOf(KernelContext context, TensorType x, TensorType w, TensorType y, int zeroPoint) => Requantizer.ForConvolution(
        context.Rounding,
        x.Scale,
        SpatialRules.WeightScales(w, axis: 0, w.Shape[0]),
        y.Scale,
        zeroPoint,
        SpatialRules.RangeOf(Activation, y));

    /// <summary>Adds each input pixel, times the weights, to the outputs that it touches.</summary>
    private sealed record Scatter(Shape X, Shape W, Shape Y, Window Height, Window Width)
    {
        public int Outputs => W[0];

        public void Run<TX, TW, TSum>(ReadOnlySpan<TX> x, TSum zero, ReadOnlySpan<TW> w, Span<TSum> sums)
            where TX : unmanaged, INumber<TX>
            where TW : unmanaged, INumber<TW>
            where TSum : unmanaged, INumber<TSum>
        {
            sums.Clear();
            (int depth, int taps) = (X[3], W[1] * W[2]);
            for (int n = 0; n < X[0]; n++)
            {
                for (int h = 0; h < X[1]; h++)
                {
                    (int firstRow, int endRow) = Height.Taps(h);
                    for (int c = 0; c < X[2]; c++)
                    {
                        ReadOnlySpan<TX> pixel = x.Slice(((((n * X[1]) + h) * X[2]) + c) * depth, depth);
                        (int firstColumn, int endColumn) = Width.Taps(c);
                        for (int kh = firstRow; kh < endRow; kh++)
                        {
                            int row = Height.Start(h) + kh;
                            for (int kw = firstColumn; kw < endColumn; kw++)
                            {
                                int column = Width.Start(c) + kw;
                                Span<TSum> target = sums.Slice(((((n * Y[1]) + row) * Y[2]) + column) * Outputs, Outputs);
                                int tap = ((kh * W[2]) + kw) * depth;
                                for (int o = 0; o < target.Length; o++)
                                {
                                    target[o] += Product(pixel, zero, w.Slice((o * taps * depth) + tap, depth));
                                }
                            }
                        }
                    }
                }
            }
        }

        private static TSum Product<TX, TW, TSum>(ReadOnlySpan<TX> pixel, TSum zero, ReadOnlySpan<TW> weights)
            where TX : unmanaged, INumber<TX>
            where TW : unmanaged, INumber<TW>
            where TSum : unmanaged, INumber<TSum>
        {
            TSum sum = TSum.Zero;
            for (int i = 0; i < pixel.Length; i++)
            {
                sum += (TSum.CreateTruncating(pixel[i]) - zero) * TSum.CreateTruncating(weights[i]);
            }

            return sum;
        }
    }
}
