using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Optc.Ir.Text;

/// <summary>Gives an op its attributes back from the text form.</summary>
/// <param name="entries">Printed value by name.</param>
public sealed class AttributeReader(IReadOnlyDictionary<string, string> entries)
{
    private readonly HashSet<string> _read = [];

    /// <summary>Attributes that were given but that the op did not ask for.</summary>
    public IEnumerable<string> Unread => entries.Keys.Where(k => !_read.Contains(k)).Order(StringComparer.Ordinal);

    public int Int(string name) => Number(name, int.Parse);

    public long Long(string name) => Number(name, long.Parse);

    public float Float(string name) => Number(name, float.Parse);

    public bool Bool(string name) => Text(name) switch
    {
        "true" => true,
        "false" => false,
        string text => throw Wrong(name, text, "true or false"),
    };

    public string String(string name)
    {
        string text = Text(name);
        return text.Length >= 2 && text[0] == '"' && text[^1] == '"'
            ? Unquote(text[1..^1])
            : throw Wrong(name, text, "a quoted string");
    }

    public TEnum Enum<TEnum>(string name)
        where TEnum : struct, Enum =>
        System.Enum.TryParse(Text(name), out TEnum value) ? value : throw Wrong(name, Text(name), $"one of {string.Join(", ", System.Enum.GetNames<TEnum>())}");

    public ImmutableArray<int> Ints(string name)
    {
        string text = Text(name);
        if (text.Length < 2 || text[0] != '[' || text[^1] != ']')
        {
            throw Wrong(name, text, "integers between brackets");
        }

        string inner = text[1..^1].Trim();
        try
        {
            return inner.Length == 0 ? [] : [.. inner.Split(',').Select(p => int.Parse(p.Trim(), NumberStyles.Integer, CultureInfo.InvariantCulture))];
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw Wrong(name, text, "integers between brackets");
        }
    }

    /// <summary>The inverse of <see cref="AttributeWriter.Quote"/>, without the quotation marks.</summary>
    internal static string Unquote(string inner)
    {
        StringBuilder plain = new(inner.Length);
        for (int i = 0; i < inner.Length; i++)
        {
            bool escaped = inner[i] == '\\' && i + 1 < inner.Length;
            char c = escaped ? inner[++i] : inner[i];
            plain.Append((escaped, c) switch
            {
                (true, 'n') => '\n',
                (true, 'r') => '\r',
                _ => c,
            });
        }

        return plain.ToString();
    }

    private static OpRuleException Wrong(string name, string found, string expected) =>
        new($"attribute '{name}' has a value that is not allowed") { Found = found, Expected = expected };

    private string Text(string name)
    {
        _read.Add(name);
        return entries.TryGetValue(name, out string? text)
            ? text
            : throw new OpRuleException($"attribute '{name}' is missing") { Expected = $"{name}: ..." };
    }

    private T Number<T>(string name, Func<string, NumberStyles, IFormatProvider, T> parse)
    {
        string text = Text(name);
        try
        {
            return parse(text, typeof(T) == typeof(float) ? NumberStyles.Float : NumberStyles.Integer, CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw Wrong(name, text, "a number");
        }
    }
}
