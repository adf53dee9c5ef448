namespace Optc.Ops.Kernels;

/// <summary>Checks that a strided view lies inside its buffer, before a kernel addresses it by pointer.</summary>
internal static class Extent
{
    /// <summary>Elements from the first to the last of a view of <paramref name="rows"/> x <paramref name="columns"/>.</summary>
    public static long Of(int rows, int rowStride, int columns, int columnStride) =>
        rows == 0 || columns == 0 ? 0 : ((rows - 1L) * rowStride) + ((columns - 1L) * columnStride) + 1;

    /// <exception cref="ArgumentException">The view reaches beyond <paramref name="length"/> or a stride is negative.</exception>
    public static void Require(int length, int rows, int rowStride, int columns, int columnStride, string name)
    {
        if (rowStride < 0 || columnStride < 0)
        {
            throw new ArgumentException("A stride is not negative.", name);
        }

        Require(length, Of(rows, rowStride, columns, columnStride), name);
    }

    /// <exception cref="ArgumentException">The buffer is shorter than needed.</exception>
    public static void Require(int length, long needed, string name)
    {
        if (length < needed)
        {
            throw new ArgumentException($"{length} elements, {needed} are needed.", name);
        }
    }

    /// <exception cref="ArgumentException">The array has another length.</exception>
    public static void RequireExactly(int length, long expected, string name)
    {
        if (length != expected)
        {
            throw new ArgumentException($"{length} elements, {expected} are expected.", name);
        }
    }
}
