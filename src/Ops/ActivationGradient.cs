using System.Collections.Immutable;
using System.Numerics;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Gradient before an activation, from the gradient after it and the activated value.</summary>
/// <param name="Activation">The activation; its sign bit has no gradient.</param>
/// <remarks>
/// <para>Shape: <c>dy [any], y [as dy] -> dx [as dy]</c>.</para>
/// <para>Types: f32. Limits pass a gradient strictly inside of them: <c>dx = dy</c> where <c>low &lt; y &lt; high</c>, else 0;
/// TANH gives <c>dy (1 - y^2)</c>.</para>
/// </remarks>
public sealed record ActivationGradient(FusedActivation Activation) : IOp<ActivationGradient>, IOverwriting
{
    private const int Chunk = 16384;

    public static OpSchema Declaration { get; } = new("activation_gradient", ["dy", "y"], ["dx"]) { Kernels = KernelTypes.F32 };

    public static ActivationGradient Parse(AttributeReader attributes) => new(attributes.Enum<FusedActivation>("activation"));

    public void Describe(AttributeWriter attributes) => attributes.Add("activation", Activation);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType dy = operands.Require(0, DType.F32);
        TensorType y = operands.Require(1, DType.F32);
        if (!dy.Shape.IsCompatibleWith(y.Shape))
        {
            throw new OpRuleException("a gradient has the shape of its value") { Found = $"{dy.Shape} for {y.Shape}" };
        }

        return Activation is FusedActivation.SignBit or FusedActivation.None || !Enum.IsDefined(Activation)
            ? throw new OpRuleException("the activation has no gradient") { Found = $"{Activation}" }
            : [dy with { Quant = null }];
    }

    public Kernel Prepare(KernelContext context)
    {
        if (Activation is FusedActivation.Tanh)
        {
            return () => Tanh(context.In<float>(0), context.In<float>(1), context.Out<float>(0));
        }

        (float low, float high) = Activation switch
        {
            FusedActivation.Relu => (0f, float.PositiveInfinity),
            FusedActivation.Relu6 => (0f, 6f),
            _ => (-1f, 1f),
        };
        int length = checked((int)context.Input(0).ElementCount);
        Action<int, int> body = (chunk, _) =>
        {
            System.Range elements = (chunk * Chunk)..Math.Min((chunk + 1) * Chunk, length);
            Inside(context.In<float>(0)[elements], context.In<float>(1)[elements], context.Out<float>(0)[elements], low, high);
        };
        int chunks = (length + Chunk - 1) / Chunk;
        return () => context.Workers.Run(chunks, body);
    }

    private static void Inside(ReadOnlySpan<float> dy, ReadOnlySpan<float> y, Span<float> dx, float low, float high)
    {
        int i = 0;
        (Vector<float> lows, Vector<float> highs) = (new(low), new(high));
        for (; i <= dx.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> value = new(y[i..]);
            Vector<int> inside = Vector.GreaterThan(value, lows) & Vector.LessThan(value, highs);
            Vector.ConditionalSelect(inside, new Vector<float>(dy[i..]), Vector<float>.Zero).CopyTo(dx[i..]);
        }

        for (; i < dx.Length; i++)
        {
            dx[i] = y[i] > low && y[i] < high ? dy[i] : 0;
        }
    }

    private static void Tanh(ReadOnlySpan<float> dy, ReadOnlySpan<float> y, Span<float> dx)
    {
        for (int i = 0; i < dx.Length; i++)
        {
            dx[i] = dy[i] * (1 - (y[i] * y[i]));
        }
    }
}
