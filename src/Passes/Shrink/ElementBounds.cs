using Optc.Ir;

namespace Optc.Passes.Shrink;

/// <summary>Smallest and largest raw integer of every element of a tensor, over all inputs of a model.</summary>
/// <param name="Shape">Of the tensor; an unknown batch is 1.</param>
/// <param name="Low">One for each element, row by row.</param>
/// <param name="High">As <paramref name="Low"/>.</param>
public sealed record ElementBounds(Shape Shape, int[] Low, int[] High)
{
    /// <summary>Bounds of a tensor of which nothing is known but its type.</summary>
    /// <returns><see langword="null"/> unless it has 8-bit elements and a known shape.</returns>
    public static ElementBounds? Full(TensorType type)
    {
        if (LimitsOf(type.DType) is not { } limits || Known(type.Shape) is not { } shape)
        {
            return null;
        }

        int[] low = new int[shape.ElementCount];
        int[] high = new int[low.Length];
        Array.Fill(low, limits.Low);
        Array.Fill(high, limits.High);
        return new(shape, low, high);
    }

    /// <summary>The shape with an unknown batch as 1; <see langword="null"/> when more is unknown.</summary>
    public static Shape? Known(Shape shape) => shape.IsKnown ? shape
        : shape.HasRank && shape.Rank > 0 && shape[0] < 0 && shape.With(0, 1) is { IsKnown: true } one ? one
        : null;

    /// <summary>The range of 8-bit types; <see langword="null"/> for others.</summary>
    internal static (int Low, int High)? LimitsOf(DType type) => type switch
    {
        DType.I8 => (sbyte.MinValue, sbyte.MaxValue),
        DType.U8 => (byte.MinValue, byte.MaxValue),
        _ => null,
    };

    /// <summary>The value that all elements at a place along an axis have always; <see langword="null"/> where there is no such value.</summary>
    public int?[] Constants(int axis)
    {
        int count = Shape[axis];
        int inner = 1;
        for (int i = axis + 1; i < Shape.Rank; i++)
        {
            inner *= Shape[i];
        }

        int?[] constants = new int?[count];
        bool[] varies = new bool[count];
        for (int e = 0; e < Low.Length; e++)
        {
            int place = e / inner % count;
            varies[place] |= Low[e] != High[e] || (constants[place] ?? Low[e]) != Low[e];
            constants[place] ??= Low[e];
        }

        for (int i = 0; i < count; i++)
        {
            constants[i] = varies[i] ? null : constants[i];
        }

        return constants;
    }

    /// <summary>Widens these bounds so that they hold others too.</summary>
    internal void Include(ElementBounds other)
    {
        for (int i = 0; i < Low.Length; i++)
        {
            Low[i] = Math.Min(Low[i], other.Low[i]);
            High[i] = Math.Max(High[i], other.High[i]);
        }
    }

    internal ElementBounds Copy() => new(Shape, [.. Low], [.. High]);
}
