using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Ir;

namespace Optc.Passes.Prune;

/// <summary>Slices of constants along one dimension.</summary>
internal static class ChannelCut
{
    /// <summary>The slices that are kept; the constant itself when all are.</summary>
    public static TensorData Take(TensorData data, int axis, bool[] kept)
    {
        int count = kept.Count(k => k);
        if (count == kept.Length)
        {
            return data;
        }

        (int outer, int inner) = Extents(data, axis);
        byte[] bytes = new byte[data.Bytes.Length / kept.Length * count];
        int at = 0;
        for (int i = 0; i < outer * kept.Length; i++)
        {
            if (kept[i % kept.Length])
            {
                data.Bytes.Span.Slice(i * inner, inner).CopyTo(bytes.AsSpan(at));
                at += inner;
            }
        }

        return new TensorData(data.DType, data.Shape.With(axis, count), bytes).With(Take(data.Structure, data.Shape, axis, kept));
    }

    /// <summary>Scales and zero points of the slices that are kept, if they run along this dimension.</summary>
    public static QuantParams? Take(QuantParams? quant, int axis, bool[] kept) => quant is { IsPerAxis: true } && quant.Axis == axis
        ? quant with { Scales = Take(quant.Scales, kept), ZeroPoints = Take(quant.ZeroPoints, kept), Min = Take(quant.Min, kept), Max = Take(quant.Max, kept) }
        : quant;

    /// <summary>The slices that are not kept become zero: of 8-bit numbers their zero point, of others 0. The constant itself when all are kept.</summary>
    public static TensorData Clear(TensorData data, QuantParams? quant, int axis, bool[] kept)
    {
        if (Array.TrueForAll(kept, k => k))
        {
            return data;
        }

        (_, int inner) = Extents(data, axis);
        byte[] bytes = data.Bytes.ToArray();
        for (int i = 0; i < bytes.Length / inner; i++)
        {
            int slice = i % kept.Length;
            if (!kept[slice])
            {
                bytes.AsSpan(i * inner, inner).Fill(ZeroByte(data, quant, axis, slice));
            }
        }

        return new TensorData(data.DType, data.Shape, bytes).With(Clear(data.Structure, data.Shape, axis, kept));
    }

    /// <summary>Which slices are zero: of 8-bit numbers their zero point, of others 0.</summary>
    public static bool[] Zeros(TensorData data, QuantParams? quant, int axis)
    {
        int count = data.Shape[axis];
        (int outer, int inner) = Extents(data, axis);
        bool[] zeros = new bool[count];
        for (int slice = 0; slice < count; slice++)
        {
            byte zero = ZeroByte(data, quant, axis, slice);
            zeros[slice] = true;
            for (int i = 0; i < outer && zeros[slice]; i++)
            {
                ReadOnlySpan<byte> bytes = data.Bytes.Span.Slice(((i * count) + slice) * inner, inner);
                zeros[slice] = data.DType is DType.F32
                    ? MemoryMarshal.Cast<byte, float>(bytes).IndexOfAnyExcept(0f) < 0
                    : bytes.IndexOfAnyExcept(zero) < 0;
            }
        }

        return zeros;
    }

    /// <summary>What holds of the slices that are kept.</summary>
    private static WeightStructure? Take(WeightStructure? structure, Shape shape, int axis, bool[] kept)
    {
        if (structure is null)
        {
            return null;
        }

        ChannelMap map = new(shape, axis);
        int count = kept.Count(k => k);
        return structure with
        {
            Mask = structure.Mask is { } mask
                ? new(PatternOf(mask, isInnermost: axis == shape.Rank - 1), [.. mask.Kept.Where((_, i) => kept[map.ChannelOf(i)])])
                : null,

            // Channels that shared a codebook in groups have each their own limit where groups lose different numbers of channels.
            Codebook = structure.Codebook is { Groups: > 1 } book && book.Axis == axis ? book with { Groups = count } : structure.Codebook,
            Grid = structure.Grid is { Scales.Length: > 1 } grid && grid.Axis == axis ? grid with { Scales = Take(grid.Scales, kept) } : structure.Grid,
        };
    }

    /// <summary>Blocks, and groups along the innermost dimension when it loses slices, do not end where they did.</summary>
    private static string PatternOf(SparsityMask mask, bool isInnermost) =>
        mask.Pattern is "channels" || (!isInnermost && mask.Pattern.Contains(':', StringComparison.Ordinal)) ? mask.Pattern : "elements";

    /// <summary>What holds with zeros in the slices that are not kept.</summary>
    private static WeightStructure? Clear(WeightStructure? structure, Shape shape, int axis, bool[] kept)
    {
        ChannelMap map = new(shape, axis);
        return structure is null ? null : structure with
        {
            Mask = structure.Mask is { } mask ? mask with { Kept = [.. mask.Kept.Select((k, i) => k && kept[map.ChannelOf(i)])] } : null,
            Codebook = structure.Codebook is { PinsZero: false } book ? book with { Codes = book.Codes + 1, PinsZero = true } : structure.Codebook,
        };
    }

    private static ImmutableArray<T> Take<T>(ImmutableArray<T> values, bool[] kept) =>
        values.Length == kept.Length ? [.. values.Where((_, i) => kept[i])] : values;

    /// <summary>The byte of which zeros consist; wider integers and floats have zero point 0.</summary>
    private static byte ZeroByte(TensorData data, QuantParams? quant, int axis, int slice) => quant is null || data.DType is not (DType.I8 or DType.U8)
        ? (byte)0
        : unchecked((byte)quant.ZeroPointAt(quant.IsPerAxis && quant.Axis == axis ? slice : 0));

    /// <summary>Number of runs of slices, and bytes of one slice in a run.</summary>
    private static (int Outer, int Inner) Extents(TensorData data, int axis)
    {
        int outer = 1;
        for (int i = 0; i < axis; i++)
        {
            outer = checked(outer * data.Shape[i]);
        }

        return (outer, data.Bytes.Length / outer / data.Shape[axis]);
    }
}
