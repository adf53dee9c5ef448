using System.Buffers.Binary;

namespace Optc.Formats.EthosU;

/// <summary>Writes bit fields, least significant bit first, into a buffer that grows.</summary>
internal sealed class BitWriter
{
    /// <summary>Longest field of one call: a full accumulator of 64 bits less the seven that may still wait in it.</summary>
    public const int LongestField = 56;

    private byte[] _bytes;
    private int _length;
    private ulong _pending;
    private int _pendingBits;

    public BitWriter(int capacity = 256) => _bytes = new byte[Math.Max(capacity, sizeof(ulong))];

    /// <summary>Bits written so far.</summary>
    public long Position => (8L * _length) + _pendingBits;

    /// <summary>Appends the low <paramref name="bits"/> bits; those above have to be zero.</summary>
    /// <param name="bits">0 to <see cref="LongestField"/>.</param>
    public void Write(ulong value, int bits)
    {
        _pending |= value << _pendingBits;
        int filled = _pendingBits + bits;
        if (_length > _bytes.Length - sizeof(ulong))
        {
            Array.Resize(ref _bytes, 2 * _bytes.Length);
        }

        // All eight bytes are stored, but only the full ones are kept: the rest is stored again with what follows.
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(_length), _pending);
        _length += filled >> 3;
        _pending >>= filled & ~7;
        _pendingBits = filled & 7;
    }

    /// <summary>Fills up to a multiple of <paramref name="alignment"/> bytes with ones and returns all bytes.</summary>
    public byte[] FinishWithOnes(int alignment)
    {
        int open = (8 - _pendingBits) & 7;
        Write((1UL << open) - 1, open);
        byte[] result = new byte[(_length + alignment - 1) / alignment * alignment];
        _bytes.AsSpan(0, _length).CopyTo(result);
        result.AsSpan(_length).Fill(byte.MaxValue);
        return result;
    }
}
