using System.Collections.Immutable;
using System.Security.Cryptography;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Backends.TfLite;

/// <summary>The buffers of a file: equal content is stored once, buffer 0 is empty.</summary>
internal sealed class BufferPool
{
    private readonly List<BufferRecord> _buffers = [new()];
    private readonly Dictionary<string, uint> _byHash = [];
    private readonly Dictionary<TensorData, uint> _byConstant = new(ReferenceEqualityComparer.Instance);

    public ImmutableArray<BufferRecord> Buffers => [.. _buffers];

    /// <summary>
    /// Adds constants so that like stands by like: vectors first, which are biases for the most part, wide elements before narrow ones, else as
    /// given. Compressors of the file find other statistics in each kind (1 to 3 % of small models).
    /// </summary>
    public void AddInOrder(IEnumerable<TensorData> constants)
    {
        foreach (TensorData constant in constants.OrderBy(c => c.Shape.Rank > 1).ThenByDescending(c => c.DType.BitWidth))
        {
            Add(constant);
        }
    }

    /// <summary>Index of the buffer of a constant; 0 for one without elements.</summary>
    public uint Add(TensorData constant)
    {
        if (!_byConstant.TryGetValue(constant, out uint index))
        {
            index = Add(constant.Bytes);
            _byConstant.Add(constant, index);
        }

        return index;
    }

    /// <summary>Index of a buffer with this content; 0 for none.</summary>
    public uint Add(ReadOnlyMemory<byte> content)
    {
        if (content.IsEmpty)
        {
            return 0;
        }

        string hash = Convert.ToHexString(SHA256.HashData(content.Span));
        if (!_byHash.TryGetValue(hash, out uint index))
        {
            index = (uint)_buffers.Count;
            _buffers.Add(new() { Data = content });
            _byHash.Add(hash, index);
        }

        return index;
    }
}
