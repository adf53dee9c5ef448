using System.Numerics.Tensors;

namespace Optc.Ops.Kernels;

/// <summary>Cuts a sum over chunks into a fixed number of partial sums, which are then added in their order.</summary>
/// <param name="Chunks">Chunks in all.</param>
/// <remarks>The cut depends on the shapes alone, so the result has the same bits for any number of threads.</remarks>
internal readonly record struct PartialSums(int Chunks)
{
    /// <summary>More let more threads work, and cost memory and additions.</summary>
    private const int MaxSlots = 20;

    public int Slots => Math.Min(Chunks, MaxSlots);

    /// <summary>The chunks of a slot: <c>First &lt;= chunk &lt; End</c>.</summary>
    public (int First, int End) Range(int slot) =>
        ((int)((long)slot * Chunks / Slots), (int)(((long)slot + 1) * Chunks / Slots));

    /// <summary>Adds the same part of every slot to that of the first.</summary>
    /// <param name="sums">Slots of <paramref name="length"/> elements each.</param>
    public void AddUp(Span<float> sums, int length, int start, int count)
    {
        Span<float> total = sums.Slice(start, count);
        for (int slot = 1; slot < Slots; slot++)
        {
            TensorPrimitives.Add(total, sums.Slice((slot * length) + start, count), total);
        }
    }
}
