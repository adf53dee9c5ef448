namespace Optc.Ops.Kernels;

/// <summary>The right-hand matrix <c>B [K, N]</c> of a float product, in the order the tiles read it.</summary>
/// <remarks>
/// Panels of 16 columns, <c>[ceil(N / 16)][K][16]</c>, 64-byte aligned, columns beyond N zero. Packed once for constant
/// weights; <see cref="Pack"/> may be called again when the values have changed (training).
/// </remarks>
public sealed class PackedMatrix
{
    private readonly AlignedBuffer<float> _panels;

    /// <summary>Reserves the panels, all zero.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="k"/> or <paramref name="n"/> is not positive.</exception>
    /// <exception cref="OverflowException">The panels exceed 2 GiB.</exception>
    public PackedMatrix(int k, int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(k);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        K = k;
        N = n;
        _panels = new AlignedBuffer<float>(Kernels.Panels.LengthFor(k, n));
    }

    /// <summary>Depth of the product.</summary>
    public int K { get; }

    /// <summary>Columns of the product.</summary>
    public int N { get; }

    /// <summary>The panels; valid as long as this object is alive.</summary>
    internal unsafe Panels Panels => new(_panels.Pointer, K, N);

    /// <summary>Packs a matrix whose element (k, n) is <c>b[k * kStride + n * nStride]</c>.</summary>
    /// <param name="b">Elements of B; rows and columns by stride, so a transpose needs no copy.</param>
    /// <param name="kStride">Distance of rows in elements, not negative; 1 for weights <c>[N, K]</c>.</param>
    /// <param name="nStride">Distance of columns in elements, not negative; K for weights <c>[N, K]</c>.</param>
    /// <exception cref="ArgumentException"><paramref name="b"/> is too short.</exception>
    public void Pack(ReadOnlySpan<float> b, int kStride, int nStride) => PackRows(0, K, b, kStride, nStride);

    /// <summary>Packs weights <c>[N, K]</c>, the order of dense and convolution weights in a file.</summary>
    public static PackedMatrix FromRows(ReadOnlySpan<float> weights, int k, int n)
    {
        PackedMatrix packed = new(k, n);
        packed.Pack(weights, 1, k);
        return packed;
    }

    /// <summary>Packs some rows of the matrix and leaves the others as they are.</summary>
    /// <param name="first">First row that is written.</param>
    /// <param name="rows">Rows that are written.</param>
    /// <param name="b">Element (first + i, n) is <c>b[i * kStride + n * nStride]</c>.</param>
    internal unsafe void PackRows(int first, int rows, ReadOnlySpan<float> b, int kStride, int nStride)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)first + rows, K, nameof(rows));
        Extent.Require(b.Length, rows, kStride, N, nStride, nameof(b));
        fixed (float* from = b)
        {
            Panels.Pack(first, rows, from, kStride, nStride);
        }
    }
}
