using System.Runtime.InteropServices;

namespace Optc.Ops.Kernels.Movement;

/// <summary>Fills memory with one element.</summary>
public static class ElementFill
{
    /// <summary>Repeats <paramref name="element"/> (1 to 16 bytes) over <paramref name="target"/>.</summary>
    /// <param name="target">A whole number of elements.</param>
    public static void Fill(Span<byte> target, ReadOnlySpan<byte> element)
    {
        if (element.IndexOfAnyExcept(element[0]) < 0)
        {
            target.Fill(element[0]);
            return;
        }

        switch (element.Length)
        {
            case 2:
                MemoryMarshal.Cast<byte, ushort>(target).Fill(MemoryMarshal.Read<ushort>(element));
                break;
            case 4:
                MemoryMarshal.Cast<byte, uint>(target).Fill(MemoryMarshal.Read<uint>(element));
                break;
            case 8:
                MemoryMarshal.Cast<byte, ulong>(target).Fill(MemoryMarshal.Read<ulong>(element));
                break;
            default:
                Repeat(target, element);
                break;
        }
    }

    /// <summary>Repeats a run of any length over <paramref name="target"/>; the last copy may be cut.</summary>
    public static void Repeat(Span<byte> target, ReadOnlySpan<byte> run)
    {
        int done = Math.Min(run.Length, target.Length);
        run[..done].CopyTo(target);
        while (done < target.Length)
        {
            int more = Math.Min(done, target.Length - done);
            target[..more].CopyTo(target[done..]);
            done += more;
        }
    }
}
