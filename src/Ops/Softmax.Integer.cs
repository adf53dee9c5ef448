using System.Numerics;
using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;

namespace Optc.Ops;

public sealed partial record Softmax
{
    /// <param name="flip">0x80 for i8, so that its values are ordered as bytes.</param>
    /// <param name="bits">Bits of the result, all of them fraction.</param>
    /// <param name="smallest">Smallest raw result, its zero point.</param>
    private Kernel PrepareBytes(KernelContext context, int flip, int bits, int smallest)
    {
        Grid.RequireFixed(context.Output(0), MathF.ScaleB(1, -bits), smallest);
        ByteExponentials exponentials = new((double)Beta * Grid.Of(context.Input(0)).Scale);
        int depth = context.Input(0).Shape[-1];
        int largest = smallest + (1 << bits) - 1;
        return () =>
        {
            ReadOnlySpan<byte> x = context.InputBytes(0);
            Span<byte> y = context.OutputBytes(0);
            for (int start = 0; start < x.Length; start += depth)
            {
                ReadOnlySpan<byte> row = x.Slice(start, depth);
                int max = ByteExponentials.Max(row, flip);
                (int inverse, int shift) = FixedPointMath.Reciprocal(exponentials.Sum(row, flip, max), 12);
                for (int i = 0; i < depth; i++)
                {
                    int magnitude = max - (row[i] ^ flip);
                    int scaled = -magnitude < exponentials.SmallestDifference
                        ? 0
                        : FixedPoint.RoundingShiftRight(
                            FixedPoint.RoundingHighProduct(inverse, exponentials.Power(magnitude)), shift + 31 - bits);
                    int raw = Math.Clamp(scaled + smallest, smallest, largest);
                    if (bits == 16)
                    {
                        short wide = (short)raw;
                        MemoryMarshal.Write(y[(2 * (start + i))..], in wide);
                    }
                    else
                    {
                        y[start + i] = unchecked((byte)raw);
                    }
                }
            }
        };
    }

    private Kernel PrepareInt16(KernelContext context)
    {
        const double InputScale = 10.0 / 65535;
        const float OutputScale = (float)(2.0 / 65535);
        Grid.RequireFixed(context.Output(0), 1f / 32768, 0);
        Grid x = Grid.Symmetric(context.Input(0));
        FixedPoint factor = Grid.Factor((double)x.Scale * Beta / InputScale);
        LookupTable513 exponential = new(MathF.Exp, (float)InputScale, short.MaxValue, OutputScale, 0);
        LookupTable513 inverse = new(static v => 1 / (1 + v), (float)(1.0 / 65535), short.MinValue, OutputScale, 0);
        int depth = context.Input(0).Shape[-1];
        return () =>
        {
            ReadOnlySpan<short> values = context.In<short>(0);
            Span<short> results = context.Out<short>(0);
            for (int start = 0; start < values.Length; start += depth)
            {
                Normalize(values.Slice(start, depth), results.Slice(start, depth), factor, exponential, inverse);
            }
        };
    }

    private static void Normalize(
        ReadOnlySpan<short> row, Span<short> result, FixedPoint factor, LookupTable513 exponential, LookupTable513 inverse)
    {
        int max = short.MinValue;
        foreach (short value in row)
        {
            max = Math.Max(max, value);
        }

        long sum = 0;
        for (int i = 0; i < row.Length; i++)
        {
            int scaled = unchecked(factor.Scale(row[i] - max) + short.MaxValue);
            short power = exponential.Lookup(FixedPoint.SaturateToInt16(scaled));
            result[i] = power;
            sum += power;
        }

        if (sum > int.MaxValue)
        {
            throw new OpRuleException("a row has more large elements than the accumulator of the softmax kernel can hold") { Found = $"{row.Length} elements" };
        }

        int headroom = BitOperations.LeadingZeroCount((uint)sum);
        long fraction = ((sum << (headroom - 1)) + (1 << 13)) >> 14;
        short reciprocal = inverse.Lookup((short)Math.Clamp(fraction - 98304, short.MinValue, short.MaxValue));
        int shift = 31 - headroom;
        for (int i = 0; i < row.Length; i++)
        {
            int product = result[i] * reciprocal;
            result[i] = (short)Math.Clamp((product + (1 << (shift - 1))) >> shift, 0, short.MaxValue);
        }
    }
}
