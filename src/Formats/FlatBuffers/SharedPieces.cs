using System.Runtime.InteropServices;

namespace Optc.Formats.FlatBuffers;

/// <summary>What has been written already, found again by content.</summary>
/// <remarks>
/// Contents are hashed and compared where they lie; nothing is copied, so that constants of any size may be looked up. The hash
/// differs from run to run, which only a lookup sees.
/// </remarks>
internal sealed class SharedPieces
{
    private const int Samples = 32;
    private const int SampleLength = 64;

    private readonly Dictionary<int, List<Piece>> _byHash = [];

    /// <param name="kind">Contents of different kinds are never equal.</param>
    /// <param name="bytes">The content.</param>
    /// <param name="fits">Whether a piece of this content can be used, by where it stands.</param>
    public FlatOffset? Find(long kind, ReadOnlySpan<byte> bytes, Func<FlatOffset, bool>? fits = null)
    {
        if (_byHash.TryGetValue(Hash(kind, bytes), out List<Piece>? candidates))
        {
            foreach (Piece piece in candidates)
            {
                if (piece.Kind == kind && piece.Content.Span.SequenceEqual(bytes) && (fits is null || fits(piece.Place)))
                {
                    return piece.Place;
                }
            }
        }

        return null;
    }

    /// <param name="content">Must not change as long as pieces are looked up.</param>
    public void Add(long kind, ReadOnlyMemory<byte> content, FlatOffset place)
    {
        ref List<Piece>? pieces = ref CollectionsMarshal.GetValueRefOrAddDefault(_byHash, Hash(kind, content.Span), out _);
        (pieces ??= []).Add(new(kind, content, place));
    }

    private static int Hash(long kind, ReadOnlySpan<byte> bytes)
    {
        HashCode hash = default;
        hash.Add(kind);
        hash.Add(bytes.Length);
        if (bytes.Length <= Samples * SampleLength)
        {
            hash.AddBytes(bytes);
            return hash.ToHashCode();
        }

        // Whatever is equal has equal samples; what is not is told apart by comparison.
        for (int i = 0; i < Samples; i++)
        {
            hash.AddBytes(bytes.Slice((int)((long)(bytes.Length - SampleLength) * i / (Samples - 1)), SampleLength));
        }

        return hash.ToHashCode();
    }

    private readonly record struct Piece(long Kind, ReadOnlyMemory<byte> Content, FlatOffset Place);
}
