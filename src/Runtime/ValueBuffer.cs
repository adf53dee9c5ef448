using Optc.Ir;

namespace Optc.Runtime;

/// <summary>Where the bytes of a value are while a graph runs.</summary>
internal sealed class ValueBuffer
{
    private Arena? _arena;
    private long _offset;
    private int _length;

    /// <summary>Type with a known shape; that of a value whose shape depends on data is set when it is computed.</summary>
    public required TensorType Type { get; set; }

    /// <summary>Dense content of a value that does not change.</summary>
    public TensorData? Constant { get; init; }

    public bool IsVariable { get; init; }

    /// <summary>True when the shape is known only after the value has been computed.</summary>
    public bool IsDynamic { get; init; }

    public void Bind(Arena arena, long offset, long length) => (_arena, _offset, _length) = (arena, offset, checked((int)length));

    public ReadOnlySpan<byte> Read() => Constant is not null ? Constant.Bytes.Span : Write();

    public Span<byte> Write() => _arena is null
        ? throw new InvalidOperationException("A value is used before it has memory.")
        : _arena.Slice(_offset, _length);

    /// <summary>The content as a constant that is valid until the next run.</summary>
    public TensorData Snapshot() => Constant ?? new(Type.DType, Type.Shape, _arena!.Memory(_offset, _length));
}
