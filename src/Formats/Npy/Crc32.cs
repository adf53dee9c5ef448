namespace Optc.Formats.Npy;

/// <summary>The cyclic redundancy check that zip archives store for each entry; .NET does not verify it.</summary>
/// <remarks>Polynomial 0x04C11DB7, reflected, initial and final value all ones: PKWARE APPNOTE 4.4.7.</remarks>
internal static class Crc32
{
    private const uint ReflectedPolynomial = 0xEDB88320;

    private static readonly uint[] Table = MakeTable();

    /// <summary>Continues a check; start with zero.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        uint[] table = Table;
        crc = ~crc;
        while (data.Length >= 4)
        {
            // Four bytes a step ("slicing"): each of the four tables advances its byte past the ones after it.
            crc ^= (uint)(data[0] | (data[1] << 8) | (data[2] << 16) | (data[3] << 24));
            crc = table[768 + (byte)crc] ^ table[512 + (byte)(crc >> 8)]
                ^ table[256 + (byte)(crc >> 16)] ^ table[crc >> 24];
            data = data[4..];
        }

        foreach (byte value in data)
        {
            crc = table[(byte)(crc ^ value)] ^ (crc >> 8);
        }

        return ~crc;
    }

    private static uint[] MakeTable()
    {
        uint[] table = new uint[4 * 256];
        for (uint n = 0; n < 256; n++)
        {
            uint value = n;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value & 1) == 0 ? value >> 1 : (value >> 1) ^ ReflectedPolynomial;
            }

            table[n] = value;
        }

        for (int n = 256; n < table.Length; n++)
        {
            table[n] = table[(byte)table[n - 256]] ^ (table[n - 256] >> 8);
        }

        return table;
    }
}
