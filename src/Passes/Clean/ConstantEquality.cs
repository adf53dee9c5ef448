using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Optc.Ir;

namespace Optc.Passes.Clean;

/// <summary>Constants are equal when type, parameters, bytes and foreign facts are; other values when they are the same.</summary>
internal sealed class ConstantEquality : IEqualityComparer<Value>
{
    public static ConstantEquality Instance { get; } = new();

    public bool Equals(Value? x, Value? y) => x == y
        || (x is { Constant: { } a } && y is { Constant: { } b }
            && x.Type.Equals(y.Type)
            && Equals(x.Foreign, y.Foreign)
            && Equals(a.Sparse, b.Sparse)
            && Equals(a.Structure, b.Structure)
            && a.Bytes.Span.SequenceEqual(b.Bytes.Span));

    public int GetHashCode([DisallowNull] Value obj)
    {
        if (obj.Constant is not { } constant)
        {
            return RuntimeHelpers.GetHashCode(obj);
        }

        HashCode hash = default;
        hash.Add(obj.Type);
        hash.AddBytes(constant.Bytes.Span);
        return hash.ToHashCode();
    }
}
