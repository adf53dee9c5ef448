namespace Optc.Ops.Kernels;

/// <summary>4-bit integers packed two to a byte, low nibble first, over the whole tensor.</summary>
public static class Nibbles
{
    /// <summary>Signed values -8..7.</summary>
    /// <param name="packed">At least <c>(count + 1) / 2</c> bytes.</param>
    public static sbyte[] UnpackSigned(ReadOnlySpan<byte> packed, int count)
    {
        sbyte[] values = new sbyte[count];
        for (int i = 0; i < count; i++)
        {
            int nibble = (packed[i >> 1] >> ((i & 1) * 4)) & 15;
            values[i] = (sbyte)((nibble ^ 8) - 8);
        }

        return values;
    }
}
