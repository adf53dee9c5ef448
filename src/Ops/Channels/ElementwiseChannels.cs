using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Ops.Channels;

/// <summary>How ops on broadcast operands pass channels on.</summary>
internal static class ElementwiseChannels
{
    /// <summary>Of all-zero operands the result is 0: sums, differences, extrema. Constants for each channel are offsets and go with it.</summary>
    /// <param name="isNeutral">Whether the op makes 0 of 0 and this constant.</param>
    public static void Sum(ChannelTracer t, bool keepsZero, Predicate<float> isNeutral) => Combine(t, keepsZero, isProduct: false, isNeutral);

    /// <summary>Of one operand that is 0 the result is 0.</summary>
    public static void Product(ChannelTracer t, bool keepsZero) => Combine(t, keepsZero, isProduct: true, _ => true);

    private static void Combine(ChannelTracer t, bool keepsZero, bool isProduct, Predicate<float> isNeutral)
    {
        Shape y = t.Node.Outputs[0].Type.Shape;
        ImmutableArray<ChannelAxis?> inputs = [.. Enumerable.Range(0, t.Node.Inputs.Length).Select(i => Aligned(t, i, y))];
        if (inputs.FirstOrDefault(i => i is not null) is not { } first)
        {
            return;
        }

        if (inputs.Any(i => i is not null && i.Axis != first.Axis))
        {
            t.FixInputs($"{t.Node} combines different dimensions");
            return;
        }

        bool[] zero = new bool[first.Count];
        Array.Fill(zero, !isProduct);
        for (int i = 0; i < inputs.Length; i++)
        {
            ImmutableArray<bool> isZero = inputs[i]?.IsZero ?? Other(t, i, first, y, isProduct, isNeutral);
            for (int k = 0; k < zero.Length; k++)
            {
                zero[k] = isProduct ? zero[k] || isZero[k] : zero[k] && isZero[k];
                if (inputs[i] is { } tied)
                {
                    t.Tie(first.Channels[k], tied.Channels[k]);
                }
            }
        }

        t.Give(first with { IsZero = [.. zero] });
        if (!keepsZero)
        {
            t.Give(first.Through(keepsZero: false));
        }
    }

    /// <summary>Channels of an operand as a dimension of the result; a single one that is spread over all cannot go.</summary>
    private static ChannelAxis? Aligned(ChannelTracer t, int operand, Shape y)
    {
        if (t.Input(operand) is not { } x)
        {
            return null;
        }

        int axis = x.Axis + y.Rank - t.Shape(operand).Rank;
        if (y.HasRank && y[axis] == x.Count)
        {
            return x with { Axis = axis };
        }

        t.Fix(x, $"{t.Node} spreads it over others");
        return null;
    }

    /// <summary>An operand without removable channels beside one with: whether it is 0 for each of them.</summary>
    private static ImmutableArray<bool> Other(ChannelTracer t, int operand, ChannelAxis channels, Shape y, bool isProduct, Predicate<float> isNeutral)
    {
        Value value = t.Node.Inputs[operand]!;
        Shape shape = value.Type.Shape;
        int axis = shape.HasRank ? channels.Axis - y.Rank + shape.Rank : -1;
        bool isWide = !shape.HasRank || (axis >= 0 && shape[axis] != 1);
        if (isWide)
        {
            if (value.Constant is null)
            {
                t.Fix(channels, $"{t.Node} combines it with '{value.Name}', which keeps all channels");
                return [.. new bool[channels.Count]];
            }

            t.Slice(operand, axis, channels.Channels, isProduct ? SliceRole.Factor : SliceRole.Maker);
            return [.. Enumerable.Repeat(!isProduct, channels.Count)];
        }

        bool isZero = !isProduct
            && value.Constant is { DType: DType.F32 } constant
            && Array.TrueForAll(constant.ToDense().AsFloats().ToArray(), isNeutral);
        return [.. Enumerable.Repeat(isZero, channels.Count)];
    }
}
