using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Optc.Ops.Kernels.Elementwise;

/// <summary><see cref="FixedPoint.Scale"/> on eight lanes with one factor, bit for bit. Needs AVX2.</summary>
internal readonly struct FixedPointLanes
{
    private readonly int _mantissa;
    private readonly int _left;
    private readonly int _right;
    private readonly bool _isHalf;

    /// <param name="factor">Not negative.</param>
    public FixedPointLanes(FixedPoint factor)
    {
        // Beyond a shift of 31 bits the scalar form gives 0 in both directions.
        _mantissa = factor.Exponent is >= -31 and <= 31 ? factor.Mantissa : 0;
        _left = Math.Clamp(factor.Exponent, 0, 31);
        _right = Math.Clamp(-factor.Exponent, 0, 31);
        _isHalf = factor is { Mantissa: 1 << 30, Exponent: 0 };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<int> Scale(Vector256<int> values)
    {
        if (_isHalf)
        {
            return (values >> 1) + (values & Vector256<int>.One);
        }

        Vector256<int> x = values << _left;
        Vector256<int> mantissa = Vector256.Create(_mantissa);
        Vector256<long> rounding = Vector256.Create(1L << 30);
        Vector256<long> even = Avx2.Multiply(x, mantissa) + rounding;
        Vector256<long> odd = Avx2.Multiply((x.AsUInt64() >>> 32).AsInt32(), mantissa) + rounding;
        Vector256<int> high = Avx2.Blend((even >>> 31).AsInt32(), (odd << 1).AsInt32(), 0b1010_1010);
        if (_right == 0)
        {
            return high;
        }

        Vector256<int> mask = Vector256.Create((int)((1u << _right) - 1));
        Vector256<int> threshold = (mask >>> 1) - (high >> 31);
        Vector256<int> roundsUp = Avx2.CompareGreaterThan(high & mask, threshold);
        return (high >> _right) - roundsUp;
    }
}
