using System.Numerics;
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

/// <summary>Arithmetic mean along axes.</summary>
/// <param name="KeepDims">True when the reduced dimensions stay, with size 1.</param>
/// <remarks>
/// <para>Types: f32; i8, u8 and i16 with one scale and zero point per tensor; i32 and i64 with a quotient that truncates.</para>
/// <para>Source: TFLite builtin 40, <c>reference/reduce.h</c> and <c>reduce_common.cc</c> of TFLite Micro, versions 1 to 3;
/// u8, i32 and i64 exist in LiteRT only.</para>
/// </remarks>
public sealed record Mean(bool KeepDims) : Reduction<Mean>(KeepDims), IOp<Mean>, IBoundsOutputs, IQuantizable, IDifferentiable, ITfLiteOp<Mean>
{
    public static OpSchema Declaration { get; } = new("mean", ["x", "axes"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.U8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.Mean;

    public static int MaximumVersion => 3;

    public static Mean Parse(AttributeReader attributes) => new(attributes.Bool("keep_dims"));

    public static Mean Read(TfLiteSource source) => new(source.Options<ReducerOptions>().KeepDims);

    public TfLiteEncoding Write(TfLiteTarget target) => Encode(target.Operands[0].DType switch
    {
        DType.I16 => 3,
        DType.I8 => 2,
        _ => 1,
    }, KeepDims);

    public QuantRule QuantRule(OpOperands operands) => new([OperandRule.Activation, OperandRule.AsIs], [OperandRule.Activation]);

    public void Differentiate(GradientBuilder g)
    {
        Shape shape = g.Input(0).Type.Shape;
        bool[] reduced = Axes(g);
        long count = 1;
        for (int i = 0; i < shape.Rank; i++)
        {
            count *= reduced[i] ? shape[i] : 1;
        }

        g.Give(0, g.Spread(g.Multiply(g.Gradient(), 1f / count), shape, reduced));
    }

    public OutputBounds? Bounds(OpOperands operands) => new(BoundsRule.Ends, RoundingFreedom.NearReal);

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => PrepareMean(context),
        DType.I32 => PrepareQuotient<int>(context),
        DType.I64 => PrepareQuotient<long>(context),
        DType.I8 => QuantizedSum.Prepare<sbyte>(context, Plan(context), divide: true),
        DType.U8 => QuantizedSum.Prepare<byte>(context, Plan(context), divide: true),
        _ => QuantizedSum.Prepare<short>(context, Plan(context), divide: true),
    };

    private static Kernel PrepareMean(KernelContext context)
    {
        ReductionPlan plan = Plan(context);
        float count = plan.Count;
        return () =>
        {
            Span<float> y = context.Out<float>(0);
            plan.RunFloat(context.In<float>(0), y, default(FloatSum));
            for (int i = 0; i < y.Length; i++)
            {
                y[i] /= count;
            }
        };
    }

    private static Kernel PrepareQuotient<T>(KernelContext context)
        where T : unmanaged, IBinaryInteger<T>
    {
        ReductionPlan plan = Plan(context);
        QuantizedSum.RequireElements(plan);
        Scratch sums = context.Reserve(sizeof(long) * (long)plan.OutputLength);
        return () =>
        {
            Span<T> y = context.Out<T>(0);
            Span<long> totals = sums.Span<long>();
            plan.Run(context.In<T>(0), totals, default(IntegerSum<T, long>));
            for (int i = 0; i < y.Length; i++)
            {
                y[i] = T.CreateTruncating(totals[i] / plan.Count);
            }
        };
    }
}
