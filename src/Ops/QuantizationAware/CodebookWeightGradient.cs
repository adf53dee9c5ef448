using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;

namespace Optc.Ops;

/// <summary>Gradients of <see cref="CodebookWeight"/> with regard to the latent weight, the codebooks and the logarithms of the scales.</summary>
/// <param name="Axis">As there.</param>
/// <param name="Largest">As there.</param>
/// <param name="Mean">As there.</param>
/// <remarks>
/// <para>Shape: <c>dw [any], index [as dw], values [G, n], steps [G], log_scale [C] or [1] -> dlatent [as dw], dvalues [G, n], dlog_scale</c>.</para>
/// <para>Types: f32, sums in double precision and in the order of the elements. <c>dlatent = s dw</c>; the gradient of an entry is the
/// sum (or mean) of that over its members; <c>dlog_scale = sum dw w</c> over the channel.</para>
/// </remarks>
public sealed record CodebookWeightGradient(int Axis, int Largest, bool Mean) : IOp<CodebookWeightGradient>, IExecutable
{
    public static OpSchema Declaration { get; } = new(
        "codebook_weight_gradient", ["dw", "index", "values", "steps", "log_scale"], ["dlatent", "dvalues", "dlog_scale"])
    {
        Kernels = KernelTypes.F32,
    };

    public static CodebookWeightGradient Parse(AttributeReader attributes) => new(attributes.Int("axis"), attributes.Int("largest"), attributes.Bool("mean"));

    public void Describe(AttributeWriter attributes) => attributes.Add("axis", Axis).Add("largest", Largest).Add("mean", Mean);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        for (int i = 0; i < 5; i++)
        {
            operands.Require(i, DType.F32);
        }

        Shape dw = Dimensions.Agree(operands[0].Shape, operands[1].Shape, "a gradient and its indices");
        return [new(DType.F32, dw), operands[2] with { Quant = null }, operands[4] with { Quant = null }];
    }

    public Kernel Prepare(KernelContext context)
    {
        CodebookGrid grid = CodebookGrid.Of(context.Input(0).Shape, context.Input(2).Shape, context.Input(3).Shape, Axis, Largest);
        CodebookWeight.RequireScales(context.Input(4).Shape, grid);
        int entries = grid.Groups * grid.Codes;
        int scales = checked((int)context.Input(4).ElementCount);
        Scratch sums = context.Reserve(sizeof(double) * (long)((2 * entries) + scales));
        bool mean = Mean;
        return () =>
        {
            Span<double> ofEntries = sums.Span<double>()[..entries];
            Span<double> members = sums.Span<double>().Slice(entries, entries);
            Span<double> ofScales = sums.Span<double>().Slice(2 * entries, scales);
            sums.Span<double>().Clear();
            ReadOnlySpan<float> dw = context.In<float>(0);
            ReadOnlySpan<float> index = context.In<float>(1);
            ReadOnlySpan<float> values = context.In<float>(2);
            ReadOnlySpan<float> steps = context.In<float>(3);
            ReadOnlySpan<float> logScale = context.In<float>(4);
            Span<float> dlatent = context.Out<float>(0);
            for (int start = 0, slice = 0; start < dw.Length; start += grid.Inner, slice++)
            {
                int channel = slice % grid.Channels;
                int first = grid.GroupOf(channel) * grid.Codes;
                int own = scales == 1 ? 0 : channel;
                float scale = LearnedFakeQuant.ScaleOf(logScale[own]);
                double along = 0;
                for (int i = start; i < start + grid.Inner; i++)
                {
                    float g = scale * dw[i];
                    int entry = first + (int)index[i];
                    dlatent[i] = g;
                    ofEntries[entry] += g;
                    members[entry]++;
                    along += (double)g * grid.Snap(values[entry], steps[first / grid.Codes]);
                }

                ofScales[own] += along;
            }

            for (int j = 0; j < entries; j++)
            {
                context.Out<float>(1)[j] = (float)(mean ? ofEntries[j] / Math.Max(1, members[j]) : ofEntries[j]);
            }

            for (int c = 0; c < scales; c++)
            {
                context.Out<float>(2)[c] = (float)ofScales[c];
            }
        };
    }
}
