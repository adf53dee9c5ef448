using System.Collections.Immutable;
using System.Globalization;
using System.IO.Compression;

namespace Optc.Formats.Npy;

/// <summary>NumPy's archive of named arrays, <c>.npz</c>: a zip file with one <c>.npy</c> file per array.</summary>
/// <remarks>
/// <para>
/// Opening reads the directory alone. No entry can make the reader allocate more than the limit, nor more than the
/// compressed bytes present could hold, whatever its headers claim. The check sum of an array is verified.
/// </para>
/// <para>Files in the archive that do not end in <c>.npy</c> are no arrays and are not listed.</para>
/// <para>Not for use by two threads at once; several row readers of one archive may be used in turn.</para>
/// </remarks>
public sealed class NpzReader : IDisposable
{
    private const string Extension = ".npy";

    /// <summary>
    /// Deflate spends at least one bit on a length of 258 and one on its distance: 258 * 8 / 2 bytes per byte.
    /// </summary>
    private const long MaxInflation = 1032;

    /// <summary>Covers the end of a short deflate stream, whose last byte may be partly used.</summary>
    private const long InflationSlack = 2 * MaxInflation;

    private readonly ZipArchive _archive;
    private readonly long _maxBytes;
    private readonly Dictionary<string, ZipArchiveEntry> _files = new(StringComparer.Ordinal);

    private NpzReader(Stream stream, long maxBytes)
    {
        _maxBytes = Math.Min(maxBytes, Array.MaxLength);
        ImmutableArray<NpzEntry>.Builder entries = ImmutableArray.CreateBuilder<NpzEntry>();
        try
        {
            _archive = new(stream, ZipArchiveMode.Read, leaveOpen: false);
            foreach (ZipArchiveEntry file in _archive.Entries)
            {
                if (!file.FullName.EndsWith(Extension, StringComparison.Ordinal))
                {
                    continue;
                }

                string name = file.FullName[..^Extension.Length];
                if (!_files.TryAdd(name, file))
                {
                    throw new MalformedDataException(-1, "directory", $"two arrays named '{name}'", "each name once");
                }

                entries.Add(new(name, file.CompressedLength, file.Length));
            }
        }
        catch (Exception e)
        {
            stream.Dispose();
            if (IsDamage(e))
            {
                throw new MalformedDataException(
                    -1,
                    "directory",
                    "bytes that are not a readable zip archive",
                    "an .npz file, which is a zip archive",
                    e);
            }

            throw;
        }

        Entries = entries.ToImmutable();
    }

    /// <summary>The arrays in the order of the archive's directory; nothing is inflated to list them.</summary>
    public ImmutableArray<NpzEntry> Entries { get; }

    /// <param name="path">Path of the archive; it stays open until the reader is disposed.</param>
    /// <param name="maxBytes">Most bytes that one array read whole, or one batch of rows, may take.</param>
    /// <exception cref="MalformedDataException">The file is no zip archive, or names an array twice.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static NpzReader Open(string path, long maxBytes = NpyRowReader.DefaultMaxBytes) =>
        new(File.OpenRead(path), maxBytes);

    /// <param name="archive">The whole archive.</param>
    /// <param name="maxBytes">Most bytes that one array read whole, or one batch of rows, may take.</param>
    /// <exception cref="MalformedDataException">The bytes are no zip archive, or name an array twice.</exception>
    public static NpzReader Open(byte[] archive, long maxBytes = NpyRowReader.DefaultMaxBytes) =>
        new(new MemoryStream(archive, writable: false), maxBytes);

    public bool Contains(string name) => _files.ContainsKey(name);

    /// <summary>Type and shape of an array; only the header is inflated.</summary>
    /// <exception cref="MalformedDataException">
    /// No such array, or its header is damaged or refused (see <see cref="NpyFile.Read"/>).
    /// </exception>
    public NpyHeader ReadHeader(string name)
    {
        using NpySource source = OpenSource(name);
        return source.Header;
    }

    /// <summary>Reads a whole array.</summary>
    /// <exception cref="MalformedDataException">
    /// No such array, it is damaged or refused, or it is larger than the limit.
    /// </exception>
    public NpyArray Read(string name)
    {
        using NpySource source = OpenSource(name);
        NpyRowReader.CheckLimit(source, source.Header.DataLength, _maxBytes, "an array");
        return source.ReadAll();
    }

    /// <summary>Opens an array to read it in batches of rows of its first axis.</summary>
    /// <exception cref="MalformedDataException">
    /// No such array, its header is damaged or refused, or it is a scalar.
    /// </exception>
    public NpyRowReader OpenRows(string name) => NpyRowReader.Open(OpenSource(name), _maxBytes);

    public void Dispose() => _archive.Dispose();

    private NpySource OpenSource(string name)
    {
        string place = name + " > ";
        if (!_files.TryGetValue(name, out ZipArchiveEntry? file))
        {
            throw new MalformedDataException(
                -1,
                "directory",
                $"no array '{name}'",
                Entries.IsEmpty
                    ? "an archive with arrays"
                    : "one of " + string.Join(", ", Entries.Select(entry => $"'{entry.Name}'")));
        }

        if (file.IsEncrypted)
        {
            throw new MalformedDataException(-1, place + "entry", "an encrypted entry", "an entry without a password");
        }

        // The quotient and not the product is compared: the lengths are whatever the file says.
        if ((file.Length - InflationSlack) / MaxInflation > file.CompressedLength)
        {
            throw new MalformedDataException(
                -1,
                place + "entry",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{file.Length} bytes declared for {file.CompressedLength} compressed bytes"),
                string.Create(CultureInfo.InvariantCulture, $"at most {MaxInflation} bytes for one, as deflate can hold"));
        }

        Stream stream;
        try
        {
            stream = file.Open();
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw new MalformedDataException(
                -1,
                place + "entry",
                "an entry whose local header is damaged or whose compression is unknown",
                "a stored or deflated entry",
                e);
        }

        return new(stream, file.Length, file.Crc32, place);
    }

    /// <summary>What System.IO.Compression throws for archives whose fields contradict each other.</summary>
    private static bool IsDamage(Exception e) => e is InvalidDataException or EndOfStreamException
        or NotSupportedException or ArgumentException or OverflowException;
}
