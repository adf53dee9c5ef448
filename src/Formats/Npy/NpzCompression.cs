namespace Optc.Formats.Npy;

/// <summary>How the arrays of an archive are stored.</summary>
public enum NpzCompression
{
    /// <summary>As they are, like <c>numpy.savez</c>: the same bytes on every machine.</summary>
    Stored,

    /// <summary>
    /// Deflated, like <c>numpy.savez_compressed</c>. The arrays are the same on every machine; the compressed bytes may
    /// change with the version of the zlib that .NET carries.
    /// </summary>
    Deflated,
}
