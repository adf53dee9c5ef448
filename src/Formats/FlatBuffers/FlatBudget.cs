using System.Globalization;

namespace Optc.Formats.FlatBuffers;

/// <summary>
/// Bounds the work that a file can cause. Offsets may point at the same or at overlapping bytes any number of times, so
/// a small damaged file could otherwise describe a huge object.
/// </summary>
/// <remarks>
/// <para>Tables: each is read once, however many owners it has, and takes 4 bytes at least, so a file whose tables do not
/// overlap holds at most a quarter of its length.</para>
/// <para>Vectors and strings: distinct ones do not overlap in files that a writer has made, so they hold at most the
/// length of the file; twice that is granted. The same one may be referenced often (writers share equal ones); what all
/// references together stand for is bounded by 256 times the length.</para>
/// </remarks>
internal sealed class FlatBudget(int fileLength)
{
    private long tables = (fileLength / 4) + 1024;
    private long distinctBytes = (2L * fileLength) + 4096;
    private long referencedBytes = (256L * fileLength) + (1 << 20);

    public void ChargeTable(int position, FlatPath path)
    {
        if (--tables < 0)
        {
            throw new MalformedDataException(
                position, path.ToString(), Found("tables"), "offsets that do not repeat themselves");
        }
    }

    /// <param name="bytes">The vector with its length, in bytes.</param>
    /// <param name="isFirst">Whether nothing has referred to this vector before.</param>
    public void ChargeVector(int position, long bytes, bool isFirst, FlatPath path)
    {
        distinctBytes -= isFirst ? bytes : 0;
        referencedBytes -= bytes;
        if (distinctBytes < 0 || referencedBytes < 0)
        {
            throw new MalformedDataException(
                position, path.ToString(), Found("vectors"), "vectors that do not overlap");
        }
    }

    private string Found(string what) => string.Create(
        CultureInfo.InvariantCulture, $"more {what} than a file of {fileLength} bytes can hold");
}
