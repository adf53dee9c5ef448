using System.Runtime.CompilerServices;

namespace Optc.Runtime;

/// <summary>One pinned, zeroed block of memory whose usable part starts on a multiple of 64 bytes.</summary>
internal sealed class Arena
{
    public const int Alignment = 64;

    private readonly byte[] _memory;
    private readonly int _base;

    /// <exception cref="OverflowException">More than 2 GB.</exception>
    public Arena(long size)
    {
        _memory = GC.AllocateArray<byte>(checked((int)(size + Alignment)), pinned: true);
        nint address = AddressOf(ref _memory[0]);
        _base = (int)((Alignment - (address % Alignment)) % Alignment);
        Size = size;
    }

    public long Size { get; }

    public Span<byte> Slice(long offset, int length) => _memory.AsSpan(_base + (int)offset, length);

    public Memory<byte> Memory(long offset, int length) => _memory.AsMemory(_base + (int)offset, length);

    // The array is pinned, so the address that the reference holds now is its address for ever.
    private static nint AddressOf(ref byte first) => (nint)Unsafe.ByteOffset(ref Unsafe.NullRef<byte>(), ref first);
}
