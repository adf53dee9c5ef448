using Optc.Ops.Kernels;

namespace Optc.Tests.Benchmarks;

/// <summary>Every kernel on every shape and every path this processor has.</summary>
internal static class SpeedCases
{
    public static IEnumerable<SpeedCase> All()
    {
        foreach ((int m, int k, int n) in Shapes.Products)
        {
            foreach (SimdPath path in FloatPaths)
            {
                yield return Product(m, k, n, path);
            }

            foreach (SimdPath path in IntPaths)
            {
                yield return Int8Convolution($"gemm {m}x{k}x{n}", Conv2DGeometry.Dense(m, k, n), path, RoundingProfile.Tflm);
            }
        }

        foreach ((string name, Conv2DGeometry geometry) in Shapes.Convolutions)
        {
            foreach (SimdPath path in FloatPaths)
            {
                yield return Convolution(name, geometry, path);
            }

            foreach (SimdPath path in IntPaths)
            {
                yield return Int8Convolution(name, geometry, path, RoundingProfile.Tflm);
            }

            yield return Int8Convolution(name, geometry, null, RoundingProfile.Xnnpack);
        }

        foreach (SpeedCase depthwise in Shapes.Depthwise.SelectMany(s => DepthwiseCases(s.Name, s.Geometry)))
        {
            yield return depthwise;
        }

        foreach (SpeedCase gradient in GradientCases.All())
        {
            yield return gradient;
        }
    }

    private static IEnumerable<SpeedCase> DepthwiseCases(string name, Conv2DGeometry geometry)
    {
        foreach (SimdPath path in FloatPaths)
        {
            yield return Depthwise(name, geometry, path);
        }

        foreach (SimdPath path in IntPaths)
        {
            yield return Int8Depthwise(name, geometry, path);
        }
    }

    private static IEnumerable<SimdPath> FloatPaths =>
        new[] { SimdPath.Avx512, SimdPath.Avx2, SimdPath.Portable }.Where(SimdPaths.IsSupported);

    private static IEnumerable<SimdPath> IntPaths =>
        new[] { SimdPath.AvxVnni, SimdPath.Avx512, SimdPath.Avx2, SimdPath.Portable }.Where(SimdPaths.IsSupported);

    private static SpeedCase Product(int m, int k, int n, SimdPath path)
    {
        float[] a = Floats((long)m * k);
        float[] y = new float[m * n];
        PackedMatrix b = PackedMatrix.FromRows(Floats((long)k * n), k, n);
        return new(
            $"gemm {m}x{k}x{n} f32 {path}",
            2L * m * k * n,
            () => FloatGemm.Multiply(m, a, k, 1, b, [], float.MinValue, float.MaxValue, y, n, path: path));
    }

    private static SpeedCase Convolution(string name, Conv2DGeometry geometry, SimdPath path)
    {
        PreparedConv2D layer = new(
            geometry, Floats(geometry.WeightLength), Floats(geometry.OutputChannels), 0, path: path);
        float[] x = Floats(geometry.InputLength);
        float[] y = new float[geometry.OutputLength];
        byte[] scratch = new byte[layer.ScratchBytes];
        return new($"{name} f32 {path}", 2 * geometry.Products, () => layer.Run(x, y, scratch));
    }

    private static SpeedCase Depthwise(string name, Conv2DGeometry geometry, SimdPath path)
    {
        PreparedDepthwiseConv2D layer = new(
            geometry, Floats(geometry.WeightLength), Floats(geometry.OutputChannels), 0, path: path);
        float[] x = Floats(geometry.InputLength);
        float[] y = new float[geometry.OutputLength];
        byte[] scratch = new byte[layer.ScratchBytes];
        return new($"{name} f32 {path}", 2 * geometry.Products, () => layer.Run(x, y, scratch));
    }

    private static SpeedCase Int8Depthwise(string name, Conv2DGeometry geometry, SimdPath path)
    {
        PreparedInt8DepthwiseConv2D layer = new(
            geometry,
            Bytes(geometry.WeightLength),
            new int[geometry.OutputChannels],
            5,
            Stage(geometry.OutputChannels, RoundingProfile.Tflm),
            path);
        sbyte[] x = Bytes(geometry.InputLength);
        sbyte[] y = new sbyte[geometry.OutputLength];
        byte[] scratch = new byte[layer.ScratchBytes];
        return new($"{name} i8 {path}", 2 * geometry.Products, () => layer.Run(x, y, scratch));
    }

    private static Requantizer Stage(int channels, RoundingProfile profile)
    {
        float[] scales = [.. Floats(channels).Select(s => 0.001f + MathF.Abs(s * 0.01f))];
        return Requantizer.ForConvolution(profile, 0.5f, scales, 0.4f, -3, ActivationRange.Int8);
    }

    private static SpeedCase Int8Convolution(
        string name, Conv2DGeometry geometry, SimdPath? path, RoundingProfile profile)
    {
        PreparedInt8Conv2D layer = new(
            geometry,
            Bytes(geometry.WeightLength),
            new int[geometry.OutputChannels],
            5,
            Stage(geometry.OutputChannels, profile),
            path);
        sbyte[] x = Bytes(geometry.InputLength);
        sbyte[] y = new sbyte[geometry.OutputLength];
        byte[] scratch = new byte[layer.ScratchBytes];
        return new($"{name} i8 {profile} {path?.ToString() ?? "best"}", 2 * geometry.Products, () => layer.Run(x, y, scratch));
    }

    private static sbyte[] Bytes(long count)
    {
        sbyte[] values = new sbyte[count];
        new Random(1).NextBytes((byte[])(Array)values);
        return values;
    }

    internal static float[] Floats(long count)
    {
        Random random = new(1);
        float[] values = new float[count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (random.NextSingle() * 2) - 1;
        }

        return values;
    }
}
