using System.Globalization;

namespace Optc.Formats;

/// <summary>
/// Bytes that are not what their format demands. The only exception that a reader of this assembly throws because of
/// what a file holds.
/// </summary>
public sealed class MalformedDataException : Exception
{
    public MalformedDataException()
        : this("The data is malformed.")
    {
    }

    public MalformedDataException(string message)
        : base(message)
    {
    }

    public MalformedDataException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <param name="offset">Place in bytes from the start of the file; -1 when only the path is known.</param>
    /// <param name="path">Place in the format's own words, e.g. <c>Model.subgraphs[0].tensors[7].shape</c>.</param>
    /// <param name="found">What stands there, as a noun phrase.</param>
    /// <param name="expected">What the format allows there, as a noun phrase.</param>
    public MalformedDataException(long offset, string path, string found, string expected)
        : base(Describe(offset, path, found, expected))
    {
        Offset = offset;
        Path = path;
        Found = found;
        Expected = expected;
    }

    /// <summary>
    /// As <see cref="MalformedDataException(long, string, string, string)"/>, with the error that was the cause.
    /// </summary>
    public MalformedDataException(long offset, string path, string found, string expected, Exception innerException)
        : base(Describe(offset, path, found, expected), innerException)
    {
        Offset = offset;
        Path = path;
        Found = found;
        Expected = expected;
    }

    /// <summary>Place in bytes from the start of the file; -1 when only the path is known.</summary>
    public long Offset { get; } = -1;

    public string Path { get; } = "";

    public string Found { get; } = "";

    public string Expected { get; } = "";

    private static string Describe(long offset, string path, string found, string expected)
    {
        string place = offset < 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" (byte 0x{offset:x})");
        return $"{path}{place}: found {found}, expected {expected}";
    }
}
