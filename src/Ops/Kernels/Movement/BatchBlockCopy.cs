namespace Optc.Ops.Kernels.Movement;

/// <summary>
/// Moves elements between a tensor <c>[B, large.., run]</c> and its blocks, which are laid side by side in the batch
/// dimension: <c>[blocks * B, small.., run]</c>.
/// </summary>
/// <remarks>
/// Position <c>o</c> of the blocked tensor with offset <c>k</c> inside the block is position <c>o * block + k - lead</c> of
/// the other one; where that lies outside, there is a border. Offsets are counted row-major over the block.
/// </remarks>
/// <param name="batches">B.</param>
/// <param name="large">Sizes of the spatial dimensions.</param>
/// <param name="small">Sizes of the spatial dimensions in the blocked tensor.</param>
/// <param name="block">Sizes of a block.</param>
/// <param name="lead">Width of the border in front of each spatial dimension.</param>
/// <param name="run">Bytes behind one position.</param>
public sealed class BatchBlockCopy(int batches, int[] large, int[] small, int[] block, int[] lead, int run)
{
    /// <summary>Cuts into blocks; the border is filled with an element. Allocates nothing.</summary>
    public void Cut(ReadOnlySpan<byte> whole, Span<byte> blocks, ReadOnlySpan<byte> border)
    {
        int position = 0;
        int count = Count();
        for (int offset = 0; offset < count; offset++)
        {
            for (int b = 0; b < batches; b++)
            {
                Cut(0, offset, b, inside: true, whole, blocks, border, ref position);
            }
        }
    }

    /// <summary>Joins blocks; what falls into the border is dropped. Allocates nothing.</summary>
    public void Join(ReadOnlySpan<byte> blocks, Span<byte> whole)
    {
        int position = 0;
        int count = Count();
        for (int offset = 0; offset < count; offset++)
        {
            for (int b = 0; b < batches; b++)
            {
                Join(0, offset, b, inside: true, blocks, whole, ref position);
            }
        }
    }

    private void Cut(
        int axis, int offset, int at, bool inside, ReadOnlySpan<byte> whole, Span<byte> blocks, ReadOnlySpan<byte> border, ref int position)
    {
        if (axis == block.Length)
        {
            Span<byte> target = blocks.Slice(position++ * run, run);
            if (inside)
            {
                whole.Slice(at * run, run).CopyTo(target);
            }
            else
            {
                ElementFill.Fill(target, border);
            }

            return;
        }

        int first = Offset(axis, offset) - lead[axis];
        for (int o = 0; o < small[axis]; o++)
        {
            long place = ((long)o * block[axis]) + first;
            bool within = inside && place >= 0 && place < large[axis];
            Cut(axis + 1, offset, within ? (at * large[axis]) + (int)place : 0, within, whole, blocks, border, ref position);
        }
    }

    private void Join(
        int axis, int offset, int at, bool inside, ReadOnlySpan<byte> blocks, Span<byte> whole, ref int position)
    {
        if (axis == block.Length)
        {
            if (inside)
            {
                blocks.Slice(position * run, run).CopyTo(whole[(at * run)..]);
            }

            position++;
            return;
        }

        int first = Offset(axis, offset) - lead[axis];
        for (int o = 0; o < small[axis]; o++)
        {
            long place = ((long)o * block[axis]) + first;
            bool within = inside && place >= 0 && place < large[axis];
            Join(axis + 1, offset, within ? (at * large[axis]) + (int)place : 0, within, blocks, whole, ref position);
        }
    }

    private int Offset(int axis, int offset)
    {
        for (int i = block.Length - 1; i > axis; i--)
        {
            offset /= block[i];
        }

        return offset % block[axis];
    }

    private int Count()
    {
        int count = 1;
        foreach (int size in block)
        {
            count *= size;
        }

        return count;
    }
}
