using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Optc.Ir;

/// <summary>Dimensions of a tensor, outermost first. A dimension of -1 is not known before the run; so may be the rank.</summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public sealed class Shape : IEquatable<Shape>, IEnumerable<int>
{
    private readonly ImmutableArray<int> _dims;

    private Shape(ImmutableArray<int> dims, bool hasRank)
    {
        _dims = dims;
        HasRank = hasRank;
    }

    /// <summary>The shape of a single element.</summary>
    public static Shape Scalar { get; } = new([], hasRank: true);

    /// <summary>A shape of which not even the rank is known.</summary>
    public static Shape Unranked { get; } = new([], hasRank: false);

    /// <summary>Dimension sizes; -1 where unknown.</summary>
    public ImmutableArray<int> Dims => _dims;

    public bool HasRank { get; }

    public int Rank => _dims.Length;

    /// <summary>True when rank and every dimension are known.</summary>
    public bool IsKnown
    {
        get
        {
            foreach (int dim in _dims)
            {
                if (dim < 0)
                {
                    return false;
                }
            }

            return HasRank;
        }
    }

    /// <summary>Product of the dimensions, 1 for a scalar.</summary>
    /// <exception cref="InvalidOperationException">The shape is not known.</exception>
    /// <exception cref="OverflowException">The product exceeds 63 bits.</exception>
    public long ElementCount
    {
        get
        {
            if (!IsKnown)
            {
                throw new InvalidOperationException($"The shape {this} is not known.");
            }

            long count = 1;
            foreach (int dim in _dims)
            {
                count = checked(count * dim);
            }

            return count;
        }
    }

    /// <summary>Dimension <paramref name="axis"/>; negative axes count from the end.</summary>
    public int this[int axis] => _dims[axis < 0 ? axis + _dims.Length : axis];

    public static Shape Create(ReadOnlySpan<int> dims) => dims.IsEmpty ? Scalar : new([.. dims], hasRank: true);

    public static Shape Of(ImmutableArray<int> dims) => dims.IsEmpty ? Scalar : new(dims, hasRank: true);

    /// <summary>This shape with one dimension replaced.</summary>
    public Shape With(int axis, int size) => new(_dims.SetItem(axis < 0 ? axis + _dims.Length : axis, size), HasRank);

    /// <summary>True when both may describe the same tensor: equal, or unknown where they differ.</summary>
    public bool IsCompatibleWith(Shape other)
    {
        if (!HasRank || !other.HasRank)
        {
            return true;
        }

        if (Rank != other.Rank)
        {
            return false;
        }

        for (int i = 0; i < Rank; i++)
        {
            if (_dims[i] >= 0 && other._dims[i] >= 0 && _dims[i] != other._dims[i])
            {
                return false;
            }
        }

        return true;
    }

    public bool Equals(Shape? other) => other is not null && HasRank == other.HasRank && _dims.AsSpan().SequenceEqual(other._dims.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as Shape);

    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add(HasRank);
        foreach (int dim in _dims)
        {
            hash.Add(dim);
        }

        return hash.ToHashCode();
    }

    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)_dims).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary><c>[1, ?, 10]</c>; <c>[...]</c> when the rank is unknown.</summary>
    public override string ToString() => !HasRank
        ? "[...]"
        : $"[{string.Join(", ", _dims.Select(d => d < 0 ? "?" : d.ToString(CultureInfo.InvariantCulture)))}]";
}
