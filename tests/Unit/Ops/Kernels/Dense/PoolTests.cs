using System.Numerics;
using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels.Dense;

public sealed class PoolTests
{
    [Fact]
    public void Maximum_is_the_definition_for_every_type()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            RandomConvolution random = new(seed);
            Pool2DGeometry geometry = Geometry(random);
            CheckMaximum(seed, geometry, random.Floats(geometry.InputLength), -0.5f, 0.75f);
            CheckMaximum(seed, geometry, random.Bytes(geometry.InputLength), (sbyte)-20, (sbyte)110);
            CheckMaximum(seed, geometry, random.Shorts(geometry.InputLength), (short)-2000, (short)30000);
        }
    }

    [Fact]
    public void Mean_of_floats_has_the_bits_of_a_sum_in_row_order()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            RandomConvolution random = new(seed);
            Pool2DGeometry geometry = Geometry(random);
            float[] x = random.Floats(geometry.InputLength);
            float[] y = new float[geometry.OutputLength];
            AveragePool.Run(geometry, 0, geometry.RowCount, x, y, -0.2f, 0.2f);
            int at = 0;
            foreach (float[] taps in Windows(geometry, x))
            {
                float expected = Math.Clamp(taps.Aggregate(0f, (a, b) => a + b) / Math.Max(1, taps.Length), -0.2f, 0.2f);
                Assert.True(expected == y[at], $"seed {seed}, {geometry}, element {at}: {expected}, {y[at]}");
                at++;
            }
        }
    }

    [Fact]
    public void Mean_of_integers_rounds_halves_away_from_zero()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            RandomConvolution random = new(seed);
            Pool2DGeometry geometry = Geometry(random);
            sbyte[] x = random.Bytes(geometry.InputLength);
            sbyte[] y = new sbyte[geometry.OutputLength];
            AveragePool.Run(geometry, 0, geometry.RowCount, x, y, new ActivationRange(-100, 100));
            CheckMean(seed, geometry, x, y, -100, 100);

            short[] wideX = random.Shorts(geometry.InputLength);
            short[] wideY = new short[geometry.OutputLength];
            AveragePool.Run(geometry, 0, geometry.RowCount, wideX, wideY, new ActivationRange(-30000, 30000));
            CheckMean(seed, geometry, wideX, wideY, -30000, 30000);
        }
    }

    [Fact]
    public void Every_quotient_of_a_window_is_exact()
    {
        foreach (int taps in new[] { 1, 2, 3, 7, 49, 64, 255, 1000 })
        {
            Pool2DGeometry geometry = new(1, Window.Valid(1, 1, 1), Window.Valid(taps, taps, 1), 8);
            for (int sum = -128 * taps; sum <= 127 * taps; sum += Math.Max(1, taps / 50))
            {
                sbyte[] x = new sbyte[geometry.InputLength];
                for (int tap = 0, left = sum; tap < taps; tap++)
                {
                    int value = Math.Clamp(left / (taps - tap), -128, 127);
                    left -= value;
                    x.AsSpan(tap * 8, 8).Fill((sbyte)value);
                }

                sbyte[] y = new sbyte[8];
                AveragePool.Run(geometry, 0, 1, x, y, ActivationRange.Int8);
                CheckMean(taps, geometry, x, y, -128, 127);
            }
        }
    }

    [Fact]
    public void Rows_computed_apart_are_the_rows_of_a_whole_run()
    {
        RandomConvolution random = new(3);
        Pool2DGeometry geometry = new(3, Window.Same(9, 3, 2), Window.Same(7, 2, 1), 13);
        float[] x = random.Floats(geometry.InputLength);
        float[] whole = new float[geometry.OutputLength];
        float[] apart = new float[geometry.OutputLength];
        AveragePool.Run(geometry, 0, geometry.RowCount, x, whole, float.MinValue, float.MaxValue);
        for (int row = geometry.RowCount - 1; row >= 0; row--)
        {
            AveragePool.Run(geometry, row, 1, x, apart, float.MinValue, float.MaxValue);
        }

        Assert.Equal(whole, apart);
    }

    [Fact]
    public void A_NaN_never_wins()
    {
        Pool2DGeometry geometry = new(1, Window.Valid(1, 1, 1), Window.Valid(3, 3, 1), 9);
        float[] x = new float[27];
        Array.Fill(x, float.NaN, 0, 18);
        float[] y = new float[9];
        MaxPool.Run(geometry, 0, 1, x, y, -1f, 1f);
        Assert.All(y, value => Assert.Equal(0f, value));
    }

    private static Pool2DGeometry Geometry(RandomConvolution random) =>
        new(random.Between(1, 3), random.Window(5), random.Window(5), random.Between(1, 70));

    private static void CheckMaximum<T>(int seed, Pool2DGeometry geometry, T[] x, T low, T high)
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        T[] y = new T[geometry.OutputLength];
        MaxPool.Run(geometry, 0, geometry.RowCount, x, y, low, high);
        int at = 0;
        foreach (T[] taps in Windows(geometry, x))
        {
            T expected = T.Clamp(taps.Length == 0 ? low : taps.Max(), low, high);
            Assert.True(expected == y[at], $"seed {seed}, {geometry}, element {at}: {expected}, {y[at]}");
            at++;
        }
    }

    private static void CheckMean<T>(int seed, Pool2DGeometry geometry, T[] x, T[] y, int low, int high)
        where T : unmanaged, IBinaryInteger<T>
    {
        int at = 0;
        foreach (T[] taps in Windows(geometry, x))
        {
            decimal mean = taps.Length == 0 ? 0 : (decimal)taps.Sum(long.CreateTruncating) / taps.Length;
            long expected = Math.Clamp((long)Math.Round(mean, MidpointRounding.AwayFromZero), low, high);
            Assert.True(
                expected == long.CreateTruncating(y[at]), $"seed {seed}, {geometry}, element {at}: {expected}, {y[at]}");
            at++;
        }
    }

    private static IEnumerable<T[]> Windows<T>(Pool2DGeometry geometry, T[] x)
    {
        (Window height, Window width) = (geometry.Height, geometry.Width);
        for (int n = 0; n < geometry.Batch; n++)
        {
            for (int oy = 0; oy < height.Output; oy++)
            {
                for (int ox = 0; ox < width.Output; ox++)
                {
                    for (int c = 0; c < geometry.Channels; c++)
                    {
                        List<T> taps = [];
                        for (int ky = 0; ky < height.Kernel; ky++)
                        {
                            for (int kx = 0; kx < width.Kernel; kx++)
                            {
                                int iy = height.Start(oy) + (ky * height.Dilation);
                                int ix = width.Start(ox) + (kx * width.Dilation);
                                if (iy >= 0 && iy < height.Input && ix >= 0 && ix < width.Input)
                                {
                                    taps.Add(x[(((((n * height.Input) + iy) * width.Input) + ix) * geometry.Channels) + c]);
                                }
                            }
                        }

                        yield return [.. taps];
                    }
                }
            }
        }
    }
}
