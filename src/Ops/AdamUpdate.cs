using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Kernels.Elementwise;

namespace Optc.Ops;

/// <summary>A step of Adam for one variable: moves its two moments, which are resource variables, and gives its new value.</summary>
/// <param name="Beta1">Part of the old mean in the new one.</param>
/// <param name="Beta2">Part of the old mean of squares in the new one.</param>
/// <param name="Epsilon">Added to the divisor.</param>
/// <remarks>
/// <para>Shape: <c>value [any], gradient [as value], rate [], step [], mean [handle], square [handle] -> next [as value]</c>.</para>
/// <para>Types: f32, and resource for the moments, which start as zeros. <c>step</c> counts from 1. To the last bit what MUL, ADD,
/// SUB, DIV, SQUARE, SQRT and POW compute one after another, the limits of their results included:
/// <c>m = beta1 m + (1 - beta1) g</c>, <c>v = beta2 v + (1 - beta2) g^2</c>, and
/// <c>next = value - m / (sqrt(v) / sqrt(1 - beta2^step) + epsilon) * (rate / (1 - beta1^step))</c>.</para>
/// <para>Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015; order of operations of PyTorch.</para>
/// </remarks>
public sealed record AdamUpdate(float Beta1, float Beta2, float Epsilon) : IOp<AdamUpdate>, IExecutable
{
    private const int Chunk = 16384;
    private const int Mean = 4;
    private const int Square = 5;

    private static readonly Limits<float> s_limits = Limits<float>.Of(FusedActivation.None);

    public static OpSchema Declaration { get; } = new("adam_update", ["value", "gradient", "rate", "step", "mean", "square"], ["next"])
    {
        Kernels = KernelTypes.F32,
        HasSideEffects = true,
    };

    public static AdamUpdate Parse(AttributeReader attributes) =>
        new(attributes.Float("beta1"), attributes.Float("beta2"), attributes.Float("epsilon"));

    public void Describe(AttributeWriter attributes) =>
        attributes.Add("beta1", Beta1).Add("beta2", Beta2).Add("epsilon", Epsilon);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType value = operands.Require(0, DType.F32);
        TensorType gradient = operands.Require(1, DType.F32);
        if (!value.Shape.IsCompatibleWith(gradient.Shape))
        {
            throw new OpRuleException("a gradient has the shape of its variable") { Found = $"{gradient.Shape} for {value.Shape}" };
        }

        foreach (int scalar in (ReadOnlySpan<int>)[2, 3])
        {
            Shape shape = operands.Require(scalar, DType.F32).Shape;
            if (shape.IsKnown && shape.ElementCount != 1)
            {
                throw new OpRuleException("rate and step of an update are single numbers") { Found = shape.ToString() };
            }
        }

        operands.RequireHandle(Mean);
        operands.RequireHandle(Square);
        return [value with { Quant = null }];
    }

    public Kernel Prepare(KernelContext context)
    {
        TensorType type = context.Input(0);
        int length = checked((int)type.ElementCount);
        int chunks = (length + Chunk - 1) / Chunk;
        Factors factors = default;
        Action<int, int> body = (chunk, _) =>
        {
            System.Range elements = (chunk * Chunk)..Math.Min((chunk + 1) * Chunk, length);
            Run(
                factors,
                context.In<float>(0)[elements],
                context.In<float>(1)[elements],
                Moment(context, Mean)[elements],
                Moment(context, Square)[elements],
                context.Out<float>(0)[elements]);
        };
        return () =>
        {
            Declare(context, Mean, type);
            Declare(context, Square, type);
            factors = Factors.At(this, context.In<float>(2)[0], context.In<float>(3)[0]);
            context.Workers.Run(chunks, body);
        };
    }

    /// <exception cref="OpRuleException">The variable has another size.</exception>
    private static void Declare(KernelContext context, int index, TensorType type)
    {
        context.Resources.Declare(context.In<int>(index)[0], type);
        int length = Moment(context, index).Length;
        if (length != type.ElementCount)
        {
            throw new OpRuleException("a moment has another size than its variable") { Found = $"{length} numbers for {type.Shape}" };
        }
    }

    private static Span<float> Moment(KernelContext context, int index) =>
        MemoryMarshal.Cast<byte, float>(context.Resources.Content(context.In<int>(index)[0]));

    private static void Run(
        in Factors factors, ReadOnlySpan<float> value, ReadOnlySpan<float> gradient, Span<float> mean, Span<float> square, Span<float> next)
    {
        gradient = gradient[..value.Length];
        mean = mean[..value.Length];
        square = square[..value.Length];
        next = next[..value.Length];
        int i = 0;
        for (; i <= value.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256<float> m = Load(mean, i);
            Vector256<float> v = Load(square, i);
            factors.Step(Load(value, i), Load(gradient, i), ref m, ref v).StoreUnsafe(ref next[i]);
            m.StoreUnsafe(ref mean[i]);
            v.StoreUnsafe(ref square[i]);
        }

        if (i < value.Length)
        {
            Vector256<float> m = Rest(mean[i..]);
            Vector256<float> v = Rest(square[i..]);
            Span<float> results = stackalloc float[Vector256<float>.Count];
            factors.Step(Rest(value[i..]), Rest(gradient[i..]), ref m, ref v).CopyTo(results);
            results[..(value.Length - i)].CopyTo(next[i..]);
            m.CopyTo(results);
            results[..(value.Length - i)].CopyTo(mean[i..]);
            v.CopyTo(results);
            results[..(value.Length - i)].CopyTo(square[i..]);
        }
    }

    private static Vector256<float> Load(ReadOnlySpan<float> source, int index) => Vector256.LoadUnsafe(in source[index]);

    private static Vector256<float> Rest(ReadOnlySpan<float> source)
    {
        Span<float> padded = stackalloc float[Vector256<float>.Count];
        padded.Clear();
        source.CopyTo(padded);
        return Vector256.Create<float>(padded);
    }

    /// <summary>What is the same for all elements of a step.</summary>
    /// <param name="Size"><c>rate / (1 - beta1^step)</c>.</param>
    /// <param name="Scale"><c>sqrt(1 - beta2^step)</c>.</param>
    private readonly record struct Factors(float Beta1, float Beta2, float Epsilon, float Size, float Scale)
    {
        public static Factors At(AdamUpdate op, float rate, float step) => new(
            op.Beta1,
            op.Beta2,
            op.Epsilon,
            s_limits.Clamp(rate / s_limits.Clamp(1 - MathF.Pow(op.Beta1, step))),
            FloatMap.One<SqrtFunction>(s_limits.Clamp(1 - MathF.Pow(op.Beta2, step))));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Step(Vector256<float> value, Vector256<float> gradient, ref Vector256<float> mean, ref Vector256<float> square)
        {
            mean = Clamp(Clamp(mean * Beta1) + Clamp(gradient * (1 - Beta1)));
            square = Clamp(Clamp(square * Beta2) + Clamp(gradient * gradient * (1 - Beta2)));
            Vector256<float> divisor = Clamp(Clamp(Vector256.Sqrt(square) / Vector256.Create(Scale)) + Vector256.Create(Epsilon));
            return Clamp(value - Clamp(Clamp(mean / divisor) * Size));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<float> Clamp(Vector256<float> values) => s_limits.Clamp(values);
    }
}
