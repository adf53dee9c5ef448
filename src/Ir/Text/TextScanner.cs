using System.Globalization;

namespace Optc.Ir.Text;

/// <summary>Walks over a text and knows where it is. White space and <c>// comments</c> are skipped before each token.</summary>
internal sealed class TextScanner(string text)
{
    private int _position;

    /// <summary>Place of the next token.</summary>
    public int Position
    {
        get
        {
            Skip();
            return _position;
        }
    }

    public bool IsAtEnd => Position == text.Length;

    /// <summary>The character that was taken last.</summary>
    public char Previous => _position > 0 ? text[_position - 1] : '\0';

    public bool IsNext(params ReadOnlySpan<string> tokens)
    {
        ReadOnlySpan<char> rest = text.AsSpan(Position);
        foreach (string token in tokens)
        {
            if (rest.StartsWith(token, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    public bool TryTake(string token)
    {
        bool isNext = IsNext(token);
        _position += isNext ? token.Length : 0;
        return isNext;
    }

    /// <summary>As <see cref="TryTake"/>, for a word that must not go on.</summary>
    public bool TryTakeWord(string word)
    {
        int end = Position + word.Length;
        return (end >= text.Length || !ValueNames.IsBare(text[end])) && TryTake(word);
    }

    public void Expect(string token)
    {
        if (!TryTake(token))
        {
            throw Error("something else was expected", null, token);
        }
    }

    /// <summary>A run of letters, digits, <c>_</c>, <c>.</c> and <c>/</c>.</summary>
    public string Word()
    {
        int start = Position;
        while (_position < text.Length && ValueNames.IsBare(text[_position]) && !text.AsSpan(_position).StartsWith("//"))
        {
            _position++;
        }

        return _position > start ? text[start.._position] : throw Error("a name is missing", null, "a name");
    }

    /// <summary>A word or a quoted string.</summary>
    public string Name() => IsNext("\"") ? Quoted() : Word();

    /// <summary>The content of a quoted string.</summary>
    public string Quoted() => AttributeReader.Unquote(RawQuoted()[1..^1]);

    /// <summary>What is directly behind the last token, without white space between.</summary>
    public bool TryTakeAdjacent(char c)
    {
        bool isNext = _position < text.Length && text[_position] == c;
        _position += isNext ? 1 : 0;
        return isNext;
    }

    public bool IsAdjacentName => _position < text.Length && (text[_position] == '"' || ValueNames.IsBare(text[_position]));

    public int Int() => Number<int>(int.TryParse, NumberStyles.AllowLeadingSign, "an integer");

    public long Long() => Number<long>(long.TryParse, NumberStyles.AllowLeadingSign, "an integer");

    public float Float() => Number<float>(float.TryParse, NumberStyles.Float, "a number");

    /// <summary>One number, word or <c>-Infinity</c> of a list.</summary>
    public string Item()
    {
        int start = Position;
        while (_position < text.Length && (char.IsAsciiLetterOrDigit(text[_position]) || text[_position] is '.' or '+' or '-' or '_'))
        {
            _position++;
        }

        return _position > start ? text[start.._position] : throw Error("an element is missing", null, "a number");
    }

    /// <summary><c>[a, b, ...]</c>.</summary>
    public List<T> List<T>(Func<TextScanner, T> read)
    {
        List<T> items = [];
        Expect("[");
        while (!TryTake("]"))
        {
            if (items.Count > 0)
            {
                Expect(",");
            }

            items.Add(read(this));
        }

        return items;
    }

    /// <summary>The printed value of an attribute, as it stands: a string, a bracketed list, a number or a word.</summary>
    public string RawValue()
    {
        if (IsNext("\""))
        {
            return RawQuoted();
        }

        if (!IsNext("["))
        {
            return Item();
        }

        int start = Position;
        int depth = 0;
        do
        {
            if (IsNext("\""))
            {
                _ = RawQuoted();
                continue;
            }

            if (IsAtEnd)
            {
                throw Error("a list has no end", null, "]", start);
            }

            depth += text[_position] switch
            {
                '[' => 1,
                ']' => -1,
                _ => 0,
            };
            _position++;
        }
        while (depth > 0);
        return text[start.._position];
    }

    /// <summary>A problem at the next token, or at a given place.</summary>
    /// <param name="found">What was found; the next characters when left out.</param>
    public DiagnosticException Error(string message, string? found, string? expected, int? at = null)
    {
        int place = at ?? Position;
        int line = 1 + text.AsSpan(0, place).Count('\n');
        int column = place - text.LastIndexOf('\n', Math.Max(place - 1, 0), Math.Max(place, 0));
        return new(new Diagnostic(DiagnosticId.TextSyntax, message)
        {
            At = [$"line {line}, column {column}"],
            Found = found ?? (place >= text.Length ? "the end of the text" : Excerpt(place)),
            Expected = expected,
        });
    }

    private string Excerpt(int place)
    {
        int end = text.IndexOf('\n', place);
        return text[place..Math.Min(end < 0 ? text.Length : end, place + 24)];
    }

    private string RawQuoted()
    {
        int start = Position;
        Expect("\"");
        while (_position < text.Length && text[_position] != '"')
        {
            _position += text[_position] == '\\' ? 2 : 1;
        }

        if (_position >= text.Length)
        {
            _position = text.Length;
            throw Error("a quoted string has no end", null, "\"", start);
        }

        _position++;
        return text[start.._position];
    }

    private delegate bool TryParse<T>(string text, NumberStyles styles, IFormatProvider culture, out T value);

    private T Number<T>(TryParse<T> parse, NumberStyles styles, string expected)
    {
        int start = Position;
        string item = Item();
        return parse(item, styles, CultureInfo.InvariantCulture, out T value) ? value : throw Error("a number is not readable", item, expected, start);
    }

    private void Skip()
    {
        while (_position < text.Length)
        {
            if (char.IsWhiteSpace(text[_position]))
            {
                _position++;
            }
            else if (text.AsSpan(_position).StartsWith("//"))
            {
                int end = text.IndexOf('\n', _position);
                _position = end < 0 ? text.Length : end;
            }
            else
            {
                return;
            }
        }
    }
}
