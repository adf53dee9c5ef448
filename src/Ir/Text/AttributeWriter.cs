using System.Globalization;
using System.Text;

namespace Optc.Ir.Text;

/// <summary>Receives the attributes of an op, in the order in which the text form shows them.</summary>
public sealed class AttributeWriter
{
    private readonly List<(string Name, string Text)> _entries = [];

    /// <summary>Name and printed value of each attribute.</summary>
    public IReadOnlyList<(string Name, string Text)> Entries => _entries;

    public AttributeWriter Add(string name, long value) => AddText(name, value.ToString(CultureInfo.InvariantCulture));

    public AttributeWriter Add(string name, float value) => AddText(name, value.ToString("R", CultureInfo.InvariantCulture) is var t && t.AsSpan().IndexOfAny(".EeNI") < 0 ? t + ".0" : value.ToString("R", CultureInfo.InvariantCulture));

    public AttributeWriter Add(string name, bool value) => AddText(name, value ? "true" : "false");

    public AttributeWriter Add(string name, string value) => AddText(name, Quote(value));

    public AttributeWriter Add<TEnum>(string name, TEnum value)
        where TEnum : struct, Enum => AddText(name, value.ToString());

    public AttributeWriter Add(string name, IEnumerable<int> values) =>
        AddText(name, $"[{string.Join(", ", values.Select(v => v.ToString(CultureInfo.InvariantCulture)))}]");

    /// <summary><c>{ a: 1, b: same }</c>, or nothing without attributes.</summary>
    public override string ToString() =>
        _entries.Count == 0 ? "" : $"{{ {string.Join(", ", _entries.Select(e => $"{e.Name}: {e.Text}"))} }}";

    /// <summary>The attributes of an op as text: equal texts mean equal ops of one type.</summary>
    public static string TextOf(IOp op)
    {
        AttributeWriter writer = new();
        op.Describe(writer);
        return writer.ToString();
    }

    internal static string Quote(string value) => new StringBuilder(value, value.Length + 2)
        .Replace("\\", "\\\\")
        .Replace("\"", "\\\"")
        .Replace("\n", "\\n")
        .Replace("\r", "\\r")
        .Insert(0, '"')
        .Append('"')
        .ToString();

    private AttributeWriter AddText(string name, string text)
    {
        _entries.Add((name, text));
        return this;
    }
}
