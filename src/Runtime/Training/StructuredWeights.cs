using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Runtime.Training;

/// <summary>Weights as they leave training: what layers saw of them last, with the structure that they have.</summary>
public static class StructuredWeights
{
    /// <summary>An ordinary weight, perhaps with a mask.</summary>
    /// <param name="mask">One for values that stay, 0 for others, or empty.</param>
    internal static TensorData Of(Shape shape, ReadOnlySpan<float> content, ReadOnlySpan<float> mask) =>
        TensorData.FromFloats(shape, WithoutNegativeZeros(content.ToArray())).With(new WeightStructure { Mask = MaskOf(mask) });

    /// <summary>A weight in a form.</summary>
    /// <param name="content">Reads state.</param>
    internal static TensorData Of(FormedWeight formed, Reader content, ReadOnlySpan<float> mask)
    {
        SparsityMask? zeros = MaskOf(mask);
        return formed.Form is CodebookForm book ? OfCodebook(formed, book, content, zeros) : OfGrid(formed, (GridForm)formed.Form, content, zeros);
    }

    /// <summary>Reads state by its name.</summary>
    internal delegate ReadOnlySpan<float> Reader(string name);

    private static TensorData OfGrid(FormedWeight formed, GridForm form, Reader content, SparsityMask? zeros)
    {
        Shape shape = formed.Latent.Shape;
        return Rounded(form.Op, shape, content(formed.Latent.Name), new() { Mask = zeros });
    }

    private static TensorData Rounded(FakeQuantWeights op, Shape shape, ReadOnlySpan<float> weights, WeightStructure structure)
    {
        float[] rounded = new float[weights.Length];
        float[] scales = new float[op.Axis < 0 ? 1 : shape[op.Axis]];
        op.Round(weights, shape, rounded, scales);
        return TensorData.FromFloats(shape, WithoutNegativeZeros(rounded)).With(structure with
        {
            Grid = new(ImmutableCollectionsMarshal.AsImmutableArray(scales), Math.Max(0, op.Axis), op.Bits),
        });
    }

    private static TensorData OfCodebook(FormedWeight formed, CodebookForm form, Reader content, SparsityMask? zeros) => FromCodebook(
        formed.Latent.Shape, form, content(formed.Index), content(formed.Codebook!.Name), content(formed.Steps), content(formed.LogScale!.Name), zeros);

    /// <summary>A weight whose values come from codebooks, see <see cref="CodebookForm"/>.</summary>
    /// <param name="index">[weight].</param>
    /// <param name="values">[groups, codes].</param>
    /// <param name="steps">[groups].</param>
    /// <param name="logScale">[channels] or [1].</param>
    /// <param name="zeros">Zeros that must stay.</param>
    public static TensorData FromCodebook(
        Shape shape,
        CodebookForm form,
        ReadOnlySpan<float> index,
        ReadOnlySpan<float> values,
        ReadOnlySpan<float> steps,
        ReadOnlySpan<float> logScale,
        SparsityMask? zeros)
    {
        float[] weights = new float[shape.ElementCount];
        form.Op.Expand(shape, index, values, [form.Groups, form.Codes], steps, logScale, weights);
        WeightStructure structure = new()
        {
            Mask = zeros,
            Codebook = new(form.Codes, form.Groups, form.Axis, form.PinsZero),
        };
        if (form.Rounding is { } rounding)
        {
            // On the grid of each channel the codes of one codebook are different ones in every channel.
            Codebook looser = structure.Codebook with { Groups = rounding.Axis < 0 ? form.Groups : shape[form.Axis] };
            return Rounded(rounding, shape, weights, structure with { Codebook = looser });
        }

        if (form.Largest == 0)
        {
            return TensorData.FromFloats(shape, WithoutNegativeZeros(weights)).With(structure);
        }

        int channels = shape[form.Axis];
        float[] scales = new float[logScale.Length == 1 && form.Groups == 1 ? 1 : channels];
        for (int c = 0; c < scales.Length; c++)
        {
            scales[c] = LearnedFakeQuant.ScaleOf(logScale[logScale.Length == 1 ? 0 : c]) * steps[form.Groups == 1 ? 0 : c / (channels / form.Groups)];
        }

        return TensorData.FromFloats(shape, WithoutNegativeZeros(weights)).With(structure with
        {
            Grid = new(ImmutableCollectionsMarshal.AsImmutableArray(scales), form.Axis, form.Bits),
        });
    }

    // A mask, or rounding, makes -0 of what was negative; coders of bytes would tell it from 0.
    private static float[] WithoutNegativeZeros(float[] weights)
    {
        weights.AsSpan().Replace(-0f, 0f);
        return weights;
    }

    private static SparsityMask? MaskOf(ReadOnlySpan<float> mask)
    {
        if (mask.IndexOf(0f) < 0)
        {
            return null;
        }

        bool[] kept = new bool[mask.Length];
        for (int i = 0; i < kept.Length; i++)
        {
            kept[i] = mask[i] != 0;
        }

        return new("elements", ImmutableCollectionsMarshal.AsImmutableArray(kept));
    }
}
