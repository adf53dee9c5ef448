using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Optc.Ops.Kernels.Movement;

/// <summary>Copies rows of bytes that lie at equal distances.</summary>
public static class RowCopy
{
    /// <summary>Copies <paramref name="rows"/> rows of <paramref name="rowBytes"/> bytes.</summary>
    /// <param name="source">Starts at the first row.</param>
    /// <param name="sourcePitch">Bytes from one row of the source to the next.</param>
    /// <param name="target">Starts at the first row.</param>
    /// <param name="targetPitch">Bytes from one row of the target to the next.</param>
    /// <exception cref="ArgumentOutOfRangeException">A row lies outside its span.</exception>
    public static void Copy(
        ReadOnlySpan<byte> source, long sourcePitch, Span<byte> target, long targetPitch, int rowBytes, int rows)
    {
        if (rows == 0 || rowBytes == 0)
        {
            return;
        }

        ArgumentOutOfRangeException.ThrowIfNegative(sourcePitch);
        ArgumentOutOfRangeException.ThrowIfNegative(targetPitch);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(((rows - 1) * sourcePitch) + rowBytes, source.Length, nameof(source));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(((rows - 1) * targetPitch) + rowBytes, target.Length, nameof(target));
        if (sourcePitch == rowBytes && targetPitch == rowBytes)
        {
            source[..(rows * rowBytes)].CopyTo(target);
            return;
        }

        ref byte from = ref MemoryMarshal.GetReference(source);
        ref byte to = ref MemoryMarshal.GetReference(target);
        switch (rowBytes)
        {
            case 1:
                Elements<byte>(ref from, (nint)sourcePitch, ref to, (nint)targetPitch, rows);
                break;
            case 2:
                Elements<ushort>(ref from, (nint)sourcePitch, ref to, (nint)targetPitch, rows);
                break;
            case 4:
                Elements<uint>(ref from, (nint)sourcePitch, ref to, (nint)targetPitch, rows);
                break;
            case 8:
                Elements<ulong>(ref from, (nint)sourcePitch, ref to, (nint)targetPitch, rows);
                break;
            case 16:
                Elements<UInt128>(ref from, (nint)sourcePitch, ref to, (nint)targetPitch, rows);
                break;
            default:
                Runs(ref from, (nint)sourcePitch, ref to, (nint)targetPitch, rowBytes, rows);
                break;
        }
    }

    /// <summary>Rows of one element each. The caller has checked the bounds; pitches may be negative or zero.</summary>
    internal static void Elements<T>(ref byte source, nint sourcePitch, ref byte target, nint targetPitch, int rows)
        where T : unmanaged
    {
        for (nint i = 0; i < rows; i++)
        {
            Unsafe.WriteUnaligned(
                ref Unsafe.AddByteOffset(ref target, i * targetPitch),
                Unsafe.ReadUnaligned<T>(ref Unsafe.AddByteOffset(ref source, i * sourcePitch)));
        }
    }

    /// <summary>Rows of any length. The caller has checked the bounds; pitches may be negative or zero.</summary>
    internal static void Runs(ref byte source, nint sourcePitch, ref byte target, nint targetPitch, int rowBytes, int rows)
    {
        for (nint i = 0; i < rows; i++)
        {
            Unsafe.CopyBlockUnaligned(
                ref Unsafe.AddByteOffset(ref target, i * targetPitch),
                ref Unsafe.AddByteOffset(ref source, i * sourcePitch),
                (uint)rowBytes);
        }
    }
}
