using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary>From real numbers to raw integers and back, for a row of elements with one scale and zero point.</summary>
/// <remarks>
/// Source: <c>AffineQuantize</c>, <c>Requantize</c> and <c>Dequantize</c> of TFLite's reference kernels. Where the
/// conversion to an integer is undefined there, a value is saturated and NaN becomes the zero point.
/// </remarks>
internal static class AffineRows
{
    private const float AlmostHalf = 0.49999997f;

    /// <summary><c>q = clamp(round(f32(x / scale)) + zero)</c>, halves away from zero.</summary>
    /// <param name="scale">Positive; divided by, never multiplied by its inverse.</param>
    /// <param name="zeroPoint">Within <paramref name="range"/>.</param>
    /// <param name="range">Range of the result's type; at most 16 bits.</param>
    /// <param name="q">As many as <paramref name="x"/>; no overlap.</param>
    public static void Quantize<T>(ReadOnlySpan<float> x, float scale, int zeroPoint, ActivationRange range, Span<T> q)
        where T : unmanaged, IBinaryInteger<T>
    {
        q = q[..x.Length];
        if (!Avx2.IsSupported || x.Length < IntegerLanes.Count)
        {
            for (int i = 0; i < x.Length; i++)
            {
                q[i] = T.CreateTruncating(Quantize(x[i], scale, zeroPoint, range));
            }

            return;
        }

        ref float source = ref MemoryMarshal.GetReference(x);
        ref T target = ref MemoryMarshal.GetReference(q);
        Vector256<float> step = Vector256.Create(scale);
        Vector256<float> low = Vector256.Create((float)(range.Low - zeroPoint));
        Vector256<float> high = Vector256.Create((float)(range.High - zeroPoint));
        nuint last = (nuint)(x.Length - IntegerLanes.Count);
        for (nuint i = 0; ; i = nuint.Min(i + IntegerLanes.Count, last))
        {
            Vector256<float> steps = Vector256.LoadUnsafe(ref source, i) / step;
            steps &= Vector256.Equals(steps, steps);
            Vector256<float> limited = Avx.Min(Avx.Max(steps, low), high);

            // The largest number below one half, added with the sign, makes truncation round halves away from zero.
            Vector256<float> half = (limited & Vector256.Create(-0f)) | Vector256.Create(AlmostHalf);
            Vector256<int> rounded = Avx.ConvertToVector256Int32WithTruncation(limited + half);
            IntegerLanes.Store(rounded + Vector256.Create(zeroPoint), ref target, i);
            if (i == last)
            {
                return;
            }
        }
    }

    /// <summary>One element of <see cref="Quantize{T}"/>.</summary>
    /// <remarks>The limits are integers, so that rounding does not change their order and they may apply first.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Quantize(float x, float scale, int zeroPoint, ActivationRange range)
    {
        float steps = x / scale;
        float limited = MathF.Min(MathF.Max(float.IsNaN(steps) ? 0 : steps, range.Low - zeroPoint), range.High - zeroPoint);
        return (int)MathF.Round(limited, MidpointRounding.AwayFromZero) + zeroPoint;
    }

    /// <summary><c>x = scale * (q - zero)</c>.</summary>
    /// <param name="zeroPoint">Within the range of <typeparamref name="T"/>.</param>
    /// <remarks>
    /// The reference multiplies in double and rounds once; with a difference of at most 17 bits, the float product is
    /// the same number.
    /// </remarks>
    public static void Dequantize<T>(ReadOnlySpan<T> q, float scale, int zeroPoint, Span<float> x)
        where T : unmanaged, IBinaryInteger<T>
    {
        x = x[..q.Length];
        if (!Avx2.IsSupported || q.Length < IntegerLanes.Count)
        {
            for (int i = 0; i < q.Length; i++)
            {
                x[i] = (int.CreateTruncating(q[i]) - zeroPoint) * scale;
            }

            return;
        }

        ref T source = ref MemoryMarshal.GetReference(q);
        ref float target = ref MemoryMarshal.GetReference(x);
        Vector256<float> step = Vector256.Create(scale);
        Vector256<int> zero = Vector256.Create(zeroPoint);
        nuint last = (nuint)(q.Length - IntegerLanes.Count);
        for (nuint i = 0; ; i = nuint.Min(i + IntegerLanes.Count, last))
        {
            (Avx.ConvertToVector256Single(IntegerLanes.Load(ref source, i) - zero) * step).StoreUnsafe(ref target, i);
            if (i == last)
            {
                return;
            }
        }
    }

    /// <summary>From one quantization to another.</summary>
    /// <param name="q">Raw values of the first.</param>
    /// <param name="zeroPoint">Zero point of the first.</param>
    /// <param name="result">From its scale to that of the second.</param>
    /// <param name="y">As many raw values of the second; no overlap.</param>
    public static void Requantize<TFrom, TTo>(ReadOnlySpan<TFrom> q, int zeroPoint, QuantizedResult result, Span<TTo> y)
        where TFrom : unmanaged, IBinaryInteger<TFrom>
        where TTo : unmanaged, IBinaryInteger<TTo>
    {
        y = y[..q.Length];
        if (!Avx2.IsSupported || q.Length < IntegerLanes.Count)
        {
            for (int i = 0; i < q.Length; i++)
            {
                y[i] = TTo.CreateTruncating(result.Of(unchecked(int.CreateTruncating(q[i]) - zeroPoint)));
            }

            return;
        }

        ref TFrom source = ref MemoryMarshal.GetReference(q);
        ref TTo target = ref MemoryMarshal.GetReference(y);
        Vector256<int> zero = Vector256.Create(zeroPoint);
        nuint last = (nuint)(q.Length - IntegerLanes.Count);
        for (nuint i = 0; ; i = nuint.Min(i + IntegerLanes.Count, last))
        {
            IntegerLanes.Store(result.Of(IntegerLanes.Load(ref source, i) - zero), ref target, i);
            if (i == last)
            {
                return;
            }
        }
    }
}
