using System.Collections.Immutable;

namespace Optc.Certificates;

/// <summary>Which element of an operand an element of a result comes from, by shapes alone.</summary>
internal static class Positions
{
    /// <summary>The element of an operand that broadcasts to a shape, for every element of that shape; null when it does not.</summary>
    public static int[]? Broadcast(ReadOnlySpan<int> shape, ReadOnlySpan<int> to)
    {
        if (shape.Length > to.Length)
        {
            return null;
        }

        int[] steps = new int[to.Length];
        int step = 1;
        for (int i = 1; i <= shape.Length; i++)
        {
            if (shape[^i] != to[^i] && shape[^i] != 1)
            {
                return null;
            }

            steps[^i] = shape[^i] == 1 ? 0 : step;
            step *= shape[^i];
        }

        return Walk(to, steps, 0);
    }

    /// <summary>The element at <c>first + sum of index times step</c>, for every index of a shape in row-major order.</summary>
    public static int[] Walk(ReadOnlySpan<int> shape, ReadOnlySpan<int> steps, int first)
    {
        int count = 1;
        foreach (int size in shape)
        {
            count *= size;
        }

        int[] elements = new int[count];
        int[] index = new int[shape.Length];
        int at = first;
        for (int i = 0; i < count; i++)
        {
            elements[i] = at;
            for (int axis = shape.Length - 1; axis >= 0; axis--)
            {
                at += steps[axis];
                if (++index[axis] < shape[axis])
                {
                    break;
                }

                at -= steps[axis] * shape[axis];
                index[axis] = 0;
            }
        }

        return elements;
    }

    /// <summary>Elements from one step of a dimension to the next, row-major.</summary>
    public static int[] Strides(ReadOnlySpan<int> shape)
    {
        int[] strides = new int[shape.Length];
        int step = 1;
        for (int i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = step;
            step *= shape[i];
        }

        return strides;
    }

    /// <summary>The index of every element along one axis.</summary>
    public static int[] Along(ReadOnlySpan<int> shape, int axis)
    {
        int[] steps = new int[shape.Length];
        steps[axis] = 1;
        return Walk(shape, steps, 0);
    }

    /// <summary>Axes made non-negative, without repetition, in order; null when one does not exist.</summary>
    public static ImmutableArray<int>? Axes(ReadOnlySpan<int> axes, int rank)
    {
        SortedSet<int> result = [];
        foreach (int axis in axes)
        {
            int positive = axis < 0 ? axis + rank : axis;
            if (positive < 0 || positive >= rank)
            {
                return null;
            }

            result.Add(positive);
        }

        return [.. result];
    }
}
