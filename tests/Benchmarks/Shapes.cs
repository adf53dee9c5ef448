using Optc.Ops.Kernels;

namespace Optc.Tests.Benchmarks;

/// <summary>Layer shapes of small networks that people deploy.</summary>
internal static class Shapes
{
    /// <summary>Convolutions of ResNet-8 on CIFAR-10, of MobileNetV1 0.25 on 96x96 and of keyword spotting.</summary>
    public static (string Name, Conv2DGeometry Geometry)[] Convolutions { get; } =
    [
        ("resnet 32x32x3 3x3 16", Square(32, 3, 3, 16, 1)),
        ("resnet 32x32x16 3x3 16", Square(32, 3, 16, 16, 1)),
        ("resnet 32x32x16 3x3/2 32", Square(32, 3, 16, 32, 2)),
        ("resnet 16x16x32 3x3 32", Square(16, 3, 32, 32, 1)),
        ("resnet 16x16x32 3x3/2 64", Square(16, 3, 32, 64, 2)),
        ("resnet 8x8x64 3x3 64", Square(8, 3, 64, 64, 1)),
        ("resnet 32x32x16 1x1/2 32", Square(32, 1, 16, 32, 2)),
        ("vww 96x96x3 3x3/2 8", Square(96, 3, 3, 8, 2)),
        ("vww 48x48x8 1x1 16", Square(48, 1, 8, 16, 1)),
        ("vww 24x24x32 1x1 32", Square(24, 1, 32, 32, 1)),
        ("vww 12x12x64 1x1 64", Square(12, 1, 64, 64, 1)),
        ("vww 6x6x128 1x1 128", Square(6, 1, 128, 128, 1)),
        ("vww 3x3x256 1x1 256", Square(3, 1, 256, 256, 1)),
        ("kws 49x10x1 10x4/2 64", new(1, Window.Same(49, 10, 2), Window.Same(10, 4, 2), 1, 64)),
        ("kws 25x5x64 1x1 64", new(1, Window.Same(25, 1, 1), Window.Same(5, 1, 1), 64, 64)),
    ];

    /// <summary>Depthwise layers of the same networks.</summary>
    public static (string Name, Conv2DGeometry Geometry)[] Depthwise { get; } =
    [
        ("vww 48x48x8 dw 3x3", Channelwise(48, 8, 1)),
        ("vww 48x48x16 dw 3x3/2", Channelwise(48, 16, 2)),
        ("vww 24x24x32 dw 3x3", Channelwise(24, 32, 1)),
        ("vww 12x12x64 dw 3x3", Channelwise(12, 64, 1)),
        ("vww 6x6x128 dw 3x3", Channelwise(6, 128, 1)),
        ("vww 3x3x256 dw 3x3", Channelwise(3, 256, 1)),
        ("kws 25x5x64 dw 3x3", new(1, Window.Same(25, 3, 1), Window.Same(5, 3, 1), 64, 64, 64)),
    ];

    /// <summary>Products (M, K, N): the convolutions above as seen by a product, dense layers, and large ones.</summary>
    public static (int M, int K, int N)[] Products { get; } =
    [
        (1, 640, 128), (1, 128, 640), (1, 4000, 12), (9, 256, 256), (49, 576, 64), (96, 128, 128), (128, 384, 256), (512, 512, 512),
        (1024, 144, 16),
    ];

    private static Conv2DGeometry Square(int size, int kernel, int input, int output, int stride) =>
        new(1, Window.Same(size, kernel, stride), Window.Same(size, kernel, stride), input, output);

    private static Conv2DGeometry Channelwise(int size, int channels, int stride) =>
        new(1, Window.Same(size, 3, stride), Window.Same(size, 3, stride), channels, channels, channels);
}
