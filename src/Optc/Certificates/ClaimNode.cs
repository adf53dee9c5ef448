using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Optc.Ir;

namespace Optc.Certificates;

/// <summary>A place in the JSON of a certificate, with its path for messages.</summary>
internal readonly record struct ClaimNode(JsonElement Element, string Path)
{
    public ClaimNode this[string field] => IsObject && Element.TryGetProperty(field, out JsonElement value)
        ? new(value, $"{Path}.{field}")
        : throw Wrong("nothing", $"a field '{field}'");

    private bool IsObject => Element.ValueKind == JsonValueKind.Object;

    public bool Has(string field) => IsObject && Element.TryGetProperty(field, out _);

    /// <summary>An object with these fields, each once, and no others.</summary>
    public void Fields(ReadOnlySpan<string> required, ReadOnlySpan<string> optional)
    {
        if (!IsObject)
        {
            throw Wrong(Kind, "an object");
        }

        HashSet<string> seen = [];
        foreach (JsonProperty field in Element.EnumerateObject())
        {
            if (!required.Contains(field.Name) && !optional.Contains(field.Name))
            {
                throw Wrong($"a field '{field.Name}'", "only fields of the format");
            }

            if (!seen.Add(field.Name))
            {
                throw Wrong($"the field '{field.Name}' twice", "each field once");
            }
        }

        foreach (string field in required)
        {
            _ = this[field];
        }
    }

    public ImmutableArray<ClaimNode> Items()
    {
        if (Element.ValueKind != JsonValueKind.Array)
        {
            throw Wrong(Kind, "an array");
        }

        ImmutableArray<ClaimNode>.Builder items = ImmutableArray.CreateBuilder<ClaimNode>(Element.GetArrayLength());
        foreach (JsonElement item in Element.EnumerateArray())
        {
            items.Add(new(item, string.Create(CultureInfo.InvariantCulture, $"{Path}[{items.Count}]")));
        }

        return items.MoveToImmutable();
    }

    public string Text() => Element.ValueKind == JsonValueKind.String ? Element.GetString()! : throw Wrong(Kind, "a text");

    public string Word(ImmutableArray<string> words)
    {
        string text = Text();
        return words.Contains(text) ? text : throw Wrong($"'{text}'", string.Join(", ", words.Select(w => $"'{w}'")));
    }

    public long Integer() => Element.ValueKind == JsonValueKind.Number && Element.TryGetInt64(out long value)
        ? value
        : throw Wrong(Kind, "a whole number of 64 bits");

    public long Natural() => Integer() is >= 0 and long value ? value : throw Wrong("a negative number", "zero or more");

    /// <summary>A number that can be an index or a count.</summary>
    public int Index() => Natural() is <= int.MaxValue and long value ? (int)value : throw Wrong("a number above 2147483647", "an index");

    public DiagnosticException Wrong(string found, string expected) =>
        Refusal.Malformed("the certificate does not follow its format", found, expected, Path);

    private string Kind => Element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number of another kind",
        JsonValueKind.True or JsonValueKind.False => "a truth value",
        _ => "nothing",
    };
}
