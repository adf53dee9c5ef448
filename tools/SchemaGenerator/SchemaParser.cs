using System.Globalization;

namespace Optc.Tools.SchemaGenerator;

/// <summary>Reads the line-oriented schema text; its syntax is described at the top of <c>tflite.schema</c>.</summary>
internal sealed class SchemaParser
{
    private static readonly string[] Scalars =
        ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"];

    private readonly Dictionary<string, string> kinds = [];
    private readonly List<(int Line, string[] Words, List<(int Line, string[] Words)> Members)> blocks = [];

    /// <exception cref="FormatException">The text is no schema; the message names the line.</exception>
    public static Schema Parse(string text) => new SchemaParser().Read(text);

    private Schema Read(string text)
    {
        string? root = null;
        int number = 0;
        foreach (string raw in text.Split('\n'))
        {
            number++;
            string line = raw.Split('#')[0];
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (words.Length == 0)
            {
                continue;
            }

            if (line[0] == ' ')
            {
                if (blocks.Count == 0)
                {
                    throw Wrong(number, "a member outside of a block");
                }

                blocks[^1].Members.Add((number, words));
            }
            else if (words is ["root", string name])
            {
                root = name;
            }
            else if (words is [("enum" or "union" or "table") and string kind, string declared, ..])
            {
                blocks.Add((number, words, []));
                if (!kinds.TryAdd(declared, kind))
                {
                    throw Wrong(number, $"'{declared}' is declared twice");
                }
            }
            else if (words is not ["identifier", _])
            {
                throw Wrong(number, "a line that declares nothing");
            }
        }

        return new Schema(
            [.. Blocks("enum").Select(block => ReadEnum(block.Words, block.Members))],
            [.. Blocks("union").Select(block => ReadUnion(block.Words, block.Members))],
            [.. Blocks("table").Select(block => ReadTable(block.Words, block.Members))],
            root is not null && kinds.GetValueOrDefault(root) == "table"
                ? root
                : throw Wrong(number, "no root table"));
    }

    private IEnumerable<(int Line, string[] Words, List<(int Line, string[] Words)> Members)> Blocks(string kind) =>
        blocks.Where(block => block.Words[0] == kind);

    private static EnumType ReadEnum(string[] head, List<(int Line, string[] Words)> members)
    {
        string prefix = head is [.., "strip", string stripped] ? stripped : "";
        string csharpName = head is [_, _, _, _, "as", string renamed] ? renamed : head[1];
        return new EnumType(head[1], csharpName, head[3], [.. members.Select(member =>
        {
            (int line, string[] words) = member;
            if (words is not [string name, "=", string value, ..] || !name.StartsWith(prefix, StringComparison.Ordinal))
            {
                throw Wrong(line, "no enum member");
            }

            string shortName = words is [_, _, _, "as", string given]
                ? given
                : Naming.FromUpperCase(name[prefix.Length..]);
            return new EnumMember(name, shortName, long.Parse(value, CultureInfo.InvariantCulture));
        })]);
    }

    private UnionType ReadUnion(string[] head, List<(int Line, string[] Words)> members) =>
        new(head[1], [.. members.Select(member => member.Words is [string code, string table]
            && kinds.GetValueOrDefault(table) == "table"
                ? new UnionMember(int.Parse(code, CultureInfo.InvariantCulture), table)
                : throw Wrong(member.Line, "no member of a union"))]);

    private TableType ReadTable(string[] head, List<(int Line, string[] Words)> members) =>
        new(head[1], head is [.., "as", string name] ? name : head[1],
            [.. members.Select(member => ReadField(member.Line, member.Words))]);

    private Field ReadField(int line, string[] words)
    {
        if (words is not [string slot, string name, ":", .. string[] rest])
        {
            throw Wrong(line, "no field");
        }

        int next = rest[0] == "union" ? 2 : 1;
        Field field = new(int.Parse(slot, CultureInfo.InvariantCulture), name, ReadType(line, rest[..next]));
        while (next < rest.Length)
        {
            field = rest[next] switch
            {
                "=" => field with { Default = rest[++next] },
                "align" => field with { Alignment = int.Parse(rest[++next], CultureInfo.InvariantCulture) },
                "always" => field with { IsAlwaysWritten = true },
                "deprecated" => field with { IsDeprecated = true },
                "internal" => field with { IsInternal = true },
                string flag => throw Wrong(line, $"'{flag}' is no flag"),
            };
            next++;
        }

        return field;
    }

    private FieldType ReadType(int line, string[] words)
    {
        if (words is ["union", string union])
        {
            return kinds.GetValueOrDefault(union) == "union"
                ? new FieldType(FieldKind.Union, union)
                : throw Wrong(line, $"'{union}' is no union");
        }

        bool isVector = words[0] is ['[', .., ']'];
        string name = words[0].Trim('[', ']');
        FieldKind kind = (isVector, name, kinds.GetValueOrDefault(name)) switch
        {
            (false, "string", _) => FieldKind.String,
            (false, _, "enum") => FieldKind.Enum,
            (false, _, "table") => FieldKind.Table,
            (true, _, "enum") => FieldKind.EnumVector,
            (true, _, "table") => FieldKind.TableVector,
            (true, "uint8", _) => FieldKind.ByteVector,
            (true, _, _) when Scalars.Contains(name) => FieldKind.ScalarVector,
            (false, _, _) when Scalars.Contains(name) => FieldKind.Scalar,
            _ => throw Wrong(line, $"'{words[0]}' is no type"),
        };
        return new FieldType(kind, name);
    }

    private static FormatException Wrong(int line, string what) =>
        new(string.Create(CultureInfo.InvariantCulture, $"Schema line {line}: {what}."));
}
