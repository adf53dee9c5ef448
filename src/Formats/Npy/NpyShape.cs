using System.Globalization;
using System.Text;

namespace Optc.Formats.Npy;

/// <summary>Sizes of shapes that may come from a damaged file, and their spelling.</summary>
internal static class NpyShape
{
    /// <summary>NumPy 2 allows 64 axes; no file of NumPy has more.</summary>
    public const int MaxRank = 64;

    /// <summary>
    /// Bytes of an array. False where an axis is negative or where the product of the axes other than zero leaves
    /// 64 bits: such a shape is refused even if an axis of zero would make the array empty, so that strides and the
    /// sizes of rows may be computed without further checks.
    /// </summary>
    public static bool TryCountBytes(ReadOnlySpan<int> shape, NpyType type, out long bytes)
    {
        bytes = 0;
        long product = type.ByteSize();
        bool empty = false;
        foreach (int axis in shape)
        {
            if (axis < 0 || (axis > 0 && product > long.MaxValue / axis))
            {
                return false;
            }

            empty |= axis == 0;
            product *= Math.Max(axis, 1);
        }

        bytes = empty ? 0 : product;
        return true;
    }

    /// <summary>A shape as Python prints a tuple: <c>()</c>, <c>(3,)</c>, <c>(3, 4)</c>.</summary>
    public static string Format(ReadOnlySpan<int> shape)
    {
        StringBuilder text = new("(");
        for (int i = 0; i < shape.Length; i++)
        {
            text.Append(i == 0 ? "" : ", ").Append(shape[i].ToString(CultureInfo.InvariantCulture));
        }

        return text.Append(shape.Length == 1 ? ",)" : ")").ToString();
    }
}
