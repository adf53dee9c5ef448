namespace Optc.Ir.Text;

/// <summary>
/// References to the values of a graph: <c>%name</c> for what is computed or given, <c>@name</c> for constants and
/// variables; <c>#2</c>, <c>#3</c> ... behind a name tell values of one name apart.
/// </summary>
internal sealed class ValueNames
{
    private readonly Dictionary<Value, string> _references = [];

    public ValueNames(Graph graph)
    {
        HashSet<Value> inputs = [.. graph.Inputs];
        Dictionary<(char Sigil, string Name), int> used = [];
        foreach (Value value in graph.Values())
        {
            char sigil = !inputs.Contains(value) && (value.Constant is not null || value.IsVariable) ? '@' : '%';
            int ordinal = used[(sigil, value.Name)] = used.GetValueOrDefault((sigil, value.Name)) + 1;
            _references.Add(value, Reference(sigil, value.Name, ordinal));
        }
    }

    /// <summary>The reference to a value; one that no parser accepts for a value of another graph.</summary>
    public string this[Value value] => _references.GetValueOrDefault(value, $"!{Name(value.Name)}");

    /// <summary>A name as it is where only letters, digits, <c>_</c>, <c>.</c> and single <c>/</c> occur, else quoted.</summary>
    public static string Name(string name) =>
        name.Length > 0 && name.All(IsBare) && !name.Contains("//", StringComparison.Ordinal) ? name : AttributeWriter.Quote(name);

    public static bool IsBare(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '/';

    private static string Reference(char sigil, string name, int ordinal) => name.Length == 0
        ? $"{sigil}#{ordinal}"
        : ordinal == 1 ? sigil + Name(name) : $"{sigil}{Name(name)}#{ordinal}";
}
