namespace Optc.Tools.SchemaGenerator;

internal static class Naming
{
    /// <summary><c>stride_w</c> gives <c>StrideW</c>.</summary>
    public static string FromSnakeCase(string name) =>
        string.Concat(name.Split('_').Select(part => char.ToUpperInvariant(part[0]) + part[1..]));

    /// <summary>
    /// <c>RELU_N1_TO_1</c> gives <c>ReluN1To1</c>, <c>L2_POOL_2D</c> gives <c>L2Pool2D</c>: the first letter of each
    /// part stays, the others become small.
    /// </summary>
    public static string FromUpperCase(string name) => string.Concat(name.Split('_').Select(Capitalize));

    /// <summary><c>StrideW</c> gives <c>strideW</c>, with <c>@</c> where that is a keyword.</summary>
    public static string ToLocal(string propertyName)
    {
        string local = char.ToLowerInvariant(propertyName[0]) + propertyName[1..];
        return local is "operator" ? "@" + local : local;
    }

    private static string Capitalize(string part)
    {
        int first = part.AsSpan().IndexOfAnyExceptInRange('0', '9');
        return first < 0 ? part : part[..(first + 1)] + part[(first + 1)..].ToLowerInvariant();
    }
}
