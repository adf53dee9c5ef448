using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

/// <summary>Forms of the dense layer that are no special case of a convolution.</summary>
internal static class DenseKernels
{
    /// <summary><c>acc = sum (w - z_w)(x - z_x) + bias</c>: per-tensor weights with a zero point.</summary>
    public static Kernel WithWeightZeroPoint(KernelContext context, Conv2DGeometry geometry, Requantizer stage)
    {
        (int k, int n) = (geometry.InputChannels, geometry.OutputChannels);
        int rows = geometry.Height.Output;
        sbyte[]? constant = context.Constant(1) is { } weights ? SpatialRules.Weights8(weights) : null;
        if (constant is null && context.Input(1).DType is not DType.I8)
        {
            throw new OpRuleException("4-bit weights must be constant") { Found = "computed weights" };
        }

        (int xZero, int wZero) = (context.Input(0).ZeroPoint, context.Input(1).ZeroPoint);
        return () =>
        {
            ReadOnlySpan<sbyte> x = context.In<sbyte>(0);
            ReadOnlySpan<sbyte> w = constant is null ? context.In<sbyte>(1) : constant;
            ReadOnlySpan<int> bias = context.Has(2) ? context.In<int>(2) : [];
            Span<sbyte> y = context.Out<sbyte>(0);
            for (int m = 0; m < rows; m++)
            {
                for (int j = 0; j < n; j++)
                {
                    int sum = bias.IsEmpty ? 0 : bias[j];
                    for (int i = 0; i < k; i++)
                    {
                        sum = unchecked(sum + ((w[(j * k) + i] - wZero) * (x[(m * k) + i] - xZero)));
                    }

                    y[(m * n) + j] = (sbyte)stage.Requantize(sum, j);
                }
            }
        };
    }

    /// <summary>Int16 activations; unlike the convolutions this kernel uses the zero points.</summary>
    public static Kernel Int16(KernelContext context, Conv2DGeometry geometry, Requantizer stage, bool narrow)
    {
        (int k, int n) = (geometry.InputChannels, geometry.OutputChannels);
        int rows = geometry.Height.Output;
        int xZero = context.Input(0).ZeroPoint;
        int wZero = context.Input(1).Quant is { IsPerAxis: false } ? context.Input(1).ZeroPoint : 0;
        return () =>
        {
            ReadOnlySpan<short> x = context.In<short>(0);
            ReadOnlySpan<sbyte> w = context.In<sbyte>(1);
            Span<short> y = context.Out<short>(0);
            for (int m = 0; m < rows; m++)
            {
                for (int j = 0; j < n; j++)
                {
                    long sum = 0;
                    for (int i = 0; i < k; i++)
                    {
                        sum += (long)(w[(j * k) + i] - wZero) * (x[(m * k) + i] - xZero);
                    }

                    if (context.Has(2))
                    {
                        sum += narrow ? context.In<int>(2)[j] : context.In<long>(2)[j];
                    }

                    y[(m * n) + j] = (short)(narrow ? stage.Requantize16(FixedPoint.WrapToInt32(sum), j) : stage.RequantizeLong(sum, j));
                }
            }
        };
    }
}
