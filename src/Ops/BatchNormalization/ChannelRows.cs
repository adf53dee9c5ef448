using Optc.Ir;
using Optc.Ops.Execution;

namespace Optc.Ops;

/// <summary>A tensor <c>[.., C]</c> as rows of C channels, in chunks of rows that depend on its shape only.</summary>
/// <param name="Rows">Product of all dimensions but the last.</param>
/// <param name="Channels">Size C of the last dimension.</param>
/// <param name="RowsPerChunk">Rows of every chunk but possibly the last.</param>
internal readonly record struct ChannelRows(int Rows, int Channels, int RowsPerChunk)
{
    private const int ElementsPerChunk = 16384;
    private const int MostChunks = 64;

    public int Chunks => (Rows + RowsPerChunk - 1) / RowsPerChunk;

    /// <exception cref="OpRuleException">There is no row, so that there are no statistics.</exception>
    public static ChannelRows Of(Shape shape)
    {
        int channels = shape[-1];
        int rows = checked((int)Dimensions.Outer(shape, shape.Rank - 1));
        if (rows == 0 || channels == 0)
        {
            throw new OpRuleException("nothing has no mean and no variance") { Found = $"{shape}", Expected = "at least one element in each channel" };
        }

        return new(rows, channels, Math.Max(Math.Max(1, ElementsPerChunk / channels), (rows + MostChunks - 1) / MostChunks));
    }

    /// <summary>Checks <c>x [.., C]</c> and vectors <c>[C]</c>, all f32.</summary>
    /// <returns>C, -1 when it is not known.</returns>
    /// <exception cref="OpRuleException">They do not fit.</exception>
    public static int Infer(OpOperands operands, int x, params ReadOnlySpan<int> vectors)
    {
        Shape shape = operands.Require(x, DType.F32).Shape;
        if (shape is { HasRank: true, Rank: 0 })
        {
            throw new OpRuleException("a batch normalization needs an axis of channels") { Found = shape.ToString(), Expected = "1 dimension or more" };
        }

        int channels = shape.HasRank ? shape[-1] : -1;
        foreach (int index in vectors)
        {
            operands.Require(index, DType.F32);
            Shape vector = operands.RequireRank(index, 1).Shape;
            channels = Dimensions.Agree(channels, vector.HasRank ? vector[0] : -1, "numbers of channels");
        }

        return channels;
    }

    /// <summary>The elements of a chunk.</summary>
    public System.Range Elements(int chunk) =>
        (chunk * RowsPerChunk * Channels)..(Math.Min((chunk + 1) * RowsPerChunk, Rows) * Channels);

    /// <summary>Double-precision sums that chunks make by themselves: <c>[Chunks, kinds, C]</c>.</summary>
    public Scratch ReserveSums(KernelContext context, int kinds) =>
        context.Reserve(sizeof(double) * (long)Chunks * kinds * Channels);

    /// <summary>Adds the sums of all chunks to those of the first, in their order.</summary>
    public void Collect(Span<double> sums, int kinds)
    {
        int length = kinds * Channels;
        for (int chunk = 1; chunk < Chunks; chunk++)
        {
            ReadOnlySpan<double> part = sums.Slice(chunk * length, length);
            for (int i = 0; i < length; i++)
            {
                sums[i] += part[i];
            }
        }
    }
}
