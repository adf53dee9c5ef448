using System.Runtime.InteropServices;

namespace Optc.Ops.Kernels;

/// <summary>A zeroed block of <typeparamref name="T"/> that starts on a cache line (64 bytes) and never moves.</summary>
/// <remarks>
/// The block lives on the pinned object heap and is freed with its owner. A kernel that holds <see cref="Pointer"/>
/// in a local must keep the owner alive until it returns.
/// </remarks>
internal sealed unsafe class AlignedBuffer<T>
    where T : unmanaged
{
    public const int Alignment = 64;

    private readonly byte[] _storage;

    public AlignedBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = checked((int)length);
        _storage = GC.AllocateArray<byte>(checked((int)(length * sizeof(T) + Alignment)), pinned: true);
        Pointer = (T*)Align(ref MemoryMarshal.GetArrayDataReference(_storage));
    }

    public int Length { get; }

    public T* Pointer { get; }

    public Span<T> Span => new(Pointer, Length);

    /// <summary>First 64-byte boundary at or after a pinned reference.</summary>
    internal static byte* Align(ref byte start)
    {
        nuint address = (nuint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref start);
        return (byte*)((address + (Alignment - 1)) & ~(nuint)(Alignment - 1));
    }
}
