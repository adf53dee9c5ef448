using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using static System.Runtime.Intrinsics.Vector256;

namespace Optc.Ops;

/// <summary>Gradient of <see cref="Gelu"/>, element by element.</summary>
/// <param name="Approximate">True for the form with a hyperbolic tangent instead of the error function.</param>
/// <remarks>
/// <para>Shape: <c>dy [any], x [as dy] -> dx [as dy]</c>.</para>
/// <para>Types: f32; the slope is computed in double precision: <c>dx = dy (P(x) + x p(x))</c> with distribution P and
/// density p of the standard normal; approximate, with <c>u = sqrt(2/pi) (x + 0.044715 x^3)</c>:
/// <c>dx = dy ((1 + tanh u) / 2 + x (1 - tanh^2 u) u' / 2)</c>.</para>
/// </remarks>
public sealed record GeluGradient(bool Approximate) : IOp<GeluGradient>, IExecutable
{
    public static OpSchema Declaration { get; } = new("gelu_gradient", ["dy", "x"], ["dx"]) { Kernels = KernelTypes.F32 };

    public static GeluGradient Parse(AttributeReader attributes) => new(attributes.Bool("approximate"));

    public void Describe(AttributeWriter attributes) => attributes.Add("approximate", Approximate);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        Shape dy = operands.Require(0, DType.F32).Shape;
        Shape x = operands.Require(1, DType.F32).Shape;
        return [new(DType.F32, Dimensions.Agree(dy, x, "a gradient and its value"))];
    }

    public Kernel Prepare(KernelContext context) => Approximate
        ? () => Apply<ApproximateSlope>(context.In<float>(0), context.In<float>(1), context.Out<float>(0))
        : () => Apply<Slope>(context.In<float>(0), context.In<float>(1), context.Out<float>(0));

    private static void Apply<TSlope>(ReadOnlySpan<float> dy, ReadOnlySpan<float> x, Span<float> dx)
        where TSlope : struct, IDoubleFunction
    {
        FloatMap.Apply<Widened<TSlope>>(x, dx);
        for (int i = 0; i < dx.Length; i++)
        {
            dx[i] *= dy[i];
        }
    }

    private readonly struct Slope : IDoubleFunction
    {
        public static Vector256<double> Invoke(Vector256<double> x)
        {
            Vector256<double> distribution = Create(0.5) * ErfcFunction.Invoke(x * Create(-Math.Sqrt(0.5)));
            Vector256<double> density = Exp(Create(-0.5) * x * x) * Create(1 / Math.Sqrt(2 * Math.PI));
            return distribution + (x * density);
        }
    }

    private readonly struct ApproximateSlope : IDoubleFunction
    {
        public static Vector256<double> Invoke(Vector256<double> x)
        {
            Vector256<double> scale = Create(Math.Sqrt(2 / Math.PI));
            Vector256<double> square = x * x;
            Vector256<double> tangent = TanhFunction.Invoke(scale * x * (Vector256<double>.One + (Create(0.044715) * square)));
            Vector256<double> slope = scale * (Vector256<double>.One + (Create(3 * 0.044715) * square));
            return Create(0.5) * (Vector256<double>.One + tangent + (x * (Vector256<double>.One - (tangent * tangent)) * slope));
        }
    }
}
