using System.Collections.Immutable;
using System.Security.Cryptography;
using Optc.Formats.TfLite;

namespace Optc.Backends.TfLite;

/// <summary>The buffers of a file: equal content is stored once, buffer 0 is empty.</summary>
internal sealed class BufferPool
{
    private readonly List<BufferRecord> _buffers = [new()];
    private readonly Dictionary<string, uint> _byHash = [];

    public ImmutableArray<BufferRecord> Buffers => [.. _buffers];

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
