using System.Collections.Immutable;
using System.Globalization;
using Optc.Formats.TfLite;

namespace Optc.Certificates;

/// <summary>Compares tensors of result and original: everything but names must be what the original has, or a slice of it.</summary>
internal sealed class TensorComparison(GraphView original, GraphView result, CertificateProfile profile)
{
    /// <summary>What a constant is to its operator, as far as its quantization is concerned.</summary>
    public enum Role
    {
        Plain,

        /// <summary>The bias of a convolution: kernels for microcontrollers do not read its quantization.</summary>
        ConvolutionBias,
    }

    /// <summary>Everything but the data; the dimension <paramref name="kept"/> names may be shorter.</summary>
    public void Header(int now, int before, KeptChannels? kept, ImmutableArray<string> at, Role role = Role.Plain) =>
        Header(result.Tensor(now), original.Tensor(before), kept, at, role);

    /// <inheritdoc cref="Header(int, int, KeptChannels?, ImmutableArray{string}, Role)"/>
    public void Header(TensorRecord now, TensorRecord before, KeptChannels? kept, ImmutableArray<string> at, Role role)
    {
        (TensorRecord a, TensorRecord b) = (before, now);
        Same(a.Type, b.Type, "element type", at);
        Shape(a.Shape, b.Shape, kept, "shape", at);
        ImmutableArray<int> signature = a.ShapeSignature.IsEmpty ? a.Shape : a.ShapeSignature;
        Shape(signature, b.ShapeSignature.IsEmpty ? b.Shape : b.ShapeSignature, kept is null || kept.Axis >= signature.Length || signature[kept.Axis] < 0 ? null : kept, "shape signature", at);
        Same(a.IsVariable, b.IsVariable, "kind of variable", at);
        Same(a.ExternalBuffer, b.ExternalBuffer, "external buffer", at);
        if (!a.VariantTensors.SequenceEqual(b.VariantTensors) || (kept is { IsWhole: false } ? b.Sparsity is not null || a.Sparsity is not null : a.Sparsity != b.Sparsity))
        {
            throw Refusal.Of("a tensor is not what it was", "another storage of sparse or variant data", "that of the original", at);
        }

        Quantization(a, b, kept, role, at);
    }

    /// <summary>Equal to the last bit.</summary>
    public void Equal(int now, int before, ImmutableArray<string> at, Role role = Role.Plain)
    {
        Header(now, before, null, at, role);
        Data(now, before, at);
    }

    public void Data(int now, int before, ImmutableArray<string> at)
    {
        if (!original.Data(before).Span.SequenceEqual(result.Data(now).Span))
        {
            throw Refusal.Of("the data of a tensor are not what they were", "other bytes", "those of the original", at);
        }
    }

    /// <summary>A slice of the original along one dimension, to the last bit.</summary>
    public void Slice(int now, int before, KeptChannels kept, ImmutableArray<string> at, Role role = Role.Plain)
    {
        if (kept.IsWhole)
        {
            Equal(now, before, at, role);
            return;
        }

        Header(now, before, kept, at, role);
        if (original.Bits(before) is not { } all || result.Bits(now) is not { } slice)
        {
            throw Refusal.Of("a constant cannot be compared", "data of another kind", "plain constants", at);
        }

        int[] along = Positions.Along(original.Tensor(before).Shape.AsSpan(), kept.Axis);
        int n = 0;
        for (int i = 0; i < all.Length; i++)
        {
            if (kept.Stays(along[i]) && (n >= slice.Length || slice[n++] != all[i]))
            {
                throw Refusal.Of("a sliced constant is not that of the original", "other elements", "the elements of the channels that stay", at);
            }
        }
    }

    private void Quantization(TensorRecord a, TensorRecord b, KeptChannels? kept, Role role, ImmutableArray<string> at)
    {
        (QuantizationParametersRecord before, QuantizationParametersRecord now) = (a.Quantization ?? new(), b.Quantization ?? new());
        bool isBare = before.Scale.IsEmpty && before.ZeroPoint.IsEmpty;
        if (profile == CertificateProfile.Micro && role == Role.ConvolutionBias && now.Scale.IsEmpty && now.ZeroPoint.IsEmpty && now.Details is null)
        {
            return;
        }

        Same(before.Details, now.Details, "custom quantization", at);
        bool isSliced = kept is { IsWhole: false } && kept.Axis == (a.Shape.Length == 1 ? 0 : before.QuantizedDimension);
        Floats(Sliced(before.Scale, isSliced ? kept : null), now.Scale, "scale", at);
        ImmutableArray<long> zeros = Sliced(before.ZeroPoint, isSliced ? kept : null);
        bool isShortened = profile == CertificateProfile.Micro && zeros.Length > 1 && zeros.All(z => z == 0) && now.ZeroPoint is [0];
        if (!isShortened && !zeros.AsSpan().SequenceEqual(now.ZeroPoint.AsSpan()))
        {
            throw Refusal.Of("a tensor is not what it was: zero point", Text(now.ZeroPoint), Text(zeros), at);
        }

        if (!isBare && before.QuantizedDimension != now.QuantizedDimension && !(now.QuantizedDimension == 0 && (a.Shape.Length <= 1 || now.Scale.Length <= 1)))
        {
            Same(before.QuantizedDimension, now.QuantizedDimension, "quantized dimension", at);
        }

        if (!now.Min.IsEmpty || !now.Max.IsEmpty)
        {
            Floats(Sliced(before.Min, isSliced ? kept : null), now.Min, "recorded minimum", at);
            Floats(Sliced(before.Max, isSliced ? kept : null), now.Max, "recorded maximum", at);
        }
    }

    private static void Shape(ImmutableArray<int> before, ImmutableArray<int> now, KeptChannels? kept, string what, ImmutableArray<string> at)
    {
        ImmutableArray<int> expected = kept is null ? before : before.SetItem(kept.Axis, kept.Kept.Length);
        if (!expected.AsSpan().SequenceEqual(now.AsSpan()))
        {
            throw Refusal.Of($"a tensor is not what it was: {what}", Text(now), Text(expected), at);
        }
    }

    private static ImmutableArray<T> Sliced<T>(ImmutableArray<T> values, KeptChannels? kept) =>
        kept is not null && values.Length > 1 && values.Length == kept.Count ? [.. kept.Kept.Select(k => values[k])] : values;

    private static void Floats(ImmutableArray<float> before, ImmutableArray<float> now, string what, ImmutableArray<string> at)
    {
        if (before.Length != now.Length || !before.Zip(now).All(p => BitConverter.SingleToInt32Bits(p.First) == BitConverter.SingleToInt32Bits(p.Second)))
        {
            throw Refusal.Of($"a tensor is not what it was: {what}", Text(now), Text(before), at);
        }
    }

    private static void Same<T>(T? before, T? now, string what, ImmutableArray<string> at)
    {
        if (!EqualityComparer<T>.Default.Equals(before, now))
        {
            throw Refusal.Of($"a tensor is not what it was: {what}", $"{now}", $"{before}", at);
        }
    }

    private static string Text<T>(ImmutableArray<T> values)
        where T : IFormattable
    {
        const int Shown = 8;
        string text = string.Join(", ", values.Take(Shown).Select(v => v.ToString(typeof(T) == typeof(float) ? "R" : null, CultureInfo.InvariantCulture)));
        return values.Length > Shown ? string.Create(CultureInfo.InvariantCulture, $"[{text}, ... {values.Length}]") : $"[{text}]";
    }
}
