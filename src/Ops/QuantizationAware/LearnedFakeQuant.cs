using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;

namespace Optc.Ops;

/// <summary>
/// Rounds activations to an integer grid whose step is trained, and stays float:
/// <c>y = s (clamp(round(x / s) + z, low, high) - z)</c>, <c>s = exp(log_scale)</c>.
/// </summary>
/// <param name="Low">Smallest integer of the grid, -128 for 8 bits.</param>
/// <param name="High">Largest integer.</param>
/// <remarks>
/// <para>Shape: <c>x [any], log_scale [], zero [] -> y [as x]</c>; zero is a whole number.</para>
/// <para>Types: f32. Halves are rounded to even, where integer kernels of a target may round them otherwise.</para>
/// <para>Source: Esser et al., "Learned step size quantization", 2020; the step is trained by its logarithm, so that one
/// learning rate fits every range.</para>
/// </remarks>
public sealed record LearnedFakeQuant(int Low, int High) : IOp<LearnedFakeQuant>, IExecutable, IDifferentiable
{
    internal const int Chunk = 16384;

    public static OpSchema Declaration { get; } = new("learned_fake_quant", ["x", "log_scale", "zero"], ["y"]) { Kernels = KernelTypes.F32 };

    public static LearnedFakeQuant Parse(AttributeReader attributes) => new(attributes.Int("low"), attributes.Int("high"));

    public void Describe(AttributeWriter attributes) => attributes.Add("low", Low).Add("high", High);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        RequireRange(Low, High);
        TensorType x = operands.Require(0, DType.F32);
        RequireScalar(operands, 1);
        RequireScalar(operands, 2);
        return [x with { Quant = null }];
    }

    /// <summary>Straight through inside of the grid; the step by <see cref="LearnedFakeQuantGradient"/>.</summary>
    public void Differentiate(GradientBuilder g)
    {
        Node adjoint = g.AddNode(new LearnedFakeQuantGradient(Low, High), g.Gradient(), g.Input(0), g.Input(1), g.Input(2));
        for (int i = 0; i < 2; i++)
        {
            if (g.Wants(i))
            {
                g.Give(i, adjoint.Outputs[i]);
            }
        }
    }

    public Kernel Prepare(KernelContext context)
    {
        int length = checked((int)context.Input(0).ElementCount);
        Action<int, int> body = (chunk, _) =>
        {
            (float scale, float low, float high) = Grid(context.In<float>(1)[0], context.In<float>(2)[0]);
            int start = chunk * Chunk;
            int count = Math.Min(Chunk, length - start);
            Round(context.In<float>(0).Slice(start, count), context.Out<float>(0).Slice(start, count), scale, low, high);
        };
        return () => context.Workers.Run((length + Chunk - 1) / Chunk, body);
    }

    /// <summary>Step and ends of the grid around 0, in steps.</summary>
    internal (float Scale, float Low, float High) Grid(float logScale, float zero) => (ScaleOf(logScale), Low - zero, High - zero);

    /// <summary>The step that a logarithm means.</summary>
    public static float ScaleOf(float logScale) => (float)Math.Exp(logScale);

    internal static void RequireRange(int low, int high)
    {
        if (low >= high || low < short.MinValue || high > short.MaxValue)
        {
            throw new OpRuleException("this is no range of integers") { Found = $"{low} to {high}", Expected = "at most 16 bits" };
        }
    }

    internal static void RequireScalar(OpOperands operands, int index)
    {
        Shape shape = operands.Require(index, DType.F32).Shape;
        if (shape.IsKnown && shape.ElementCount != 1)
        {
            throw new OpRuleException($"operand {index} is one number") { Found = shape.ToString(), Expected = "[]" };
        }
    }

    /// <summary>Rounds values, into other memory or their own.</summary>
    internal static void Round(ReadOnlySpan<float> x, Span<float> y, float scale, float low, float high)
    {
        float inverse = 1 / scale;
        (Vector256<float> s, Vector256<float> i, Vector256<float> l, Vector256<float> h) =
            (Vector256.Create(scale), Vector256.Create(inverse), Vector256.Create(low), Vector256.Create(high));
        ref float source = ref MemoryMarshal.GetReference(x);
        ref float target = ref MemoryMarshal.GetReference(y);
        int at = 0;
        for (; at <= x.Length - 8; at += 8)
        {
            Vector256<float> steps = Vector256.Round(Vector256.LoadUnsafe(ref source, (nuint)at) * i);
            (Vector256.Min(Vector256.Max(steps, l), h) * s).StoreUnsafe(ref target, (nuint)at);
        }

        for (; at < x.Length; at++)
        {
            y[at] = MathF.Min(MathF.Max(MathF.Round(x[at] * inverse), low), high) * scale;
        }
    }
}
