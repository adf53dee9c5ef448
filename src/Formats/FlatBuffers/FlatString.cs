using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Optc.Formats.FlatBuffers;

/// <summary>
/// Strings of a file as .NET strings and back. A file may hold bytes that are no UTF-8; each becomes one lone surrogate
/// U+DC80..U+DCFF, which no valid UTF-8 decodes to, and becomes that byte again when written. (The convention is that
/// of Python's <c>surrogateescape</c>, PEP 383.)
/// </summary>
internal static class FlatString
{
    private const char FirstEscape = '\uDC80';
    private const char LastEscape = '\uDCFF';
    private const char EscapeBase = '\uDC00';

    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        StringBuilder text = new(bytes.Length);
        Span<char> pair = stackalloc char[2];
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed) == OperationStatus.Done)
            {
                text.Append(pair[..rune.EncodeToUtf16(pair)]);
            }
            else
            {
                foreach (byte invalid in bytes[..consumed])
                {
                    text.Append((char)(EscapeBase + invalid));
                }
            }

            bytes = bytes[consumed..];
        }

        return text.ToString();
    }

    /// <summary>
    /// The bytes of a string. Lone surrogates other than the escapes have no encoding and become U+FFFD, as everywhere
    /// in .NET.
    /// </summary>
    public static byte[] Encode(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange(FirstEscape, LastEscape) < 0)
        {
            return Encoding.UTF8.GetBytes(text);
        }

        ArrayBufferWriter<byte> bytes = new(text.Length + 16);
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            OperationStatus status = Rune.DecodeFromUtf16(rest, out Rune rune, out int consumed);
            if (status != OperationStatus.Done && rest[0] is >= FirstEscape and <= LastEscape)
            {
                bytes.Write([(byte)(rest[0] - EscapeBase)]);
            }
            else
            {
                bytes.Advance(rune.EncodeToUtf8(bytes.GetSpan(4)));
            }

            rest = rest[consumed..];
        }

        return bytes.WrittenSpan.ToArray();
    }
}
