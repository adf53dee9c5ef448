using Optc.Ops.Kernels;
using Xunit;

namespace Optc.Tests.Unit.Ops.Kernels.Dense;

public sealed class FloatGemmTests
{
    [Fact]
    public void Any_size_and_stride_is_the_definition_on_every_path()
    {
        for (int seed = 0; seed < 120; seed++)
        {
            RandomConvolution random = new(seed);
            (int m, int n, int k) = (random.Between(0, 120), random.Between(1, 70), random.Between(1, 90));
            bool transposedA = seed % 2 == 0;
            bool transposedB = seed % 3 == 0;
            bool accumulate = seed % 5 < 2;
            int yStride = n + random.Between(0, 5);
            int pitch = (transposedA ? m : k) + random.Between(0, 3);
            (int aRow, int aK) = transposedA ? (1, pitch) : (pitch, 1);
            float[] a = random.Floats((long)pitch * (transposedA ? k : m));
            float[] b = random.Floats((long)k * n);
            (int bK, int bN) = transposedB ? (1, k) : (n, 1);
            float[] bias = seed % 4 == 0 ? [] : random.Floats(n);
            float[] start = random.Floats((long)m * yStride);
            PackedMatrix packed = new(k, n);
            packed.Pack(b, bK, bN);

            foreach (SimdPath path in Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported))
            {
                float[] y = [.. start];
                FloatGemm.Multiply(
                    m, a, aRow, aK, packed, bias, -2f, 2f, y, yStride, accumulate, path);

                for (int i = 0; i < y.Length; i++)
                {
                    (int row, int column) = (i / yStride, i % yStride);
                    if (column >= n)
                    {
                        Assert.Equal(start[i], y[i]);
                        continue;
                    }

                    float sum = accumulate ? start[i] : 0;
                    for (int at = 0; at < k; at++)
                    {
                        sum = MathF.FusedMultiplyAdd(a[(row * aRow) + (at * aK)], b[(at * bK) + (column * bN)], sum);
                    }

                    float expected = Math.Clamp(bias.Length == 0 ? sum : sum + bias[column], -2f, 2f);
                    Assert.True(
                        expected == y[i], $"seed {seed}, {path}, m {m} n {n} k {k}, element {i}: {expected}, {y[i]}");
                }
            }
        }
    }

    [Fact]
    public void Short_buffers_are_refused()
    {
        PackedMatrix b = new(3, 4);
        Assert.Throws<ArgumentException>(
            () => FloatGemm.Multiply(2, new float[5], 3, 1, b, [], -1, 1, new float[8], 4));
        Assert.Throws<ArgumentException>(
            () => FloatGemm.Multiply(2, new float[6], 3, 1, b, [], -1, 1, new float[7], 4));
        Assert.Throws<ArgumentException>(
            () => FloatGemm.Multiply(2, new float[6], 3, 1, b, new float[3], -1, 1, new float[8], 4));
        Assert.Throws<ArgumentException>(() => b.Pack(new float[11], 4, 1));
    }
}
