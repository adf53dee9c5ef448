using System.Collections.Immutable;
using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Channels;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Rectifier with a slope of its own for each channel: <c>y = x</c> for <c>x &gt;= 0</c>, else <c>alpha * x</c>.</summary>
/// <remarks>
/// <para>Shape: <c>x [N, H, W, C], alpha [H, W, C] -> y [N, H, W, C]</c>; alpha broadcasts to x, which keeps its shape.</para>
/// <para>Types: f32; x and y i8, u8 or i16, each with one scale and zero point; alpha of the same type, or i8 for i16 x.</para>
/// <para>Source: TFLite builtin 54, <c>reference/prelu.h</c>, version 1.</para>
/// </remarks>
public sealed record Prelu : IOp<Prelu>, IExecutable, IShrinkable, IQuantizable, IDifferentiable, ITfLiteOp<Prelu>
{
    public static OpSchema Declaration { get; } = new("prelu", ["x", "alpha"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16,
    };

    public static BuiltinOperator Code => BuiltinOperator.Prelu;

    public static int MaximumVersion => 1;

    public static Prelu Parse(AttributeReader attributes) => new();

    public static Prelu Read(TfLiteSource source) => new();

    public TfLiteEncoding Write(TfLiteTarget target) => new(1);

    public void Describe(AttributeWriter attributes)
    {
    }

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType x = operands.RequireOneOf(0, Declaration.Kernels);
        TensorType alpha = x.DType is DType.I16 ? operands.Require(1, DType.I8, DType.I16) : operands.Require(1, x.DType);
        if (x.Shape.HasRank && alpha.Shape.HasRank && !Covers(x.Shape, alpha.Shape))
        {
            throw new OpRuleException("the slopes do not broadcast to the input") { Found = alpha.Shape.ToString(), Expected = $"a shape that repeats to {x.Shape}" };
        }

        return [x with { Quant = null }];
    }

    public QuantRule QuantRule(OpOperands operands)
    {
        Shape alpha = operands[1].Shape;
        int channels = alpha.HasRank && alpha.Rank > 0 ? alpha.Rank - 1 : 0;
        return new([OperandRule.Activation, OperandRule.WeightsAlong(channels, perChannel: false)], [OperandRule.Activation]);
    }

    public void Differentiate(GradientBuilder g)
    {
        (Value x, Value alpha) = (g.Input(0), g.Input(1));
        Value isPlain = g.Add(new GreaterEqual(), x, g.Scalar(0));
        if (g.Wants(0))
        {
            g.Give(0, g.Choose(isPlain, g.Gradient(), g.Multiply(g.Gradient(), alpha)));
        }

        if (g.Wants(1))
        {
            g.Give(1, g.SumTo(g.Choose(isPlain, g.Scalar(0), g.Multiply(g.Gradient(), x)), alpha.Type.Shape));
        }
    }

    public void TraceChannels(ChannelTracer t)
    {
        if (t.Node.Inputs[1]!.Constant is null)
        {
            t.FixInputs($"the slopes of {t.Node} are computed");
            return;
        }

        ElementwiseChannels.Product(t, keepsZero: true);
    }

    public Kernel Prepare(KernelContext context)
    {
        int[] x = [.. context.Input(0).Shape];
        int[] alpha = [.. context.Input(1).Shape];
        if (!BroadcastPlan.TryCreate(x, alpha, out BroadcastPlan? plan))
        {
            throw new OpRuleException("the operands have too many dimensions") { Found = $"{x.Length}", Expected = $"at most {BroadcastPlan.MaximumRank}" };
        }

        return (context.Input(0).DType, context.Input(1).DType) switch
        {
            (DType.F32, _) => () => plan.Apply(context.In<float>(0), context.In<float>(1), context.Out<float>(0), default(FloatSlope)),
            (DType.I8, _) => PrepareInteger<sbyte, sbyte>(context, plan),
            (DType.U8, _) => PrepareInteger<byte, byte>(context, plan),
            (_, DType.I8) => PrepareInteger<short, sbyte>(context, plan),
            _ => PrepareInteger<short, short>(context, plan),
        };
    }

    private static Kernel PrepareInteger<T, TAlpha>(KernelContext context, BroadcastPlan plan)
        where T : unmanaged, IBinaryInteger<T>
        where TAlpha : unmanaged, IBinaryInteger<TAlpha>
    {
        (Grid x, Grid alpha, Grid y) = (Grid.Of(context.Input(0)), Grid.Of(context.Input(1)), Grid.Of(context.Output(0)));
        IntegerSlope<T, TAlpha> slope = new(
            x.ZeroPoint,
            alpha.ZeroPoint,
            y.ZeroPoint,
            Grid.Factor((double)x.Scale / y.Scale),
            Grid.Factor((double)x.Scale * alpha.Scale / y.Scale));
        return () => plan.Apply(context.In<T>(0), context.In<TAlpha>(1), context.Out<T>(0), slope);
    }

    private static bool Covers(Shape x, Shape alpha)
    {
        for (int i = 1; i <= alpha.Rank; i++)
        {
            int size = alpha[alpha.Rank - i];
            int wanted = i <= x.Rank ? x[x.Rank - i] : 1;
            if (size >= 0 && size != 1 && wanted >= 0 && size != wanted)
            {
                return false;
            }
        }

        return alpha.Rank <= x.Rank;
    }

    private readonly struct FloatSlope : IBinaryElement<float, float, float>
    {
        public float Invoke(float x, float alpha) => x >= 0 ? x : x * alpha;
    }

    private readonly struct IntegerSlope<T, TAlpha>(int xZero, int alphaZero, int yZero, FixedPoint identity, FixedPoint sloped)
        : IBinaryElement<T, TAlpha, T>
        where T : unmanaged, IBinaryInteger<T>
        where TAlpha : unmanaged, IBinaryInteger<TAlpha>
    {
        public T Invoke(T x, TAlpha alpha)
        {
            int centred = int.CreateTruncating(x) - xZero;
            int scaled = centred >= 0
                ? identity.Scale(centred)
                : sloped.Scale(unchecked(centred * (int.CreateTruncating(alpha) - alphaZero)));
            return T.CreateSaturating(unchecked(scaled + yZero));
        }
    }
}
