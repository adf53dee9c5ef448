using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Optc.Ir;

namespace Optc.Report;

/// <summary>How the elements of a dense constant are distributed.</summary>
/// <param name="Zeros">Elements whose real value is 0.</param>
/// <param name="Distinct">Different codes, or bit patterns of floats with -0 as 0.</param>
/// <param name="DistinctPerChannel">The largest number of different codes in one channel.</param>
/// <param name="Entropy">Bits for one element; 0 without elements.</param>
/// <param name="Pattern">See <see cref="WeightEntry.Pattern"/>.</param>
internal sealed record WeightStatistics(
    long Zeros, long Distinct, int DistinctPerChannel, double Entropy, int Channels, int ZeroChannels, string? Pattern)
{
    private const int NarrowBits = 16;

    // In fewer groups a pattern says nothing.
    private const int FewestGroups = 16;

    /// <param name="data">Dense, of a type with a width of 64 bits at most.</param>
    /// <param name="axis">Axis of the output channels; without meaning for a scalar.</param>
    public static WeightStatistics Of(TensorData data, QuantParams? quant, int axis)
    {
        Shape shape = data.Shape;
        int count = checked((int)shape.ElementCount);
        Layout layout = Layout.Of(shape, axis);
        bool[] isZero = new bool[count];
        (double entropy, long distinct, int perChannel) = data.DType.BitWidth switch
        {
            <= NarrowBits => Narrow(Codes(data, count), layout, ZeroKeys(data.DType, quant, layout), data.DType.BitWidth, isZero),
            32 => Wide(Keys<uint>(data), layout, ZeroKeys(data.DType, quant, layout), isZero),
            _ => Wide(Keys<ulong>(data), layout, ZeroKeys(data.DType, quant, layout), isZero),
        };
        int zeroChannels = 0;
        for (int channel = 0; channel < layout.Channels && count > 0; channel++)
        {
            zeroChannels += IsZero(isZero, layout, channel) ? 1 : 0;
        }

        return new(
            isZero.AsSpan().Count(true), distinct, perChannel, entropy, layout.Channels, zeroChannels, PatternOf(isZero, shape));
    }

    /// <summary>Elements of up to 16 bits as unsigned codes, -0 as 0.</summary>
    internal static ushort[] Codes(TensorData data, int count)
    {
        ushort[] codes = new ushort[count];
        ReadOnlySpan<byte> bytes = data.Bytes.Span;
        int bits = data.DType.BitWidth;
        switch (bits)
        {
            case NarrowBits:
                MemoryMarshal.Cast<byte, ushort>(bytes).CopyTo(codes);
                break;
            case 8:
                for (int i = 0; i < codes.Length; i++)
                {
                    codes[i] = bytes[i];
                }

                break;
            default:
                int perByte = 8 / bits;
                for (int i = 0; i < codes.Length; i++)
                {
                    codes[i] = (ushort)((bytes[i / perByte] >> (i % perByte * bits)) & ((1 << bits) - 1));
                }

                break;
        }

        if (data.DType.IsFloat)
        {
            int negativeZero = 1 << (bits - 1);
            codes.AsSpan().Replace((ushort)negativeZero, (ushort)0);
        }

        return codes;
    }

    private static T[] Keys<T>(TensorData data)
        where T : unmanaged, IBinaryInteger<T>
    {
        T[] keys = MemoryMarshal.Cast<byte, T>(data.Bytes.Span).ToArray();
        if (data.DType.IsFloat)
        {
            T negativeZero = T.One << ((Unsafe.SizeOf<T>() * 8) - 1);
            keys.AsSpan().Replace(negativeZero, T.Zero);
        }

        return keys;
    }

    /// <summary>The code of real zero in each channel.</summary>
    private static ulong[] ZeroKeys(DType type, QuantParams? quant, Layout layout)
    {
        ulong[] keys = new ulong[layout.Channels];
        ulong mask = type.BitWidth == 64 ? ulong.MaxValue : (1UL << type.BitWidth) - 1;
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = quant is null || type.IsFloat ? 0 : unchecked((ulong)quant.ZeroPointAt(quant.ZeroPoints.Length == layout.Channels ? i : 0)) & mask;
        }

        return keys;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (double Entropy, long Distinct, int PerChannel) Narrow(
        ushort[] codes, Layout layout, ulong[] zeroKeys, int bits, bool[] isZero)
    {
        int[] counts = new int[1 << bits];
        int[] lastChannel = new int[1 << bits];
        int largest = 0;
        for (int channel = 0; channel < layout.Channels; channel++)
        {
            ushort zero = (ushort)zeroKeys[channel];
            int distinct = 0;
            for (int outer = 0; outer < layout.Outer; outer++)
            {
                int start = ((outer * layout.Channels) + channel) * layout.Inner;
                for (int i = start; i < start + layout.Inner; i++)
                {
                    ushort code = codes[i];
                    counts[code]++;
                    isZero[i] = code == zero;
                    if (lastChannel[code] != channel + 1)
                    {
                        lastChannel[code] = channel + 1;
                        distinct++;
                    }
                }
            }

            largest = Math.Max(largest, distinct);
        }

        double entropy = 0;
        long total = 0;
        foreach (int count in counts)
        {
            if (count > 0)
            {
                total++;
                entropy += Bits(count, codes.Length);
            }
        }

        return (entropy, total, largest);
    }

    private static (double Entropy, long Distinct, int PerChannel) Wide<T>(
        T[] keys, Layout layout, ulong[] zeroKeys, bool[] isZero)
        where T : unmanaged, IBinaryInteger<T>
    {
        int largest = 0;
        T[] channelKeys = new T[layout.Outer * layout.Inner];
        for (int channel = 0; channel < layout.Channels; channel++)
        {
            T zero = T.CreateTruncating(zeroKeys[channel]);
            for (int outer = 0; outer < layout.Outer; outer++)
            {
                int start = ((outer * layout.Channels) + channel) * layout.Inner;
                keys.AsSpan(start, layout.Inner).CopyTo(channelKeys.AsSpan(outer * layout.Inner));
                for (int i = start; i < start + layout.Inner; i++)
                {
                    isZero[i] = keys[i] == zero;
                }
            }

            largest = Math.Max(largest, (int)Runs(channelKeys).Distinct);
        }

        (double entropy, long distinct) = Runs(keys);
        return (entropy, distinct, largest);
    }

    /// <summary>Sorts the keys and sums over the runs of equal ones.</summary>
    private static (double Entropy, long Distinct) Runs<T>(T[] keys)
        where T : unmanaged, IBinaryInteger<T>
    {
        keys.AsSpan().Sort();
        double entropy = 0;
        long distinct = 0;
        int start = 0;
        for (int i = 1; i <= keys.Length; i++)
        {
            if (i == keys.Length || keys[i] != keys[start])
            {
                entropy += Bits(i - start, keys.Length);
                distinct++;
                start = i;
            }
        }

        return (entropy, distinct);
    }

    private static double Bits(int count, int total)
    {
        double share = (double)count / total;
        return count == total ? 0 : -share * Math.Log2(share);
    }

    private static bool IsZero(bool[] isZero, Layout layout, int channel)
    {
        for (int outer = 0; outer < layout.Outer; outer++)
        {
            if (isZero.AsSpan(((outer * layout.Channels) + channel) * layout.Inner, layout.Inner).Contains(false))
            {
                return false;
            }
        }

        return true;
    }

    private static string? PatternOf(bool[] isZero, Shape shape)
    {
        int row = shape.Rank == 0 ? 0 : shape[-1];
        (int Kept, int Group)? best = null;
        foreach (int group in (ReadOnlySpan<int>)[2, 4, 8, 16])
        {
            if (row == 0 || row % group != 0 || isZero.Length / group < FewestGroups)
            {
                break;
            }

            int[] groups = new int[group + 1];
            int kept = 0;
            for (int start = 0; start < isZero.Length && kept <= group / 2; start += group)
            {
                int count = isZero.AsSpan(start, group).Count(false);
                groups[count]++;
                kept = Math.Max(kept, count);
            }

            bool isTight = kept > 0 && kept <= group / 2 && 2 * groups[kept] >= (isZero.Length / group) - groups[0];
            if (isTight && (best is not { } sofar || kept * sofar.Group < sofar.Kept * group))
            {
                best = (kept, group);
            }
        }

        return best is { } pattern ? string.Create(CultureInfo.InvariantCulture, $"{pattern.Kept}:{pattern.Group}") : null;
    }

    /// <summary>Dense elements as [outer, channel, inner].</summary>
    private readonly record struct Layout(int Outer, int Channels, int Inner)
    {
        public static Layout Of(Shape shape, int axis)
        {
            if (shape.Rank == 0)
            {
                return new(1, 1, 1);
            }

            int outer = 1;
            int inner = 1;
            for (int i = 0; i < shape.Rank; i++)
            {
                outer *= i < axis ? shape[i] : 1;
                inner *= i > axis ? shape[i] : 1;
            }

            return new(outer, shape[axis], inner);
        }
    }
}
