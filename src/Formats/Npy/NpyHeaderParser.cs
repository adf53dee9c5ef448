using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Optc.Formats.Npy;

/// <summary>Reads the dictionary literal in the header of an <c>.npy</c> file; nothing else of Python.</summary>
/// <remarks>
/// Spacing, the order of the keys, the kind of quotes and a comma before the closing brace are free. Keys must be
/// exactly the three of the format, each once.
/// </remarks>
internal ref struct NpyHeaderParser(ReadOnlySpan<byte> text, int textOffset, string place)
{
    private readonly ReadOnlySpan<byte> _text = text;
    private int _at;

    public (NpyType Type, bool BigEndian, bool FortranOrder, ImmutableArray<int> Shape) Parse()
    {
        (NpyType Type, bool BigEndian)? descr = null;
        bool? fortranOrder = null;
        ImmutableArray<int>? shape = null;

        Expect('{', "header", "a dictionary with the keys 'descr', 'fortran_order' and 'shape'");
        while (!TryTake('}'))
        {
            int keyAt = _at;
            string key = TakeString("header", "a key in quotes");
            Expect(':', "header", "':' after a key");
            switch (key)
            {
                case "descr" when descr is null:
                    descr = TakeType();
                    break;
                case "fortran_order" when fortranOrder is null:
                    fortranOrder = TakeBoolean();
                    break;
                case "shape" when shape is null:
                    shape = TakeShape();
                    break;
                default:
                    throw Malformed(
                        "header",
                        keyAt,
                        $"the key '{key}'",
                        "'descr', 'fortran_order' and 'shape', each once");
            }

            if (!TryTake(','))
            {
                Expect('}', "header", "',' or '}' after a value");
                break;
            }
        }

        SkipSpace();
        if (_at < _text.Length)
        {
            throw Malformed("header", _at, Found(), "only spaces after the dictionary");
        }

        return (descr, fortranOrder, shape) switch
        {
            ({ } type, { } order, { } axes) => (type.Type, type.BigEndian, order, axes),
            (null, _, _) => throw Malformed("header", 0, "no key 'descr'", "'descr', 'fortran_order' and 'shape'"),
            (_, null, _) => throw Malformed(
                "header",
                0,
                "no key 'fortran_order'",
                "'descr', 'fortran_order' and 'shape'"),
            _ => throw Malformed("header", 0, "no key 'shape'", "'descr', 'fortran_order' and 'shape'"),
        };
    }

    private (NpyType Type, bool BigEndian) TakeType()
    {
        const string Expected = "b1, i1 to i8, u1 to u8, f2, f4 or f8, little or big endian";
        SkipSpace();
        int at = _at;
        if (at < _text.Length && _text[at] == '[')
        {
            throw Malformed("header.descr", at, "a structured type with named fields", Expected);
        }

        string descr = TakeString("header.descr", Expected);
        char order = descr.Length > 0 ? descr[0] : '\0';
        string code = order is '<' or '>' or '|' ? descr[1..] : descr;
        if (NpyTypes.FromCode(code) is not { } type)
        {
            string kind = (code.Length > 0 ? code[0] : '\0') switch
            {
                'c' => " (complex numbers)",
                'U' or 'S' or 'a' => " (strings)",
                'O' => " (pickled Python objects)",
                'M' or 'm' => " (dates or time spans)",
                'V' => " (raw records)",
                _ => "",
            };
            throw Malformed("header.descr", at, $"'{descr}'{kind}", Expected);
        }

        if (type.ByteSize() > 1 && order is not ('<' or '>'))
        {
            throw Malformed(
                "header.descr",
                at,
                $"'{descr}', without a byte order",
                "'<' or '>' before a type of several bytes");
        }

        return (type, order == '>' && type.ByteSize() > 1);
    }

    private bool TakeBoolean()
    {
        SkipSpace();
        ReadOnlySpan<byte> rest = _text[_at..];
        if (rest.StartsWith("True"u8))
        {
            _at += 4;
            return true;
        }

        if (rest.StartsWith("False"u8))
        {
            _at += 5;
            return false;
        }

        throw Malformed("header.fortran_order", _at, Found(), "True or False");
    }

    private ImmutableArray<int> TakeShape()
    {
        Expect('(', "header.shape", "a tuple of axis lengths, such as (3, 4)");
        ImmutableArray<int>.Builder shape = ImmutableArray.CreateBuilder<int>();
        while (!TryTake(')'))
        {
            if (shape.Count == NpyShape.MaxRank)
            {
                throw Malformed(
                    "header.shape",
                    _at,
                    "one more axis",
                    string.Create(CultureInfo.InvariantCulture, $"at most {NpyShape.MaxRank} axes"));
            }

            shape.Add(TakeAxis());
            if (!TryTake(','))
            {
                if (shape.Count == 1)
                {
                    throw Malformed("header.shape", _at, Found(), "',' after the only axis, which makes it a tuple");
                }

                Expect(')', "header.shape", "',' or ')' after an axis");
                break;
            }
        }

        return shape.ToImmutable();
    }

    private int TakeAxis()
    {
        const string Expected = "an axis length from 0 to 2147483647";
        SkipSpace();
        int start = _at;
        long axis = 0;
        while (_at < _text.Length && char.IsAsciiDigit((char)_text[_at]))
        {
            axis = (axis * 10) + (_text[_at] - '0');
            if (axis > int.MaxValue)
            {
                throw Malformed("header.shape", start, "an axis beyond 2147483647", Expected);
            }

            _at++;
        }

        if (_at == start || (_text[start] == '0' && _at > start + 1))
        {
            throw Malformed("header.shape", start, Found(start), Expected);
        }

        // Python 2 wrote its long integers with this letter.
        if (_at < _text.Length && _text[_at] == 'L')
        {
            _at++;
        }

        return (int)axis;
    }

    private string TakeString(string path, string expected)
    {
        SkipSpace();
        int start = _at;
        if (start == _text.Length || _text[start] is not ((byte)'\'' or (byte)'"'))
        {
            throw Malformed(path, start, Found(), expected);
        }

        ReadOnlySpan<byte> rest = _text[(start + 1)..];
        int length = rest.IndexOf(_text[start]);
        if (length < 0
            || rest[..length].Contains((byte)'\\')
            || rest[..length].ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            throw Malformed(path, start, "a string that does not end or has escapes or other characters", expected);
        }

        _at = start + length + 2;
        return Encoding.ASCII.GetString(rest[..length]);
    }

    private bool TryTake(char token)
    {
        SkipSpace();
        if (_at == _text.Length || _text[_at] != token)
        {
            return false;
        }

        _at++;
        return true;
    }

    private void Expect(char token, string path, string expected)
    {
        if (!TryTake(token))
        {
            throw Malformed(path, _at, Found(), expected);
        }
    }

    private void SkipSpace()
    {
        while (_at < _text.Length && _text[_at] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
        {
            _at++;
        }
    }

    private readonly string Found() => Found(_at);

    private readonly string Found(int at)
    {
        if (at >= _text.Length)
        {
            return "the end of the header";
        }

        StringBuilder shown = new("'");
        foreach (byte character in _text.Slice(at, Math.Min(16, _text.Length - at)))
        {
            shown.Append(character is >= (byte)' ' and <= (byte)'~' ? (char)character : '?');
        }

        return shown.Append('\'').ToString();
    }

    private readonly MalformedDataException Malformed(string path, int at, string found, string expected) =>
        new(textOffset + at, place + path, found, expected);
}
