namespace Optc.Ops.Kernels;

/// <summary>The shapes of a 2-D pool: <c>x [N, H, W, C] -> y [N, OH, OW, C]</c>.</summary>
/// <param name="Batch">N.</param>
/// <param name="Height">Window along H.</param>
/// <param name="Width">Window along W.</param>
/// <param name="Channels">C.</param>
public sealed record Pool2DGeometry(int Batch, Window Height, Window Width, int Channels)
{
    /// <summary>Output rows over all images, <c>N * OH</c>: the finest grid of independent parts.</summary>
    public int RowCount => checked(Batch * Height.Output);

    public long InputLength => (long)Batch * Height.Input * Width.Input * Channels;

    public long OutputLength => (long)Batch * Height.Output * Width.Output * Channels;

    /// <exception cref="ArgumentException">A buffer is too short or the rows do not exist.</exception>
    internal void Require(int inputLength, int outputLength, int firstRow, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Batch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Channels);
        ArgumentOutOfRangeException.ThrowIfNegative(firstRow);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)firstRow + rows, (long)Batch * Height.Output, nameof(rows));
        Extent.Require(inputLength, InputLength, "x");
        Extent.Require(outputLength, OutputLength, "y");
    }
}
