using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Quantization;

namespace Optc.Ops.Kernels;

/// <summary>Applies an integer kernel of one operand to every element of an i8, u8 or i16 tensor.</summary>
/// <remarks>8-bit kernels are tabulated when they are prepared; the table holds what the kernel computes, so it changes nothing.</remarks>
internal static class RawMap
{
    /// <param name="raw">From raw input to raw output; the result is limited to the type.</param>
    /// <exception cref="OpRuleException">Another element type.</exception>
    public static Kernel Prepare(KernelContext context, Func<int, int> raw)
    {
        DType type = context.Input(0).DType;
        (int low, int high) = Grid.RangeOf(type);
        if (type is DType.I16)
        {
            return () =>
            {
                ReadOnlySpan<short> x = context.In<short>(0);
                Span<short> y = context.Out<short>(0);
                for (int i = 0; i < x.Length; i++)
                {
                    y[i] = (short)Math.Clamp(raw(x[i]), short.MinValue, short.MaxValue);
                }
            };
        }

        byte[] table = new byte[256];
        for (int q = low; q <= high; q++)
        {
            table[(byte)q] = unchecked((byte)Math.Clamp(raw(q), low, high));
        }

        return () => Apply(table, context.InputBytes(0), context.OutputBytes(0));
    }

    /// <summary>An 8-bit operand through a real function, by <see cref="Int8Table.OfReal"/>.</summary>
    /// <exception cref="OpRuleException">The quantization is not usable.</exception>
    public static Kernel PrepareReal(KernelContext context, Func<float, float> function)
    {
        (Grid x, Grid y) = (Grid.Of(context.Input(0)), Grid.Of(context.Output(0)));

        // The u8 kernel is the i8 kernel seen through a shift by 128 of all raw values and zero points.
        int offset = context.Input(0).DType is DType.U8 ? 128 : 0;
        Int8Table table = Int8Table.OfReal(function, x.Scale, x.ZeroPoint - offset, y.Scale, y.ZeroPoint - offset);
        return Prepare(context, q => table.Lookup((sbyte)(q - offset)) + offset);
    }

    private static void Apply(byte[] table, ReadOnlySpan<byte> x, Span<byte> y)
    {
        y = y[..x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            y[i] = table[x[i]];
        }
    }
}
