using System.Numerics;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Product along axes.</summary>
/// <param name="KeepDims">True when the reduced dimensions stay, with size 1.</param>
/// <remarks>
/// <para>Types: f32; i32 and i64, wrapping; i8 and i16 with one scale and zero point per tensor.</para>
/// <para>Source: TFLite builtin 81, <c>reduce.cc</c> and <c>reference/reduce.h</c> of LiteRT, versions 1 and 2; TFLite Micro does not
/// have it.</para>
/// <para>Gradient: the product of the other elements, also where there are zeros.</para>
/// </remarks>
public sealed record ReduceProd(bool KeepDims) : Reduction<ReduceProd>(KeepDims), IOp<ReduceProd>, IQuantizable, IDifferentiable, ITfLiteOp<ReduceProd>
{
    public static OpSchema Declaration { get; } = new("reduce_prod", ["x", "axes"], ["y"])
    {
        Kernels = KernelTypes.F32 | KernelTypes.I8 | KernelTypes.I16 | KernelTypes.I32 | KernelTypes.I64,
    };

    public static BuiltinOperator Code => BuiltinOperator.ReduceProd;

    public static int MaximumVersion => 2;

    public static ReduceProd Parse(AttributeReader attributes) => new(attributes.Bool("keep_dims"));

    public static ReduceProd Read(TfLiteSource source) => new(source.Options<ReducerOptions>().KeepDims);

    public TfLiteEncoding Write(TfLiteTarget target) => Encode(target.Operands[0].DType is DType.I8 or DType.I16 ? 2 : 1, KeepDims);

    public QuantRule QuantRule(OpOperands operands) => new([OperandRule.Activation, OperandRule.AsIs], [OperandRule.Activation]);

    public void Differentiate(GradientBuilder g)
    {
        Value x = g.Input(0);
        Value axes = g.Input(1);
        Value isZero = g.Add(new Equal(), x, g.Scalar(0));
        Value factors = g.Choose(isZero, g.Scalar(1), x);
        Value product = g.Add(new ReduceProd(KeepDims: true), factors, axes);
        Value zeros = g.Choose(isZero, g.Scalar(1), g.Scalar(0));
        Value otherZeros = g.Minus(g.Add(new Sum(KeepDims: true), zeros, axes), zeros);
        Value others = g.OnlyWhere(g.Add(new Equal(), otherZeros, g.Scalar(0)), g.Divide(product, factors));
        g.Give(0, g.Multiply(g.Reshape(g.Gradient(), product.Type.Shape), others));
    }

    public override Kernel Prepare(KernelContext context) => context.Input(0).DType switch
    {
        DType.F32 => PrepareFloat<FloatProduct>(context),
        DType.I32 => PrepareIn<int, IntegerProduct<int>>(context),
        DType.I64 => PrepareIn<long, IntegerProduct<long>>(context),
        DType.I8 => PrepareQuantized<sbyte>(context),
        _ => PrepareQuantized<short>(context),
    };

    private static Kernel PrepareQuantized<T>(KernelContext context)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        ReductionPlan plan = Plan(context);
        QuantizedSum.RequireElements(plan);
        (Grid x, Grid y) = (Grid.Of(context.Input(0)), Grid.Of(context.Output(0)));

        // One factor for each element: together they are the scale of the product over that of the result.
        double step = x.Scale / Math.Pow(y.Scale, 1.0 / plan.Count);
        FixedPoint factor = Grid.Factor(step);
        if (factor.Exponent is < -31 or >= 8)
        {
            throw new OpRuleException("the scales of the operands give a factor that the kernel does not take") { Found = $"{step:R}", Expected = "below 128" };
        }

        QuantizedProduct<T> reducer = new(x.ZeroPoint, factor);
        Scratch products = context.Reserve(sizeof(long) * (long)plan.OutputLength);
        return () =>
        {
            Span<T> results = context.Out<T>(0);
            Span<long> raw = products.Span<long>();
            plan.Run(context.In<T>(0), raw, reducer);
            for (int i = 0; i < results.Length; i++)
            {
                results[i] = T.CreateSaturating(unchecked(factor.ScaleLong(raw[i]) + y.ZeroPoint));
            }
        };
    }
}
