namespace Optc.Backends.CArray;

/// <summary>A stream that turns the bytes written to it into lines of C hexadecimal constants.</summary>
/// <remarks>Nothing but one block of text is held, so a model of any size costs no memory of its size.</remarks>
internal sealed class HexWriter(Stream target) : Stream
{
    private const int BytesPerLine = 12;
    private const int TextPerByte = 6;
    private const int BlockBytes = BytesPerLine * 1024;

    private readonly byte[] _text = new byte[(BlockBytes * TextPerByte) + (BlockBytes / BytesPerLine * 4) + 8];
    private int _used;
    private long _count;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _count;

    public override long Position
    {
        get => _count;
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        foreach (byte value in buffer)
        {
            if (_used + TextPerByte + 4 > _text.Length)
            {
                Flush();
            }

            Append(_count % BytesPerLine == 0 ? "\n   "u8 : []);
            Append(" 0x"u8);
            _text[_used++] = HexDigit(value >> 4);
            _text[_used++] = HexDigit(value & 15);
            _text[_used++] = (byte)',';
            _count++;
        }
    }

    public override void Flush()
    {
        target.Write(_text, 0, _used);
        _used = 0;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static byte HexDigit(int value) => (byte)(value < 10 ? '0' + value : 'a' + value - 10);

    private void Append(ReadOnlySpan<byte> text)
    {
        text.CopyTo(_text.AsSpan(_used));
        _used += text.Length;
    }
}
