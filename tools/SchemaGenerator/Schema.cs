namespace Optc.Tools.SchemaGenerator;

/// <summary>A FlatBuffers schema, in the order of its file.</summary>
internal sealed record Schema(
    IReadOnlyList<EnumType> Enums, IReadOnlyList<UnionType> Unions, IReadOnlyList<TableType> Tables, string Root);

/// <param name="Scalar">The scalar that holds it in a file, e.g. <c>int8</c>.</param>
internal sealed record EnumType(string Name, string CSharpName, string Scalar, IReadOnlyList<EnumMember> Members);

internal sealed record EnumMember(string SchemaName, string CSharpName, long Value);

internal sealed record UnionType(string Name, IReadOnlyList<UnionMember> Members)
{
    public string InterfaceName => "I" + Name;

    public string CodeName => Name + "Type";
}

internal sealed record UnionMember(int Code, string Table);

internal sealed record TableType(string Name, string CSharpName, IReadOnlyList<Field> Fields)
{
    /// <summary>Whether some slots are read and written by hand.</summary>
    public bool IsCompletedByHand => Fields.Any(slot => slot.IsInternal);

    /// <summary>How many slots the schema knows, deprecated ones and both slots of a union included.</summary>
    public int SlotCount => Fields.Select(member => member.Slot + (member.Type.Kind == FieldKind.Union ? 2 : 1))
        .DefaultIfEmpty(0).Max();
}

internal enum FieldKind
{
    Scalar,
    Enum,
    String,
    Table,
    Union,
    ScalarVector,
    EnumVector,
    ByteVector,
    TableVector,
}

/// <param name="Target">The scalar, enum, table or union meant; for a vector that of its elements.</param>
internal sealed record FieldType(FieldKind Kind, string Target);

internal sealed record Field(int Slot, string Name, FieldType Type)
{
    /// <summary>As in the schema: a number, <c>true</c>, or the name of an enum member; null for zero.</summary>
    public string? Default { get; init; }

    /// <summary>Alignment of the first element in bytes; 0 where the element size decides.</summary>
    public int Alignment { get; init; }

    public bool IsAlwaysWritten { get; init; }

    public bool IsDeprecated { get; init; }

    public bool IsInternal { get; init; }

    public bool IsProperty => !IsDeprecated && !IsInternal;

    public string PropertyName => Naming.FromSnakeCase(Name);
}
