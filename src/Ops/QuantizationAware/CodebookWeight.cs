using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;

namespace Optc.Ops;

/// <summary>
/// A weight whose values come from a codebook: <c>w = exp(log_scale[channel]) * snap(values[group, index])</c>, where snap
/// rounds to whole steps of an integer grid.
/// </summary>
/// <param name="Axis">Dimension of the output channels.</param>
/// <param name="Largest">Largest code of the grid, 127 for 8 bits; 0 leaves the entries real.</param>
/// <param name="Mean">Gradients of an entry are averaged over its members instead of summed.</param>
/// <remarks>
/// <para>Shape: <c>latent [any], index [as latent], values [G, n], steps [G], log_scale [C] or [1] -> w [as latent]</c>. The index holds
/// whole numbers, as <see cref="AssignCodes"/> gives them; the latent weight has no part in the result but takes the gradient.</para>
/// <para>Types: f32. With codes shared by all channels and a scale for each, n entries stay n integer codes.</para>
/// <para>Source: Han, Mao and Dally, "Deep compression", 2016, section 3, for the shared gradient; straight through to the latent
/// weight as in the clustering of TensorFlow's Model Optimization Toolkit.</para>
/// </remarks>
public sealed record CodebookWeight(int Axis, int Largest, bool Mean = false) : IOp<CodebookWeight>, IExecutable, IDifferentiable
{
    public static OpSchema Declaration { get; } = new("codebook_weight", ["latent", "index", "values", "steps", "log_scale"], ["w"])
    {
        Kernels = KernelTypes.F32,
    };

    public static CodebookWeight Parse(AttributeReader attributes) => new(attributes.Int("axis"), attributes.Int("largest"), attributes.Bool("mean"));

    public void Describe(AttributeWriter attributes) => attributes.Add("axis", Axis).Add("largest", Largest).Add("mean", Mean);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        TensorType latent = operands.Require(0, DType.F32);
        Shape index = operands.Require(1, DType.F32).Shape;
        for (int i = 2; i < 5; i++)
        {
            operands.Require(i, DType.F32);
        }

        return [latent with { Shape = Dimensions.Agree(latent.Shape, index, "a weight and its indices"), Quant = null }];
    }

    public void Differentiate(GradientBuilder g)
    {
        Node adjoint = g.AddNode(new CodebookWeightGradient(Axis, Largest, Mean), g.Gradient(), g.Input(1), g.Input(2), g.Input(3), g.Input(4));
        (int Operand, int Result)[] given = [(0, 0), (2, 1), (4, 2)];
        foreach ((int operand, int result) in given)
        {
            if (g.Wants(operand))
            {
                g.Give(operand, adjoint.Outputs[result]);
            }
        }
    }

    public Kernel Prepare(KernelContext context)
    {
        CodebookGrid grid = CodebookGrid.Of(context.Input(0).Shape, context.Input(2).Shape, context.Input(3).Shape, Axis, Largest);
        RequireScales(context.Input(4).Shape, grid);
        return () => Expand(grid, context.In<float>(1), context.In<float>(2), context.In<float>(3), context.In<float>(4), context.Out<float>(0));
    }

    /// <summary>The values of a weight.</summary>
    /// <param name="shape">Of the weight; the other arguments as the operands of the same names.</param>
    public void Expand(
        Shape shape, ReadOnlySpan<float> index, ReadOnlySpan<float> values, Shape valuesShape, ReadOnlySpan<float> steps, ReadOnlySpan<float> logScale, Span<float> w) =>
        Expand(CodebookGrid.Of(shape, valuesShape, [steps.Length], Axis, Largest), index, values, steps, logScale, w);

    internal static void RequireScales(Shape scales, CodebookGrid grid)
    {
        if (scales.ElementCount != 1 && scales.ElementCount != grid.Channels)
        {
            throw new OpRuleException("a weight has one scale, or one for each channel") { Found = scales.ToString(), Expected = $"[{grid.Channels}] or [1]" };
        }
    }

    private static void Expand(
        CodebookGrid grid, ReadOnlySpan<float> index, ReadOnlySpan<float> values, ReadOnlySpan<float> steps, ReadOnlySpan<float> logScale, Span<float> w)
    {
        Span<float> snapped = stackalloc float[256];
        snapped = grid.Codes <= snapped.Length ? snapped[..grid.Codes] : new float[grid.Codes];
        for (int start = 0, slice = 0; start < index.Length; start += grid.Inner, slice++)
        {
            int channel = slice % grid.Channels;
            int group = grid.GroupOf(channel);
            float scale = LearnedFakeQuant.ScaleOf(logScale[logScale.Length == 1 ? 0 : channel]);
            if (grid.Inner == 1)
            {
                w[start] = scale * grid.Snap(values[(group * grid.Codes) + (int)index[start]], steps[group]);
                continue;
            }

            for (int j = 0; j < snapped.Length; j++)
            {
                snapped[j] = scale * grid.Snap(values[(group * grid.Codes) + j], steps[group]);
            }

            for (int i = start; i < start + grid.Inner; i++)
            {
                w[i] = snapped[(int)index[i]];
            }
        }
    }
}
