using System.Buffers.Binary;

namespace Optc.Tests.Fuzzing;

/// <summary>Damages files; the same seed gives the same damage.</summary>
public static class Mutation
{
    private static readonly uint[] Absurd =
        [uint.MaxValue, int.MaxValue, 1u << 31, 1u << 30, 1u << 24, 65536, 0, 1, uint.MaxValue - 3, 0x40000001, 0x15555556];

    /// <param name="kind">What is done.</param>
    /// <param name="file">A sound file of at least 8 bytes.</param>
    /// <param name="other">Where <see cref="MutationKind.ForeignBlock"/> takes from.</param>
    public static byte[] Apply(MutationKind kind, ReadOnlySpan<byte> file, ReadOnlySpan<byte> other, int seed)
    {
        Random random = new(seed);
        byte[] damaged = file.ToArray();
        switch (kind)
        {
            case MutationKind.BitFlips:
                for (int i = random.Next(1, 3); i > 0; i--)
                {
                    damaged[PlaceOf(damaged, random)] ^= (byte)(1 << random.Next(8));
                }

                break;
            case MutationKind.Truncation:
                return damaged[..random.Next(damaged.Length)];
            case MutationKind.SplicedOffsets:
                for (int i = random.Next(1, 3); i > 0; i--)
                {
                    Span<byte> word = Word(damaged, random);
                    uint value = random.Next(3) switch
                    {
                        0 => (uint)random.Next(damaged.Length),
                        1 => (uint)-random.Next(damaged.Length),
                        _ => BinaryPrimitives.ReadUInt32LittleEndian(Word(damaged, random)),
                    };
                    BinaryPrimitives.WriteUInt32LittleEndian(word, value);
                }

                break;
            case MutationKind.AbsurdLengths:
                for (int i = random.Next(1, 3); i > 0; i--)
                {
                    Span<byte> word = Word(damaged, random);
                    uint value = random.Next(4) == 0 ? BinaryPrimitives.ReadUInt32LittleEndian(word) + 1 : Absurd[random.Next(Absurd.Length)];
                    BinaryPrimitives.WriteUInt32LittleEndian(word, value);
                }

                break;
            default:
                ReadOnlySpan<byte> source = random.Next(2) == 0 ? other : file;
                int length = Math.Min(4 * random.Next(1, 64), Math.Min(source.Length, damaged.Length) / 2);
                int from = random.Next((source.Length - length) / 4) * 4;
                source.Slice(from, length).CopyTo(damaged.AsSpan(random.Next((damaged.Length - length) / 4) * 4));
                break;
        }

        return damaged;
    }

    /// <summary>
    /// A word that may be an offset, a length or a dimension: an aligned one that is neither zero nor larger than the file.
    /// Most of a model is weights; blind damage would hardly ever meet its structure.
    /// </summary>
    private static int WordPlace(byte[] file, Random random)
    {
        int place = 0;
        for (int attempt = 0; attempt < 64; attempt++)
        {
            place = random.Next(file.Length / 4) * 4;
            uint value = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(place));
            if (value != 0 && value < file.Length)
            {
                break;
            }
        }

        return place;
    }

    private static Span<byte> Word(byte[] file, Random random) => file.AsSpan(WordPlace(file, random), 4);

    private static int PlaceOf(byte[] file, Random random)
    {
        if (random.Next(4) == 0)
        {
            return random.Next(file.Length);
        }

        return WordPlace(file, random) + random.Next(4);
    }
}
