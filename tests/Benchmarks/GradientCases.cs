using Optc.Ops.Kernels;

namespace Optc.Tests.Benchmarks;

/// <summary>The adjoints of the layers in <see cref="Shapes"/>, over a batch as training has it.</summary>
/// <remarks>
/// One thread runs all chunks. Work is counted as that of the forward layer, padding included. Packing the weights belongs to
/// an input gradient (<c>dx</c>), adding up the partial sums to a weight gradient (<c>dw</c>); <c>y</c> is the forward layer
/// with weights that change.
/// </remarks>
internal static class GradientCases
{
    private const int Batch = 20;

    public static IEnumerable<SpeedCase> All()
    {
        foreach ((string name, Conv2DGeometry single) in Shapes.Convolutions.Append(("kws 25x5x64 3x3 64", Square3(25, 5, 64))))
        {
            Conv2DGeometry geometry = single with { Batch = Batch };
            foreach (SimdPath path in new[] { SimdPath.Avx512, SimdPath.Avx2 }.Where(SimdPaths.IsSupported))
            {
                yield return Forward(name, geometry, path);
                yield return Input(name, geometry, path);
                yield return Weights(name, geometry, path);
            }
        }

        foreach ((string name, Conv2DGeometry single) in Shapes.Depthwise)
        {
            Conv2DGeometry geometry = single with { Batch = Batch };
            foreach (SimdPath path in new[] { SimdPath.Avx512, SimdPath.Avx2 }.Where(SimdPaths.IsSupported))
            {
                yield return DepthwiseForward(name, geometry, path);
                yield return DepthwiseInput(name, geometry, path);
                yield return DepthwiseWeights(name, geometry, path);
            }
        }
    }

    private static Conv2DGeometry Square3(int height, int width, int channels) =>
        new(1, Window.Same(height, 3, 1), Window.Same(width, 3, 1), channels, channels);

    private static SpeedCase Forward(string name, Conv2DGeometry geometry, SimdPath path)
    {
        PreparedConv2D layer = new(geometry, path: path);
        (float[] x, float[] w, float[] y) = Operands(geometry);
        byte[] scratch = new byte[layer.ScratchBytes];
        return Case(name, "y", geometry, path, () =>
        {
            layer.Load(w, []);
            layer.Run(x, y, scratch);
        });
    }

    private static SpeedCase Input(string name, Conv2DGeometry geometry, SimdPath path)
    {
        PreparedConv2DInputGradient gradient = new(geometry, path);
        (float[] dx, float[] w, float[] dy) = Operands(geometry);
        byte[] scratch = new byte[gradient.ScratchBytes];
        return Case(name, "dx", geometry, path, () =>
        {
            gradient.Load(w);
            for (int chunk = 0; chunk < gradient.ChunkCount; chunk++)
            {
                gradient.RunChunk(chunk, dy, dx, scratch);
            }
        });
    }

    private static SpeedCase Weights(string name, Conv2DGeometry geometry, SimdPath path)
    {
        PreparedConv2DWeightGradient gradient = new(geometry, path);
        (float[] x, float[] dw, float[] dy) = Operands(geometry);
        float[] partials = new float[gradient.PartialLength];
        byte[] scratch = new byte[gradient.ScratchBytes];
        return Case(name, "dw", geometry, path, () =>
        {
            for (int slot = 0; slot < gradient.SlotCount; slot++)
            {
                gradient.RunSlot(slot, x, dy, partials, scratch);
            }

            for (int part = 0; part < gradient.PartCount; part++)
            {
                gradient.Reduce(part, partials, dw);
            }
        });
    }

    private static SpeedCase DepthwiseForward(string name, Conv2DGeometry geometry, SimdPath path)
    {
        PreparedDepthwiseConv2D layer = new(geometry, path: path);
        (float[] x, float[] w, float[] y) = Operands(geometry);
        byte[] scratch = new byte[layer.ScratchBytes];
        return Case(name, "y", geometry, path, () =>
        {
            layer.Load(w, []);
            layer.Run(x, y, scratch);
        });
    }

    private static SpeedCase DepthwiseInput(string name, Conv2DGeometry geometry, SimdPath path)
    {
        PreparedDepthwiseConv2DInputGradient gradient = new(geometry, path);
        (float[] dx, float[] w, float[] dy) = Operands(geometry);
        byte[] scratch = new byte[gradient.ScratchBytes];
        return Case(name, "dx", geometry, path, () =>
        {
            gradient.Load(w);
            for (int chunk = 0; chunk < gradient.ChunkCount; chunk++)
            {
                gradient.RunChunk(chunk, dy, dx, scratch);
            }
        });
    }

    private static SpeedCase DepthwiseWeights(string name, Conv2DGeometry geometry, SimdPath path)
    {
        PreparedDepthwiseConv2DWeightGradient gradient = new(geometry, path);
        (float[] x, float[] dw, float[] dy) = Operands(geometry);
        float[] partials = new float[gradient.PartialLength];
        byte[] scratch = new byte[gradient.ScratchBytes];
        return Case(name, "dw", geometry, path, () =>
        {
            for (int slot = 0; slot < gradient.SlotCount; slot++)
            {
                gradient.RunSlot(slot, x, dy, partials, scratch);
            }

            gradient.Reduce(partials, dw);
        });
    }

    private static SpeedCase Case(string name, string kind, Conv2DGeometry geometry, SimdPath path, Action run) =>
        new($"train {name} {kind} {path}", 2 * geometry.Products, run);

    private static (float[] X, float[] W, float[] Y) Operands(Conv2DGeometry geometry) =>
        (SpeedCases.Floats(geometry.InputLength), SpeedCases.Floats(geometry.WeightLength), SpeedCases.Floats(geometry.OutputLength));
}
