using System.Numerics.Tensors;
using System.Runtime.Intrinsics;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;

namespace Optc.Ops;

/// <summary>
/// Rounds weights to the symmetric grid that their own magnitude gives, and stays float: <c>y = s clamp(round(w / s))</c>,
/// <c>s = max |w| / (2^(bits-1) - 1)</c>.
/// </summary>
/// <param name="Bits">2 to 8.</param>
/// <param name="Axis">Dimension of the output channels, each of which has a step; -1 for one step in all.</param>
/// <remarks>
/// <para>Shape: <c>w [any] -> y [same]</c>. Zeros stay zeros; a channel of zeros has the step of the tensor.</para>
/// <para>Types: f32. The gradient passes straight through: no weight lies beyond its own grid.</para>
/// <para>Source: Jacob et al., 2018, section 3; TFLite's specification of 8-bit quantization.</para>
/// </remarks>
public sealed record FakeQuantWeights(int Bits = 8, int Axis = 0) : Elementwise<FakeQuantWeights>, IOp<FakeQuantWeights>, IDifferentiable
{
    public static OpSchema Declaration { get; } = new("fake_quant_weights", ["w"], ["y"]) { Kernels = KernelTypes.F32 };

    public static FakeQuantWeights Parse(AttributeReader attributes) => new(attributes.Int("bits"), attributes.Int("axis"));

    public override void Describe(AttributeWriter attributes) => attributes.Add("bits", Bits).Add("axis", Axis);

    public void Differentiate(GradientBuilder g) => g.Give(0, g.Gradient());

    public override Kernel Prepare(KernelContext context)
    {
        Shape shape = context.Input(0).Shape;
        if (Bits is < 2 or > 8 || Axis < -1 || Axis >= shape.Rank)
        {
            throw new OpRuleException("there is no such grid of weights") { Found = $"{Bits} bits, axis {Axis}", Expected = "2 to 8 bits, an axis of the weight or -1" };
        }

        int channels = Axis < 0 ? 1 : shape[Axis];
        Scratch scales = context.Reserve(sizeof(float) * (long)channels);
        return () => Round(context.In<float>(0), shape, context.Out<float>(0), scales.Span<float>()[..channels]);
    }

    /// <summary>Rounds a weight, and says with which steps.</summary>
    /// <param name="scales">Receives the step of each channel, or the one of the tensor.</param>
    public void Round(ReadOnlySpan<float> w, Shape shape, Span<float> y, Span<float> scales)
    {
        int largest = (1 << (Bits - 1)) - 1;
        int inner = Axis < 0 ? Math.Max(1, w.Length) : Inner(shape, Axis);
        int channels = scales.Length;
        scales.Clear();
        if (inner == 1)
        {
            for (int i = 0; i < w.Length; i++)
            {
                scales[i % channels] = Math.Max(scales[i % channels], Math.Abs(w[i]));
            }
        }
        else
        {
            for (int start = 0, slice = 0; start < w.Length; start += inner, slice++)
            {
                ref float magnitude = ref scales[slice % channels];
                magnitude = Math.Max(magnitude, Math.Abs(TensorPrimitives.MaxMagnitude(w.Slice(start, inner))));
            }
        }

        float whole = TensorPrimitives.Max<float>(scales);
        for (int c = 0; c < channels; c++)
        {
            float magnitude = scales[c] > 0 ? scales[c] : whole > 0 ? whole : largest;
            scales[c] = Math.Clamp(magnitude / largest, 1f / (1L << 60), float.MaxValue);
        }

        for (int start = 0, slice = 0; start < w.Length; start += inner, slice++)
        {
            float scale = scales[slice % channels];
            float inverse = 1 / scale;
            int i = start;
            for (; i <= start + inner - Vector256<float>.Count; i += Vector256<float>.Count)
            {
                Vector256<float> steps = Vector256.Round(Vector256.Create(w[i..]) * inverse);
                (Vector256.Min(Vector256.Max(steps, Vector256.Create(-(float)largest)), Vector256.Create((float)largest)) * scale).CopyTo(y[i..]);
            }

            for (; i < start + inner; i++)
            {
                y[i] = MathF.Min(MathF.Max(MathF.Round(w[i] * inverse), -largest), largest) * scale;
            }
        }
    }

    private static int Inner(Shape shape, int axis)
    {
        int inner = 1;
        for (int i = axis + 1; i < shape.Rank; i++)
        {
            inner *= shape[i];
        }

        return Math.Max(1, inner);
    }
}
