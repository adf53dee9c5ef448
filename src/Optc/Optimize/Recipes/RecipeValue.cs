using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Optc.Ir;
using YamlDotNet.RepresentationModel;

namespace Optc.Optimize.Recipes;

/// <summary>A kind of value in a recipe: how it is read, printed and described.</summary>
internal abstract class RecipeValue<T>
{
    /// <summary>What is allowed, for messages and the page of the schema.</summary>
    public abstract string Expected { get; }

    /// <summary>Reads a node; false when it is something else.</summary>
    public abstract bool TryRead(YamlNode node, out T value);

    /// <summary>The canonical node of a value; <see langword="null"/> where nothing is written.</summary>
    public abstract YamlNode? ToNode(T value);

    /// <summary>Writes the members of a JSON schema.</summary>
    public abstract void WriteSchema(Utf8JsonWriter writer);

    protected static string? TextOf(YamlNode node) => (node as YamlScalarNode)?.Value;
}

/// <summary>A number of an interval.</summary>
/// <param name="low">Smallest value.</param>
/// <param name="high">Largest value.</param>
/// <param name="openLow">The smallest value itself is not allowed.</param>
/// <param name="openHigh">The largest value itself is not allowed.</param>
internal sealed class NumberValue(double low, double high, bool openLow = false, bool openHigh = false) : RecipeValue<double>
{
    public override string Expected => string.Create(
        CultureInfo.InvariantCulture,
        $"a number {(openLow ? "above" : "from")} {low}{(double.IsInfinity(high) ? (openLow ? "" : " on") : $" {(openHigh ? "to below" : "to")} {high}")}");

    public override bool TryRead(YamlNode node, out double value)
    {
        value = 0;
        return TextOf(node) is { } text
            && double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out value)
            && double.IsFinite(value)
            && (openLow ? value > low : value >= low)
            && (openHigh ? value < high : value <= high);
    }

    public override YamlNode ToNode(double value) => new YamlScalarNode(value.ToString("R", CultureInfo.InvariantCulture));

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteString("type", "number");
        writer.WriteNumber(openLow ? "exclusiveMinimum" : "minimum", low);
        if (double.IsFinite(high))
        {
            writer.WriteNumber(openHigh ? "exclusiveMaximum" : "maximum", high);
        }
    }
}

/// <summary>A number, or nothing where it follows from other steps.</summary>
internal sealed class OptionalNumberValue(NumberValue number) : RecipeValue<double?>
{
    public override string Expected => number.Expected;

    public override bool TryRead(YamlNode node, out double? value)
    {
        bool read = number.TryRead(node, out double own);
        value = own;
        return read;
    }

    public override YamlNode? ToNode(double? value) => value is { } own ? number.ToNode(own) : null;

    public override void WriteSchema(Utf8JsonWriter writer) => number.WriteSchema(writer);
}

/// <summary>A whole number.</summary>
internal sealed class WholeValue(int low, int high = int.MaxValue) : RecipeValue<int>
{
    public override string Expected =>
        string.Create(CultureInfo.InvariantCulture, $"a whole number from {low} {(high == int.MaxValue ? "on" : $"to {high}")}");

    public override bool TryRead(YamlNode node, out int value)
    {
        value = 0;
        return TextOf(node) is { } text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= low && value <= high;
    }

    public override YamlNode ToNode(int value) => new YamlScalarNode(value.ToString(CultureInfo.InvariantCulture));

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteString("type", "integer");
        writer.WriteNumber("minimum", low);
        if (high < int.MaxValue)
        {
            writer.WriteNumber("maximum", high);
        }
    }
}

/// <summary>Yes or no.</summary>
internal sealed class FlagValue : RecipeValue<bool>
{
    public override string Expected => "true or false";

    public override bool TryRead(YamlNode node, out bool value)
    {
        value = TextOf(node) == "true";
        return TextOf(node) is "true" or "false";
    }

    public override YamlNode ToNode(bool value) => new YamlScalarNode(value ? "true" : "false");

    public override void WriteSchema(Utf8JsonWriter writer) => writer.WriteString("type", "boolean");
}

/// <summary>One of some words.</summary>
internal sealed class ChoiceValue<T>(params (string Word, T Value)[] choices) : RecipeValue<T>
{
    public override string Expected => string.Join(" or ", choices.Select(c => $"'{c.Word}'"));

    public override bool TryRead(YamlNode node, out T value)
    {
        string? text = TextOf(node);
        (string? word, value) = choices.FirstOrDefault(c => c.Word == text);
        return word is not null;
    }

    public override YamlNode? ToNode(T value) => new YamlScalarNode(choices.First(c => EqualityComparer<T>.Default.Equals(c.Value, value)).Word);

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("enum");
        foreach ((string word, _) in choices)
        {
            writer.WriteStringValue(word);
        }

        writer.WriteEndArray();
    }
}

/// <summary>One of some words, or nothing.</summary>
internal sealed class OptionalChoiceValue<T>(params (string Word, T Value)[] choices) : RecipeValue<T?>
    where T : struct
{
    private readonly ChoiceValue<T> _choice = new(choices);

    public override string Expected => _choice.Expected;

    public override bool TryRead(YamlNode node, out T? value)
    {
        bool read = _choice.TryRead(node, out T own);
        value = own;
        return read;
    }

    public override YamlNode? ToNode(T? value) => value is { } own ? _choice.ToNode(own) : null;

    public override void WriteSchema(Utf8JsonWriter writer) => _choice.WriteSchema(writer);
}

/// <summary>A text that some function understands.</summary>
/// <param name="expected">What is allowed.</param>
/// <param name="check">Throws <see cref="DiagnosticException"/> for others.</param>
internal sealed class TextValue(string expected, Action<string> check) : RecipeValue<string>
{
    public override string Expected => expected;

    public override bool TryRead(YamlNode node, out string value)
    {
        value = TextOf(node) ?? "";
        try
        {
            if (value.Length > 0)
            {
                check(value);
            }

            return value.Length > 0;
        }
        catch (DiagnosticException)
        {
            return false;
        }
    }

    public override YamlNode? ToNode(string value) => new YamlScalarNode(value);

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        // Editors may take a number for what is a text here, as in 'rate: 0.001'.
        writer.WriteStartArray("type");
        writer.WriteStringValue("string");
        writer.WriteStringValue("number");
        writer.WriteEndArray();
    }
}

/// <summary>A text that some function understands, or nothing.</summary>
internal sealed class OptionalTextValue(string expected, Action<string> check) : RecipeValue<string?>
{
    private readonly TextValue _text = new(expected, check);

    public override string Expected => _text.Expected;

    public override bool TryRead(YamlNode node, out string? value)
    {
        bool read = _text.TryRead(node, out string own);
        value = own;
        return read;
    }

    public override YamlNode? ToNode(string? value) => value is null ? null : new YamlScalarNode(value);

    public override void WriteSchema(Utf8JsonWriter writer) => writer.WriteString("type", "string");
}

/// <summary>A map of patterns of layers to numbers.</summary>
internal sealed class LayerNumbersValue : RecipeValue<ImmutableArray<LayerNumber>>
{
    private readonly string _expected;
    private readonly Func<YamlNode, double?> _read;
    private readonly Action<Utf8JsonWriter> _writeSchema;

    public LayerNumbersValue(NumberValue number)
        : this(number.Expected, n => number.TryRead(n, out double value) ? value : null, number.WriteSchema)
    {
    }

    public LayerNumbersValue(WholeValue number)
        : this(number.Expected, n => number.TryRead(n, out int value) ? value : null, number.WriteSchema)
    {
    }

    private LayerNumbersValue(string expected, Func<YamlNode, double?> read, Action<Utf8JsonWriter> writeSchema) =>
        (_expected, _read, _writeSchema) = (expected, read, writeSchema);

    public override string Expected => $"a map of regular expressions of layers, each to {_expected}";

    public override bool TryRead(YamlNode node, out ImmutableArray<LayerNumber> value)
    {
        value = [];
        if (node is not YamlMappingNode map)
        {
            return false;
        }

        foreach ((YamlNode key, YamlNode number) in map.Children)
        {
            if (TextOf(key) is not { Length: > 0 } pattern || !IsPattern(pattern) || _read(number) is not { } own)
            {
                return false;
            }

            value = value.Add(new(pattern, own));
        }

        return true;
    }

    public override YamlNode? ToNode(ImmutableArray<LayerNumber> value)
    {
        if (value.IsEmpty)
        {
            return null;
        }

        YamlMappingNode map = [];
        foreach (LayerNumber rule in value)
        {
            map.Add(rule.Pattern, rule.Number.ToString("R", CultureInfo.InvariantCulture));
        }

        return map;
    }

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteString("type", "object");
        writer.WriteStartObject("additionalProperties");
        _writeSchema(writer);
        writer.WriteEndObject();
    }

    internal static void RequirePattern(string pattern) => _ = new Passes.Quantize.LayerRule(pattern);

    private static bool IsPattern(string pattern)
    {
        try
        {
            RequirePattern(pattern);
            return true;
        }
        catch (DiagnosticException)
        {
            return false;
        }
    }
}
