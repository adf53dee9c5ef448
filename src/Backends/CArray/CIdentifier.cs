using System.Collections.Frozen;

namespace Optc.Backends.CArray;

/// <summary>Names that C and C++ both accept.</summary>
public static class CIdentifier
{
    // Keywords of C23 and C++23, alternative operator names included; a name must be usable in either language.
    private static readonly FrozenSet<string> Keywords = FrozenSet.Create(
        "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char",
        "char8_t", "char16_t", "char32_t", "class", "compl", "concept", "const", "consteval", "constexpr", "constinit",
        "const_cast", "continue", "co_await", "co_return", "co_yield", "decltype", "default", "delete", "do", "double",
        "dynamic_cast", "else", "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if",
        "inline", "int", "long", "mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or",
        "or_eq", "private", "protected", "public", "register", "reinterpret_cast", "requires", "restrict", "return", "short",
        "signed", "sizeof", "static", "static_assert", "static_cast", "struct", "switch", "template", "this", "thread_local",
        "throw", "true", "try", "typedef", "typeid", "typename", "typeof", "typeof_unqual", "union", "unsigned", "using",
        "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq");

    /// <summary>True for a letter or '_' followed by letters, digits or '_', if it is no keyword and not reserved.</summary>
    public static bool IsValid(string name) =>
        name.Length > 0
        && !char.IsAsciiDigit(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
        && !IsReserved(name)
        && !Keywords.Contains(name);

    /// <summary>A valid name close to <paramref name="name"/>.</summary>
    public static string Suggest(string name)
    {
        string cleaned = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')).TrimStart('_');
        string candidate = cleaned.Length == 0 ? "model" : cleaned;
        return IsValid(candidate) ? candidate : $"model_{candidate}";
    }

    // Names with two underscores, or one and a capital, belong to the implementation.
    private static bool IsReserved(string name) =>
        name.Contains("__", StringComparison.Ordinal) || (name.Length > 1 && name[0] == '_' && char.IsAsciiLetterUpper(name[1]));
}
