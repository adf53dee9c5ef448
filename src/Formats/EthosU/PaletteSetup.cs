using System.Collections.Immutable;
using System.Numerics;

namespace Optc.Formats.EthosU;

/// <summary>How indices stand for weights: the palette setup of a slice, which the slices after it keep.</summary>
/// <param name="Palette">
/// Symbols that have the lowest indices, in this order: none, or 2 to <see cref="MaxPalette"/>.
/// </param>
/// <param name="DirectOffset">DIROFS, 0 to 31: symbol of the first index behind the palette.</param>
/// <param name="FieldBits">PALBITS: bits of an entry, and of an uncompressed index where there is no palette; 2 to 9.</param>
internal sealed record PaletteSetup(ImmutableArray<ushort> Palette, int DirectOffset, int FieldBits)
{
    public const int MaxPalette = 32;

    public const int MaxDirectOffset = 31;

    public const int LeastFieldBits = 2;

    public const int MostFieldBits = 9;

    public const int FixedBits = 13;

    /// <summary>Of a symbol that the setup cannot code.</summary>
    public const ushort NoIndex = ushort.MaxValue;

    /// <summary>Bits of the setup in the stream.</summary>
    public int Bits => FixedBits + (Palette.Length * FieldBits);

    /// <summary>Bits of an index that is not compressed: of a palette index where there is a palette.</summary>
    public int UncompressedBits => Palette.IsEmpty ? FieldBits : BitOperations.Log2((uint)Palette.Length - 1) + 1;

    /// <summary>Bits of the largest symbol that a field of the setup has to hold.</summary>
    public static int FieldBitsFor(int largestSymbol) => Math.Max(LeastFieldBits, BitOperations.Log2((uint)largestSymbol) + 1);

    public void Write(BitWriter writer)
    {
        int size = Palette.IsEmpty ? 0 : Palette.Length - 1;
        writer.Write((ulong)(uint)(DirectOffset | (size << 5) | ((FieldBits - LeastFieldBits) << 10)), FixedBits);
        foreach (ushort entry in Palette)
        {
            writer.Write(entry, FieldBits);
        }
    }

    /// <summary>
    /// The index of each symbol, or <see cref="NoIndex"/>. Zero is looked up under symbol 0; directly it is coded as minus zero.
    /// </summary>
    public void FillIndices(Span<ushort> indices)
    {
        for (int symbol = 0; symbol < WeightSymbol.Count; symbol++)
        {
            int index = symbol + Palette.Length - DirectOffset;
            indices[symbol] = symbol < DirectOffset || index >= WeightSymbol.Count ? NoIndex : (ushort)index;
        }

        indices[0] = indices[WeightSymbol.MinusZero];
        for (int i = Palette.Length - 1; i >= 0; i--)
        {
            indices[Palette[i]] = (ushort)i;
        }
    }
}
