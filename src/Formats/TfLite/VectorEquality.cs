using System.Collections.Immutable;

namespace Optc.Formats.TfLite;

/// <summary>Equality of vectors by content, for the records of the schema.</summary>
internal static class VectorEquality
{
    public static bool Same(ReadOnlyMemory<byte> left, ReadOnlyMemory<byte> right) =>
        left.Span.SequenceEqual(right.Span);

    public static bool Same<T>(ImmutableArray<T> left, ImmutableArray<T> right) =>
        left.AsSpan().SequenceEqual(right.AsSpan());

    public static void Add(ref HashCode hash, ReadOnlyMemory<byte> vector)
    {
        hash.Add(vector.Length);
        hash.AddBytes(vector.Span);
    }

    public static void Add<T>(ref HashCode hash, ImmutableArray<T> vector)
    {
        hash.Add(vector.Length);
        foreach (T element in vector)
        {
            hash.Add(element);
        }
    }
}
