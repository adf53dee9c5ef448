namespace Optc.Ops.Kernels;

/// <summary>Float matrix products <c>z = x y</c> over a list of batches, prepared once and run often.</summary>
/// <remarks>
/// Products of one element are added in the order of k, fused. A right-hand side that all batches share is packed once a
/// run and the rows are cut into chunks; otherwise a chunk is a batch, which packs its own. Allocates nothing when run.
/// </remarks>
internal sealed unsafe class PreparedProducts
{
    private const int RowsPerChunk = 96;

    private readonly (int X, int Y)[] _batches;
    private readonly int _m;
    private readonly int _k;
    private readonly int _n;
    private readonly bool _adjX;
    private readonly bool _adjY;
    private readonly int _rowChunks;
    private readonly PackedMatrix? _shared;
    private readonly FloatTiles _tiles = FloatTiles.For(SimdPaths.Best);

    /// <param name="batches">For each matrix of z the index of its x and its y.</param>
    /// <param name="m">Rows of z, at least 1.</param>
    /// <param name="k">Depth, at least 1.</param>
    /// <param name="n">Columns of z, at least 1.</param>
    /// <param name="adjX">x is stored as <c>[K, M]</c>.</param>
    /// <param name="adjY">y is stored as <c>[N, K]</c>.</param>
    public PreparedProducts((int X, int Y)[] batches, int m, int k, int n, bool adjX, bool adjY)
    {
        _batches = batches;
        (_m, _k, _n) = (m, k, n);
        (_adjX, _adjY) = (adjX, adjY);
        bool shares = batches.All(b => b.Y == batches[0].Y);
        _shared = shares ? new PackedMatrix(k, n) : null;
        _rowChunks = shares ? (m + RowsPerChunk - 1) / RowsPerChunk : 1;
        ScratchBytes = shares ? 0 : checked((Panels.LengthFor(k, n) * sizeof(float)) + AlignedBuffer<byte>.Alignment);
    }

    public int ChunkCount => checked(_batches.Length * _rowChunks);

    /// <summary>Bytes of scratch each worker brings; zero where one right-hand side serves all.</summary>
    public long ScratchBytes { get; }

    /// <summary>Packs a right-hand side that is shared; nothing to do otherwise.</summary>
    public void Load(ReadOnlySpan<float> y) => _shared?.Pack(
        y.Slice(_batches[0].Y * _k * _n, _k * _n), _adjY ? 1 : _n, _adjY ? _k : 1);

    public void RunChunk(int chunk, ReadOnlySpan<float> x, ReadOnlySpan<float> y, Span<float> z, Span<byte> scratch)
    {
        Extent.Require(scratch.Length, ScratchBytes, nameof(scratch));
        int batch = chunk / _rowChunks;
        int first = chunk % _rowChunks * RowsPerChunk;
        int rows = _shared is null ? _m : Math.Min(RowsPerChunk, _m - first);
        ReadOnlySpan<float> left = x.Slice(_batches[batch].X * _m * _k, _m * _k);
        Span<float> result = z.Slice(((batch * _m) + first) * _n, rows * _n);
        fixed (float* a = left[(_adjX ? first : first * _k)..], c = result)
        fixed (byte* lent = scratch)
        {
            Panels panels = _shared?.Panels ?? Packed(y, batch, lent);
            FloatGemm.Product(_tiles, rows, a, _adjX ? 1 : _k, _adjX ? _m : 1, panels, c, _n);
        }

        GC.KeepAlive(this);
    }

    private Panels Packed(ReadOnlySpan<float> y, int batch, byte* scratch)
    {
        Panels panels = new((float*)AlignedBuffer<byte>.Align(ref *scratch), _k, _n);
        fixed (float* b = y.Slice(_batches[batch].Y * _k * _n, _k * _n))
        {
            panels.Pack(0, _k, b, _adjY ? 1 : _n, _adjY ? _k : 1);
        }

        return panels;
    }
}
