using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Ops.TfLite;

namespace Optc.Ops;

/// <summary>Rounds to the grid of a quantization that stays float: limits to a range and rounds to its steps.</summary>
/// <param name="Min">Lower end of the range, real units; moved so that 0 lies on the grid.</param>
/// <param name="Max">Upper end of the range, not below <paramref name="Min"/>; a range of [0, 0] gives 0 everywhere.</param>
/// <param name="Bits">Bits of the quantization, 2 to 16.</param>
/// <param name="NarrowRange">True when the lowest of the <c>2^Bits</c> codes is not used.</param>
/// <remarks>
/// <para>Types: f32. NaN gives the lower end.</para>
/// <para>Source: TFLite builtin 80, <c>NudgeQuantizationRange</c> and <c>FakeQuantizeArray</c> of LiteRT's
/// <c>quantization_util.cc</c>, versions 1 and 2. LiteRT refuses to run a narrow range; TensorFlow's
/// <c>fake_quant_ops_functor.h</c> says what it is, and what the range [0, 0] gives.</para>
/// </remarks>
public sealed record FakeQuant(float Min, float Max, int Bits = 8, bool NarrowRange = false)
    : Elementwise<FakeQuant>, IOp<FakeQuant>, IDifferentiable, ITfLiteOp<FakeQuant>
{
    public static OpSchema Declaration { get; } = new("fake_quant", ["x"], ["y"]) { Kernels = KernelTypes.F32 };

    public static BuiltinOperator Code => BuiltinOperator.FakeQuant;

    public static int MaximumVersion => 2;

    public static FakeQuant Parse(AttributeReader attributes) => new(
        attributes.Float("min"), attributes.Float("max"), attributes.Int("bits"), attributes.Bool("narrow_range"));

    public static FakeQuant Read(TfLiteSource source)
    {
        FakeQuantOptions options = source.Options<FakeQuantOptions>();
        return new(options.Min, options.Max, options.NumBits, options.NarrowRange);
    }

    public TfLiteEncoding Write(TfLiteTarget target) => new(
        NarrowRange ? 2 : 1,
        new FakeQuantOptions { Min = Min, Max = Max, NumBits = Bits, NarrowRange = NarrowRange });

    public override void Describe(AttributeWriter attributes) =>
        attributes.Add("min", Min).Add("max", Max).Add("bits", Bits).Add("narrow_range", NarrowRange);

    /// <summary>Straight through inside of the range, its ends included; nothing outside.</summary>
    public void Differentiate(GradientBuilder g)
    {
        if (Range() is not { } range)
        {
            return;
        }

        Value above = g.Add(new GreaterEqual(), g.Input(0), g.Scalar(range.Low));
        Value below = g.Add(new LessEqual(), g.Input(0), g.Scalar(range.High));
        g.Give(0, g.OnlyWhere(g.Add(new LogicalAnd(), above, below), g.Gradient()));
    }

    public override Kernel Prepare(KernelContext context)
    {
        if (Range() is not { } range)
        {
            return () => context.Out<float>(0).Clear();
        }

        (float low, float high, float step) = range;
        float inverse = 1 / step;
        return () =>
        {
            ReadOnlySpan<float> x = context.In<float>(0);
            Span<float> y = context.Out<float>(0);
            for (int i = 0; i < x.Length; i++)
            {
                float raised = low < x[i] ? x[i] : low;
                float limited = raised < high ? raised : high;
                y[i] = (MathF.Round((limited - low) * inverse, MidpointRounding.AwayFromZero) * step) + low;
            }
        };
    }

    /// <summary>The range moved so that 0 lies on the grid; <see langword="null"/> for [0, 0].</summary>
    /// <exception cref="OpRuleException">This is no range of a quantization.</exception>
    private (float Low, float High, float Step)? Range()
    {
        if (!float.IsFinite(Min) || !float.IsFinite(Max) || Min > Max || Bits is < 2 or > 16)
        {
            throw new OpRuleException("this is no range of a quantization")
            {
                Found = $"[{Min:R}, {Max:R}] in {Bits} bits",
                Expected = "a finite range that is not reversed, in 2 to 16 bits",
            };
        }

        if (Min == Max)
        {
            return Min == 0 ? null : throw new OpRuleException("the range of a quantization is a single number") { Found = $"{Min:R}" };
        }

        float lowest = NarrowRange ? 1 : 0;
        float highest = (1 << Bits) - 1;
        float step = (Max - Min) / (highest - lowest);
        if (!float.IsFinite(step) || !float.IsFinite(1 / step))
        {
            throw new OpRuleException("the steps of a quantization are too large or too small") { Found = $"{step:R}" };
        }

        float zero = MathF.Round(Math.Clamp(lowest - (Min / step), lowest, highest), MidpointRounding.AwayFromZero);
        return ((lowest - zero) * step, (highest - zero) * step, step);
    }
}
