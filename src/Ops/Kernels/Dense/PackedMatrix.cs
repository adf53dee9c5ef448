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
        PanelCount = (int)(((long)n + FloatTiles.PanelWidth - 1) / FloatTiles.PanelWidth);
        _panels = new AlignedBuffer<float>(checked((long)PanelCount * k * FloatTiles.PanelWidth));
    }

    /// <summary>Depth of the product.</summary>
    public int K { get; }

    /// <summary>Columns of the product.</summary>
    public int N { get; }

    internal int PanelCount { get; }

    internal unsafe nint PanelBytes => (nint)K * FloatTiles.PanelWidth * sizeof(float);

    internal unsafe float* Panel(int panel) => _panels.Pointer + ((nint)panel * K * FloatTiles.PanelWidth);

    /// <summary>Packs a matrix whose element (k, n) is <c>b[k * kStride + n * nStride]</c>.</summary>
    /// <param name="b">Elements of B; rows and columns by stride, so a transpose needs no copy.</param>
    /// <param name="kStride">Distance of rows in elements, not negative; 1 for weights <c>[N, K]</c>.</param>
    /// <param name="nStride">Distance of columns in elements, not negative; K for weights <c>[N, K]</c>.</param>
    /// <exception cref="ArgumentException"><paramref name="b"/> is too short.</exception>
    public void Pack(ReadOnlySpan<float> b, int kStride, int nStride)
    {
        Extent.Require(b.Length, K, kStride, N, nStride, nameof(b));
        Span<float> panels = _panels.Span;
        int at = 0;
        for (int first = 0; first < N; first += FloatTiles.PanelWidth)
        {
            int columns = Math.Min(FloatTiles.PanelWidth, N - first);
            for (int k = 0; k < K; k++)
            {
                int from = (k * kStride) + (first * nStride);
                Span<float> row = panels.Slice(at, FloatTiles.PanelWidth);
                for (int column = 0; column < columns; column++)
                {
                    row[column] = b[from + (column * nStride)];
                }

                at += FloatTiles.PanelWidth;
            }
        }
    }

    /// <summary>Packs weights <c>[N, K]</c>, the order of dense and convolution weights in a file.</summary>
    public static PackedMatrix FromRows(ReadOnlySpan<float> weights, int k, int n)
    {
        PackedMatrix packed = new(k, n);
        packed.Pack(weights, 1, k);
        return packed;
    }
}
