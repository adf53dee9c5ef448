using Optc.Ops.Kernels;

namespace Optc.Tests.Unit.Ops.Kernels.Dense;

/// <summary>Random shapes and values from one printed seed.</summary>
internal sealed class RandomConvolution(int seed)
{
    private readonly Random _random = new(seed);

    public int Between(int low, int high) => _random.Next(low, high + 1);

    public Window Window(int maxKernel)
    {
        int kernel = Between(1, maxKernel);
        int stride = Between(1, 3);
        int dilation = Between(0, 3) == 0 ? Between(2, 3) : 1;
        int extent = ((kernel - 1) * dilation) + 1;
        int input = extent + Between(0, 14);
        return Between(0, 3) switch
        {
            0 => Optc.Ops.Kernels.Window.Same(input, kernel, stride, dilation),
            1 => Optc.Ops.Kernels.Window.Valid(input, kernel, stride, dilation),
            2 => Optc.Ops.Kernels.Window.Explicit(input, kernel, stride, dilation, Between(0, 3), Between(0, 3)),
            _ => Optc.Ops.Kernels.Window.Explicit(input, kernel, stride, dilation, -Between(0, 1), -Between(0, 1)),
        };
    }

    public Conv2DGeometry Dense()
    {
        int groups = Between(0, 2) == 0 ? Between(1, 4) : 1;
        return new(
            Between(1, 3), Window(5), Window(5), groups * Between(1, 20), groups * Between(1, 40), groups);
    }

    public Conv2DGeometry Depthwise()
    {
        int channels = Between(1, 40);
        int multiplier = Between(0, 1) == 0 ? 1 : Between(1, 4);
        return new(Between(1, 3), Window(5), Window(5), channels, channels * multiplier, channels);
    }

    public Conv2DGeometry Pointwise() =>
        new(
            Between(1, 2),
            Optc.Ops.Kernels.Window.Valid(Between(1, 13), 1, 1),
            Optc.Ops.Kernels.Window.Valid(Between(1, 13), 1, 1),
            Between(1, 70),
            Between(1, 70));

    public float[] Floats(long count) => [.. Enumerable.Range(0, (int)count).Select(_ => (_random.NextSingle() * 2) - 1)];

    /// <summary>All values of the type, the extremes often.</summary>
    public sbyte[] Bytes(long count) =>
        [.. Enumerable.Range(0, (int)count).Select(_ => Between(0, 7) == 0 ? sbyte.MinValue : (sbyte)Between(-128, 127))];

    public short[] Shorts(long count) =>
        [.. Enumerable.Range(0, (int)count).Select(_ =>
            Between(0, 7) == 0 ? short.MinValue : (short)Between(short.MinValue, short.MaxValue))];

    public int[] Ints(long count, int limit) =>
        [.. Enumerable.Range(0, (int)count).Select(_ => Between(-limit, limit))];

    /// <summary>An output stage of either profile that neither saturates always nor maps all to zero.</summary>
    public Requantizer Stage(int channels, bool uniform)
    {
        float[] scales = [.. Enumerable.Range(0, uniform ? 1 : channels).Select(_ => 1e-4f + (_random.NextSingle() * 0.01f))];
        RoundingProfile profile = Between(0, 1) == 0 ? RoundingProfile.Tflm : RoundingProfile.Xnnpack;
        return Requantizer.ForConvolution(
            profile, 0.5f, scales, 0.4f, Between(-128, 127), new ActivationRange(Between(-128, -20), Between(20, 127)));
    }

    /// <summary>An output stage for int16; the reference has no zero point there.</summary>
    public Requantizer Stage16(int channels, bool uniform)
    {
        float[] scales = [.. Enumerable.Range(0, uniform ? 1 : channels).Select(_ => 1e-5f + (_random.NextSingle() * 0.003f))];
        return Requantizer.ForConvolution(RoundingProfile.Tflm, 0.5f, scales, 0.4f, 0, ActivationRange.Int16);
    }
}
