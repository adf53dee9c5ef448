using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels;

/// <summary>The arithmetic of some neighbouring channels, in one vector.</summary>
internal unsafe interface IDepthwiseLanes<T, TVector>
    where T : unmanaged
    where TVector : struct
{
    static abstract int Count { get; }

    static abstract TVector Load(T* from);

    static abstract TVector Broadcast(T value);

    /// <summary>The sum before the first product.</summary>
    static abstract TVector Start(TVector bias);

    static abstract TVector MultiplyAdd(TVector x, TVector weight, TVector sum);

    static abstract TVector Finish(TVector sum, TVector bias, TVector low, TVector high);

    static abstract void Store(T* to, TVector value);
}

/// <summary>16 float channels; products fused, bias last.</summary>
internal readonly unsafe struct FloatLanes512 : IDepthwiseLanes<float, Vector512<float>>
{
    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* from) => Avx512F.LoadVector512(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Start(Vector512<float> bias) => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> x, Vector512<float> weight, Vector512<float> sum) =>
        Avx512F.FusedMultiplyAdd(x, weight, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Finish(
        Vector512<float> sum, Vector512<float> bias, Vector512<float> low, Vector512<float> high) =>
        Avx512F.Min(high, Avx512F.Max(low, sum + bias));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* to, Vector512<float> value) => Avx512F.Store(to, value);
}

/// <summary>8 float channels.</summary>
internal readonly unsafe struct FloatLanes256 : IDepthwiseLanes<float, Vector256<float>>
{
    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* from) => Avx.LoadVector256(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Start(Vector256<float> bias) => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> x, Vector256<float> weight, Vector256<float> sum) =>
        Fma.MultiplyAdd(x, weight, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Finish(
        Vector256<float> sum, Vector256<float> bias, Vector256<float> low, Vector256<float> high) =>
        Avx.Min(high, Avx.Max(low, sum + bias));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* to, Vector256<float> value) => Avx.Store(to, value);
}

/// <summary>4 float channels on any processor.</summary>
internal readonly unsafe struct FloatLanes128 : IDepthwiseLanes<float, Vector128<float>>
{
    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* from) => Vector128.Load(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Broadcast(float value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Start(Vector128<float> bias) => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> x, Vector128<float> weight, Vector128<float> sum) =>
        Vector128.FusedMultiplyAdd(x, weight, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Finish(
        Vector128<float> sum, Vector128<float> bias, Vector128<float> low, Vector128<float> high)
    {
        Vector128<float> y = sum + bias;
        y = Vector128.ConditionalSelect(Vector128.LessThan(y, low), low, y);
        return Vector128.ConditionalSelect(Vector128.GreaterThan(y, high), high, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* to, Vector128<float> value) => value.Store(to);
}

/// <summary>One float channel: the rest behind the last full vector.</summary>
internal readonly unsafe struct FloatLane : IDepthwiseLanes<float, float>
{
    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(float* from) => *from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Broadcast(float value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Start(float bias) => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MultiplyAdd(float x, float weight, float sum) => MathF.FusedMultiplyAdd(x, weight, sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Finish(float sum, float bias, float low, float high)
    {
        float y = sum + bias;
        y = y < low ? low : y;
        return y > high ? high : y;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* to, float value) => *to = value;
}
