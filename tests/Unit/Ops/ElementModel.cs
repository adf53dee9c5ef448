using System.Runtime.InteropServices;
using Optc.Ir;

namespace Optc.Tests.Unit.Ops;

/// <summary>Operands for element-wise ops, and what the broadcasting of them must give.</summary>
internal static class ElementModel
{
    /// <summary>Each operand repeated to the shape of the result, then combined one by one.</summary>
    public static TResult[] Combine<T, TResult>(Shape a, T[] x, Shape b, T[] w, Func<T, T, TResult> op)
        where T : unmanaged
    {
        Shape y = Join(a, b);
        return [.. Expand(x, a, y).Zip(Expand(w, b, y), op)];
    }

    public static T[] Expand<T>(T[] values, Shape x, Shape y)
        where T : unmanaged
    {
        byte[] bytes = MovedElements.Expected(
            MovedElements.Bytes<T>(values),
            Marshal.SizeOf<T>(),
            x,
            y,
            to => [.. x.Select((d, i) => d == 1 ? 0 : to[i + y.Rank - x.Rank])]);
        return MemoryMarshal.Cast<byte, T>(bytes).ToArray();
    }

    public static Shape Join(Shape a, Shape b)
    {
        int rank = Math.Max(a.Rank, b.Rank);
        int[] joined = new int[rank];
        for (int i = 1; i <= rank; i++)
        {
            int first = i <= a.Rank ? a[-i] : 1;
            joined[rank - i] = first != 1 ? first : i <= b.Rank ? b[-i] : 1;
        }

        return Shape.Create(joined);
    }

    /// <summary>A part of a shape: leading dimensions left out, others 1.</summary>
    public static Shape Part(Random random, Shape shape) =>
        [.. shape.Skip(random.Next(shape.Rank + 1)).Select(d => random.Next(3) == 0 ? 1 : d)];

    /// <summary>Two shapes that fit each other; now and then equal ones, or long rows.</summary>
    public static (Shape A, Shape B) Pair(Random random)
    {
        int rank = random.Next(0, 6);
        Shape whole = MovedElements.RandomShape(random, rank, most: rank <= 2 ? 19 : 3);
        return random.Next(4) switch
        {
            0 => (whole, whole),
            1 => (whole, Part(random, whole)),
            2 => (Part(random, whole), whole),
            _ => (Part(random, whole), Part(random, whole)),
        };
    }

    /// <summary>Small numbers, extreme ones and special ones.</summary>
    public static float[] Floats(Random random, Shape shape) => Fill(shape, () => random.Next(12) switch
    {
        0 => 0f,
        1 => -0f,
        2 => random.GetItems([float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.Epsilon, -1e-30f], 1)[0],
        3 or 4 => random.Next(-3, 4),
        _ => (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-2, 3))),
    });

    public static T[] Integers<T>(Random random, Shape shape)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>, System.Numerics.IMinMaxValue<T> => Fill(shape, () => random.Next(6) switch
        {
            0 => T.MaxValue,
            1 => T.MinValue,
            2 => T.CreateTruncating(random.Next(0, 4)),
            _ => T.CreateTruncating(random.NextInt64(long.MinValue, long.MaxValue)),
        });

    public static T[] Fill<T>(Shape shape, Func<T> next)
    {
        T[] values = new T[shape.ElementCount];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = next();
        }

        return values;
    }

    /// <summary>One scale and zero point; zero point 0 for i16.</summary>
    public static QuantParams Quant(Random random, DType type, double smallest = 1e-3, double largest = 0.9)
    {
        float scale = (float)(smallest * Math.Pow(largest / smallest, random.NextDouble()));
        return new(scale, type switch
        {
            DType.I8 => random.Next(-128, 128),
            DType.U8 => random.Next(0, 256),
            _ => 0,
        });
    }

    public static TensorType With(this QuantParams quant, DType type, Shape shape) => new(type, shape, quant);
}
