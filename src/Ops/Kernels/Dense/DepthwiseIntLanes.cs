using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>16 channels, each a word of two 16-bit taps.</summary>
internal readonly unsafe struct PairLanes512 : IDepthwiseLanes<int, Vector512<int>>
{
    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Load(int* from) => Avx512F.LoadVector512(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Broadcast(int value) => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Start(Vector512<int> bias) => bias;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> MultiplyAdd(Vector512<int> x, Vector512<int> weight, Vector512<int> sum) =>
        sum + Avx512BW.MultiplyAddAdjacent(x.AsInt16(), weight.AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Finish(
        Vector512<int> sum, Vector512<int> bias, Vector512<int> low, Vector512<int> high) => sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(int* to, Vector512<int> value) => Avx512F.Store(to, value);
}

/// <summary>8 channels, each a word of two 16-bit taps.</summary>
internal readonly unsafe struct PairLanes256 : IDepthwiseLanes<int, Vector256<int>>
{
    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(int* from) => Avx.LoadVector256(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Broadcast(int value) => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Start(Vector256<int> bias) => bias;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAdd(Vector256<int> x, Vector256<int> weight, Vector256<int> sum) =>
        sum + Avx2.MultiplyAddAdjacent(x.AsInt16(), weight.AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Finish(
        Vector256<int> sum, Vector256<int> bias, Vector256<int> low, Vector256<int> high) => sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(int* to, Vector256<int> value) => Avx.Store(to, value);
}

/// <summary>4 channels, each a word of two 16-bit taps, on any processor.</summary>
internal readonly unsafe struct PairLanes128 : IDepthwiseLanes<int, Vector128<int>>
{
    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Load(int* from) => Vector128.Load(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Broadcast(int value) => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Start(Vector128<int> bias) => bias;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> MultiplyAdd(Vector128<int> x, Vector128<int> weight, Vector128<int> sum) =>
        sum + (((x << 16) >> 16) * ((weight << 16) >> 16)) + ((x >> 16) * (weight >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Finish(
        Vector128<int> sum, Vector128<int> bias, Vector128<int> low, Vector128<int> high) => sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(int* to, Vector128<int> value) => value.Store(to);
}

/// <summary>8 channels, each a word of four unsigned taps and four signed weights.</summary>
internal readonly unsafe struct QuadLanes256 : IDepthwiseLanes<int, Vector256<int>>
{
    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(int* from) => Avx.LoadVector256(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Broadcast(int value) => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Start(Vector256<int> bias) => bias;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAdd(Vector256<int> x, Vector256<int> weight, Vector256<int> sum) =>
        AvxVnni.MultiplyWideningAndAdd(sum, x.AsByte(), weight.AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Finish(
        Vector256<int> sum, Vector256<int> bias, Vector256<int> low, Vector256<int> high) => sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(int* to, Vector256<int> value) => Avx.Store(to, value);
}
