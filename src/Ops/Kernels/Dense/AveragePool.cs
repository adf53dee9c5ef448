using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels;

/// <summary>Mean over a window; positions outside the image do not take part and are not counted.</summary>
/// <remarks>Source: <c>reference/pooling.h</c>, <c>reference/integer_ops/pooling.h</c> of TFLite.</remarks>
public static class AveragePool
{
    /// <summary>Some output rows of floats: the sum in row order, divided by the number of taps.</summary>
    /// <inheritdoc cref="MaxPool.Run{T}"/>
    /// <param name="low">Lower limit of the activation.</param>
    /// <remarks>A window without taps gives zero, limited.</remarks>
    public static void Run(
        Pool2DGeometry geometry, int firstRow, int rows, ReadOnlySpan<float> x, Span<float> y, float low, float high) =>
        PoolRows.Run(geometry, firstRow, rows, x, y, new FloatFold(low, high));

    /// <summary>
    /// Some output rows of int8: the mean of the raw values, halves away from zero (the reference leaves the zero point in).
    /// </summary>
    /// <inheritdoc cref="Run(Pool2DGeometry, int, int, ReadOnlySpan{float}, Span{float}, float, float)"/>
    public static void Run(
        Pool2DGeometry geometry, int firstRow, int rows, ReadOnlySpan<sbyte> x, Span<sbyte> y, ActivationRange range) =>
        PoolRows.Run(geometry, firstRow, rows, x, y, new IntFold<sbyte>(range));

    /// <summary>Some output rows of int16, computed as int8.</summary>
    /// <inheritdoc cref="Run(Pool2DGeometry, int, int, ReadOnlySpan{float}, Span{float}, float, float)"/>
    public static void Run(
        Pool2DGeometry geometry, int firstRow, int rows, ReadOnlySpan<short> x, Span<short> y, ActivationRange range) =>
        PoolRows.Run(geometry, firstRow, rows, x, y, new IntFold<short>(range));

    private readonly unsafe struct FloatFold(float low, float high) : IPoolFold<float>
    {
        public void Fold(float* x, int rows, nint rowStride, int columns, nint columnStride, float* y, int channels)
        {
            float taps = Math.Max(1, rows * columns);
            int c = 0;
            if (channels >= Vector<float>.Count)
            {
                Vector<float> lows = new(low);
                Vector<float> highs = new(high);
                for (; c < channels; c += Vector<float>.Count)
                {
                    c = Math.Min(c, channels - Vector<float>.Count);
                    Vector<float> sum = Vector<float>.Zero;
                    for (int row = 0; row < rows; row++)
                    {
                        float* p = x + (row * rowStride) + c;
                        for (int column = 0; column < columns; column++)
                        {
                            sum += Vector.Load(p);
                            p += columnStride;
                        }
                    }

                    Vector<float> mean = sum / new Vector<float>(taps);
                    mean = Vector.ConditionalSelect(Vector.LessThan(mean, lows), lows, mean);
                    Vector.ConditionalSelect(Vector.GreaterThan(mean, highs), highs, mean).Store(y + c);
                }

                return;
            }

            for (; c < channels; c++)
            {
                float sum = 0;
                for (int row = 0; row < rows; row++)
                {
                    float* p = x + (row * rowStride) + c;
                    for (int column = 0; column < columns; column++)
                    {
                        sum += *p;
                        p += columnStride;
                    }
                }

                float mean = sum / taps;
                mean = mean < low ? low : mean;
                y[c] = mean > high ? high : mean;
            }
        }
    }

    private readonly unsafe struct IntFold<T>(ActivationRange range) : IPoolFold<T>
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        /// <summary>
        /// Up to here the quotient of two integers, rounded to float32, does not reach the next integer: a quotient with
        /// a fraction stays at least <c>1 / taps</c> below it, and the rounding moves it by less.
        /// </summary>
        private const long ExactInFloat = 1 << 24;

        public void Fold(T* x, int rows, nint rowStride, int columns, nint columnStride, T* y, int channels)
        {
            int taps = Math.Max(1, rows * columns);
            long largest = (((long)int.CreateTruncating(T.MaxValue) + 1) * taps) + (taps / 2);
            int c = 0;
            if (largest < ExactInFloat)
            {
                Vector256<int> half = Vector256.Create(taps / 2);
                Vector256<float> count = Vector256.Create((float)taps);
                Vector256<int> low = Vector256.Create(range.Low);
                Vector256<int> high = Vector256.Create(range.High);
                for (; c <= channels - Vector256<int>.Count; c += Vector256<int>.Count)
                {
                    Vector256<int> sum = Vector256<int>.Zero;
                    for (int row = 0; row < rows; row++)
                    {
                        T* p = x + (row * rowStride) + c;
                        for (int column = 0; column < columns; column++)
                        {
                            sum += Load(p);
                            p += columnStride;
                        }
                    }

                    Vector256<int> isPositive = Vector256.GreaterThan(sum, Vector256<int>.Zero);
                    sum = Vector256.ConditionalSelect(isPositive, sum + half, sum - half);
                    Vector256<int> mean = Vector256.ConvertToInt32(Vector256.ConvertToSingle(sum) / count);
                    Store(y + c, Vector256.Min(Vector256.Max(mean, low), high));
                }
            }

            for (; c < channels; c++)
            {
                long sum = 0;
                for (int row = 0; row < rows; row++)
                {
                    T* p = x + (row * rowStride) + c;
                    for (int column = 0; column < columns; column++)
                    {
                        sum += int.CreateTruncating(*p);
                        p += columnStride;
                    }
                }

                long mean = (sum > 0 ? sum + (taps / 2) : sum - (taps / 2)) / taps;
                y[c] = T.CreateTruncating(range.Clamp((int)mean));
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<int> Load(T* from)
        {
            if (typeof(T) == typeof(short))
            {
                Vector128<short> values = Vector128.Load((short*)from);
                return Vector256.Create(Vector128.WidenLower(values), Vector128.WidenUpper(values));
            }

            Vector128<sbyte> bytes = Vector128.CreateScalarUnsafe(*(long*)from).AsSByte();
            Vector128<short> wide = Vector128.WidenLower(bytes);
            return Vector256.Create(Vector128.WidenLower(wide), Vector128.WidenUpper(wide));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Store(T* to, Vector256<int> values)
        {
            Vector128<short> narrow = Vector128.Narrow(values.GetLower(), values.GetUpper());
            if (typeof(T) == typeof(short))
            {
                narrow.Store((short*)to);
                return;
            }

            Vector128.Narrow(narrow, narrow).GetLower().Store((sbyte*)to);
        }
    }
}
