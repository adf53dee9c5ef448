using System.Buffers.Binary;
using System.IO.Compression;

namespace Optc.Formats.Npy;

/// <summary>Writes <c>.npz</c> archives that depend on nothing but the arrays: no clock, no operating system.</summary>
public static class NpzFile
{
    private const uint CentralHeaderSignature = 0x02014b50;
    private const int CentralHeaderLength = 46;
    private const int EndRecordLength = 22;

    /// <summary>The earliest time a zip archive can hold, which NumPy writes too.</summary>
    private static readonly DateTimeOffset Timestamp = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <param name="compression">Stored or deflated, for all arrays.</param>
    /// <param name="arrays">Names, without <c>.npy</c>, and arrays, in the order of the archive.</param>
    /// <returns>The archive.</returns>
    /// <exception cref="ArgumentException">A name is empty or appears twice.</exception>
    public static byte[] Write(NpzCompression compression, params ReadOnlySpan<(string Name, NpyArray Array)> arrays)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        using MemoryStream stream = new();
        using (ZipArchive archive = new(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, NpyArray array) in arrays)
            {
                if (name.Length == 0 || !names.Add(name))
                {
                    throw new ArgumentException($"The name '{name}' is empty or appears twice.", nameof(arrays));
                }

                ZipArchiveEntry entry = archive.CreateEntry(
                    name + ".npy",
                    compression == NpzCompression.Stored ? CompressionLevel.NoCompression : CompressionLevel.Optimal);
                entry.LastWriteTime = Timestamp;
                entry.ExternalAttributes = 0;
                using Stream body = entry.Open();
                body.Write(NpyHeader.Format(array.Type, array.Shape.AsSpan()));
                body.Write(array.Data.Span);
            }
        }

        byte[] file = stream.ToArray();
        ClearOperatingSystem(file);
        return file;
    }

    /// <summary>
    /// .NET notes the operating system it ran on in the upper byte of "version made by" (PKWARE APPNOTE 4.4.2) and
    /// offers no way to choose it; zero says that the attributes, which are zero, are those of MS-DOS.
    /// </summary>
    private static void ClearOperatingSystem(Span<byte> file)
    {
        int at = checked((int)BinaryPrimitives.ReadUInt32LittleEndian(file[^EndRecordLength..][16..]));
        while (BinaryPrimitives.ReadUInt32LittleEndian(file[at..]) == CentralHeaderSignature)
        {
            Span<byte> header = file[at..];
            header[5] = 0;
            at += CentralHeaderLength + BinaryPrimitives.ReadUInt16LittleEndian(header[28..])
                + BinaryPrimitives.ReadUInt16LittleEndian(header[30..])
                + BinaryPrimitives.ReadUInt16LittleEndian(header[32..]);
        }
    }
}
