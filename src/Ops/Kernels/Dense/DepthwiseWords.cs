using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>Puts neighbouring taps of a channel side by side, in 32-bit words, for the integer depthwise tiles.</summary>
internal static unsafe class DepthwiseWords
{
    /// <summary>Four taps to a word, each with 128 added: unsigned bytes. Needs SSE2.</summary>
    /// <param name="from">First tap of the first word.</param>
    /// <param name="tap">Elements from a tap to the next.</param>
    /// <param name="to">Words, one for each element from <paramref name="from"/> on.</param>
    /// <param name="count">Words to write.</param>
    public static void Quads(sbyte* from, nint tap, int* to, int count)
    {
        int c = 0;
        if (Avx512Vbmi.IsSupported)
        {
            Vector512<byte> flip = Vector512.Create((byte)0x80);
            Vector512<byte> order = Transpose16x4;
            for (; c <= count - 16; c += 16)
            {
                sbyte* p = from + c;
                Vector256<sbyte> low = Vector256.Create(Vector128.Load(p), Vector128.Load(p + tap));
                Vector256<sbyte> high = Vector256.Create(Vector128.Load(p + (2 * tap)), Vector128.Load(p + (3 * tap)));
                Vector512<byte> taps = Vector512.Create(low, high).AsByte();
                (Avx512Vbmi.PermuteVar64x8(taps, order) ^ flip).Store((byte*)(to + c));
            }
        }

        Vector128<byte> flip128 = Vector128.Create((byte)0x80);
        for (; c <= count - 8; c += 8)
        {
            sbyte* p = from + c;
            Vector128<byte> first = Sse2.UnpackLow(Eight(p), Eight(p + tap)) ^ flip128;
            Vector128<byte> second = Sse2.UnpackLow(Eight(p + (2 * tap)), Eight(p + (3 * tap))) ^ flip128;
            Sse2.UnpackLow(first.AsInt16(), second.AsInt16()).Store((short*)(to + c));
            Sse2.UnpackHigh(first.AsInt16(), second.AsInt16()).Store((short*)(to + c + 4));
        }

        for (; c < count; c++)
        {
            sbyte* p = from + c;
            int word = (byte)p[0] | ((byte)p[tap] << 8) | ((byte)p[2 * tap] << 16) | ((byte)p[3 * tap] << 24);
            to[c] = word ^ unchecked((int)0x8080_8080);
        }
    }

    /// <summary>Two taps to a word, widened to 16 bits.</summary>
    /// <inheritdoc cref="Quads"/>
    public static void Pairs(sbyte* from, nint tap, int* to, int count)
    {
        sbyte* t0 = from;
        sbyte* t1 = from + tap;
        int c = 0;
        if (Avx512F.IsSupported)
        {
            for (; c <= count - 16; c += 16)
            {
                Vector512<int> even = Avx512F.ConvertToVector512Int32(Vector128.Load(t0 + c));
                Vector512<int> odd = Avx512F.ConvertToVector512Int32(Vector128.Load(t1 + c));
                ((even & Vector512.Create(0xFFFF)) | (odd << 16)).Store(to + c);
            }
        }

        if (Avx2.IsSupported)
        {
            for (; c <= count - 8; c += 8)
            {
                Vector256<int> even = Avx2.ConvertToVector256Int32(t0 + c);
                Vector256<int> odd = Avx2.ConvertToVector256Int32(t1 + c);
                ((even & Vector256.Create(0xFFFF)) | (odd << 16)).Store(to + c);
            }
        }

        for (; c < count; c++)
        {
            to[c] = (t0[c] & 0xFFFF) + (t1[c] << 16);
        }
    }

    /// <summary>Two 16-bit taps to a word.</summary>
    /// <inheritdoc cref="Quads"/>
    public static void Pairs(short* from, nint tap, int* to, int count)
    {
        short* second = from + tap;
        int c = 0;
        if (Avx2.IsSupported)
        {
            for (; c <= count - 8; c += 8)
            {
                Vector256<int> even = Avx2.ConvertToVector256Int32(from + c);
                Vector256<int> odd = Avx2.ConvertToVector256Int32(second + c);
                ((even & Vector256.Create(0xFFFF)) | (odd << 16)).Store(to + c);
            }
        }

        for (; c < count; c++)
        {
            to[c] = (from[c] & 0xFFFF) + (second[c] << 16);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Eight(sbyte* from) => Vector128.CreateScalarUnsafe(*(long*)from).AsByte();

    /// <summary>Byte i of four rows of sixteen bytes becomes byte <c>4 * i + row</c>.</summary>
    private static Vector512<byte> Transpose16x4 { get; } = Vector512.Create<byte>(
        [.. Enumerable.Range(0, 64).Select(i => (byte)((i % 4 * 16) + (i / 4)))]);
}
