using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary>Moves eight integers between memory of 8, 16 or 32 bits and the lanes of a vector. Needs AVX2.</summary>
internal static class IntegerLanes
{
    public const int Count = 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load<T>(ref T source, nuint index)
        where T : unmanaged
    {
        ref T first = ref Unsafe.Add(ref source, index);
        if (typeof(T) == typeof(sbyte))
        {
            return Avx2.ConvertToVector256Int32(EightBytes(ref first).AsSByte());
        }

        if (typeof(T) == typeof(byte))
        {
            return Avx2.ConvertToVector256Int32(EightBytes(ref first).AsByte());
        }

        if (typeof(T) == typeof(short))
        {
            return Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(ref Unsafe.As<T, short>(ref first)));
        }

        return typeof(T) == typeof(int)
            ? Vector256.LoadUnsafe(ref Unsafe.As<T, int>(ref first))
            : throw new NotSupportedException($"There are no lanes of {typeof(T).Name}.");
    }

    /// <param name="values">Within the range of <typeparamref name="T"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(Vector256<int> values, ref T target, nuint index)
        where T : unmanaged
    {
        ref T first = ref Unsafe.Add(ref target, index);
        if (typeof(T) == typeof(int))
        {
            values.StoreUnsafe(ref Unsafe.As<T, int>(ref first));
            return;
        }

        Vector128<short> words = Sse2.PackSignedSaturate(values.GetLower(), values.GetUpper());
        if (typeof(T) == typeof(short))
        {
            words.StoreUnsafe(ref Unsafe.As<T, short>(ref first));
        }
        else if (typeof(T) == typeof(sbyte))
        {
            Sse2.PackSignedSaturate(words, words).GetLower().StoreUnsafe(ref Unsafe.As<T, sbyte>(ref first));
        }
        else if (typeof(T) == typeof(byte))
        {
            Sse2.PackUnsignedSaturate(words, words).GetLower().StoreUnsafe(ref Unsafe.As<T, byte>(ref first));
        }
        else
        {
            throw new NotSupportedException($"There are no lanes of {typeof(T).Name}.");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<long> EightBytes<T>(ref T first)
        where T : unmanaged => Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<long>(ref Unsafe.As<T, byte>(ref first)));
}
