using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Optc.Ops.Kernels;

/// <summary>Softmax and its logarithm over rows of float32 numbers.</summary>
/// <remarks>
/// Exponentials are computed eight at a time and added one by one in the order of the row, as the reference does: the
/// chain of additions runs beside the next exponentials and costs little. Source: <c>reference/softmax.h</c> and
/// <c>reference/log_softmax.h</c>.
/// </remarks>
internal static class FloatSoftmax
{
    /// <summary><c>y[i] = exp((x[i] - max) * beta) / sum of these</c>.</summary>
    /// <param name="x">Rows, one after another.</param>
    /// <param name="y">As many elements as <paramref name="x"/>.</param>
    /// <param name="depth">Elements of a row, positive.</param>
    public static void Rows(ReadOnlySpan<float> x, Span<float> y, int depth, float beta)
    {
        y = y[..x.Length];
        for (int start = 0; start < x.Length; start += depth)
        {
            Span<float> row = y.Slice(start, depth);
            float sum = Exponentials(x.Slice(start, depth), row, beta);
            Divide(row, sum);
        }
    }

    /// <summary><c>y[i] = x[i] - max - log(sum of exp(x[j] - max))</c>.</summary>
    /// <inheritdoc cref="Rows" path="/param"/>
    public static void LogRows(ReadOnlySpan<float> x, Span<float> y, int depth)
    {
        y = y[..x.Length];
        for (int start = 0; start < x.Length; start += depth)
        {
            ReadOnlySpan<float> from = x.Slice(start, depth);
            Span<float> row = y.Slice(start, depth);
            float max = Max(from);
            float log = FloatMap.One<LogFunction>(Exponentials(from, row, 1));
            for (int i = 0; i < row.Length; i++)
            {
                row[i] = from[i] - max - log;
            }
        }
    }

    private static float Exponentials(ReadOnlySpan<float> x, Span<float> y, float beta)
    {
        float max = Max(x);
        Vector256<float> offset = Vector256.Create(max);
        Vector256<float> factor = Vector256.Create(beta);
        ref float source = ref MemoryMarshal.GetReference(x);
        ref float target = ref MemoryMarshal.GetReference(y);
        float sum = 0;
        int i = 0;
        for (; i <= x.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256<float> power = Vector256.Exp((Vector256.LoadUnsafe(ref source, (nuint)i) - offset) * factor);
            power.StoreUnsafe(ref target, (nuint)i);
            (Vector128<float> low, Vector128<float> high) = (power.GetLower(), power.GetUpper());
            sum = sum + low[0] + low[1] + low[2] + low[3] + high[0] + high[1] + high[2] + high[3];
        }

        if (i < x.Length)
        {
            Span<float> rest = stackalloc float[Vector256<float>.Count];
            rest.Clear();
            x[i..].CopyTo(rest);
            Vector256.Exp((Vector256.Create<float>(rest) - offset) * factor).CopyTo(rest);
            for (int j = 0; i < x.Length; i++, j++)
            {
                y[i] = rest[j];
                sum += rest[j];
            }
        }

        return sum;
    }

    private static float Max(ReadOnlySpan<float> x)
    {
        float max = float.NegativeInfinity;
        int i = 0;
        if (x.Length >= Vector256<float>.Count)
        {
            ref float source = ref MemoryMarshal.GetReference(x);
            Vector256<float> lanes = Vector256.LoadUnsafe(ref source);
            for (i = Vector256<float>.Count; i <= x.Length - Vector256<float>.Count; i += Vector256<float>.Count)
            {
                lanes = Vector256.Max(lanes, Vector256.LoadUnsafe(ref source, (nuint)i));
            }

            for (int lane = 0; lane < Vector256<float>.Count; lane++)
            {
                max = MathF.Max(max, lanes[lane]);
            }
        }

        for (; i < x.Length; i++)
        {
            max = MathF.Max(max, x[i]);
        }

        return max;
    }

    private static void Divide(Span<float> row, float sum)
    {
        ref float target = ref MemoryMarshal.GetReference(row);
        Vector256<float> divisor = Vector256.Create(sum);
        int i = 0;
        for (; i <= row.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            (Vector256.LoadUnsafe(ref target, (nuint)i) / divisor).StoreUnsafe(ref target, (nuint)i);
        }

        for (; i < row.Length; i++)
        {
            row[i] /= sum;
        }
    }
}
