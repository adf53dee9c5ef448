using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>Puts neighbouring taps of a channel side by side, in 32-bit words, for the integer depthwise tiles.</summary>
internal static unsafe class DepthwiseWords
{
    /// <summary>Four taps to a word, each with 128 added: unsigned bytes. Needs SSE2.</summary>
    /// <param name="channels">Channels to write; words behind them are left alone.</param>
    public static void Quads(sbyte* t0, sbyte* t1, sbyte* t2, sbyte* t3, int* to, int channels)
    {
        int c = 0;
        Vector128<byte> flip = Vector128.Create((byte)0x80);
        for (; c <= channels - 16; c += 16)
        {
            Vector128<byte> a = Vector128.Load((byte*)t0 + c) ^ flip;
            Vector128<byte> b = Vector128.Load((byte*)t1 + c) ^ flip;
            Vector128<byte> d = Vector128.Load((byte*)t2 + c) ^ flip;
            Vector128<byte> e = Vector128.Load((byte*)t3 + c) ^ flip;
            Interleave(Sse2.UnpackLow(a, b), Sse2.UnpackLow(d, e), to + c);
            Interleave(Sse2.UnpackHigh(a, b), Sse2.UnpackHigh(d, e), to + c + 8);
        }

        for (; c <= channels - 8; c += 8)
        {
            Vector128<byte> ab = Sse2.UnpackLow(Eight(t0 + c), Eight(t1 + c)) ^ flip;
            Vector128<byte> de = Sse2.UnpackLow(Eight(t2 + c), Eight(t3 + c)) ^ flip;
            Interleave(ab, de, to + c);
        }

        for (; c < channels; c++)
        {
            int word = (byte)t0[c] | ((byte)t1[c] << 8) | ((byte)t2[c] << 16) | ((byte)t3[c] << 24);
            to[c] = word ^ unchecked((int)0x8080_8080);
        }
    }

    /// <summary>Two taps to a word, widened to 16 bits.</summary>
    /// <inheritdoc cref="Quads"/>
    public static void Pairs(sbyte* t0, sbyte* t1, int* to, int channels)
    {
        int c = 0;
        if (Avx512F.IsSupported)
        {
            for (; c <= channels - 16; c += 16)
            {
                Vector512<int> even = Avx512F.ConvertToVector512Int32(Vector128.Load(t0 + c));
                Vector512<int> odd = Avx512F.ConvertToVector512Int32(Vector128.Load(t1 + c));
                ((even & Vector512.Create(0xFFFF)) | (odd << 16)).Store(to + c);
            }
        }

        if (Avx2.IsSupported)
        {
            for (; c <= channels - 8; c += 8)
            {
                Vector256<int> even = Avx2.ConvertToVector256Int32(t0 + c);
                Vector256<int> odd = Avx2.ConvertToVector256Int32(t1 + c);
                ((even & Vector256.Create(0xFFFF)) | (odd << 16)).Store(to + c);
            }
        }

        for (; c < channels; c++)
        {
            to[c] = (t0[c] & 0xFFFF) + (t1[c] << 16);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Eight(sbyte* from) => Vector128.CreateScalarUnsafe(*(long*)from).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Interleave(Vector128<byte> first, Vector128<byte> second, int* to)
    {
        Sse2.UnpackLow(first.AsInt16(), second.AsInt16()).Store((short*)to);
        Sse2.UnpackHigh(first.AsInt16(), second.AsInt16()).Store((short*)(to + 4));
    }
}
