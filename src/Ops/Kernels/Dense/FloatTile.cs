namespace Optc.Ops.Kernels;

/// <summary>One tile of a matrix product: some rows of A, one or two panels of B, all of K.</summary>
/// <remarks>
/// <para>
/// A is read where it lies. Its element for row r, segment s and position k is at
/// <c>A + RowOffsets[r] + SegmentOffsets[s] + k * KStride</c> (all in bytes). A plain product has one segment;
/// a convolution has one per kernel row (or per tap), which is what makes im2col unnecessary.
/// </para>
/// <para>
/// B is a panel <c>[K][16]</c>, 64-byte aligned, in the order segment, position. The second panel, where a tile has two,
/// starts <c>PanelStride</c> bytes later. Bias has as many lanes as the panels.
/// </para>
/// <para>
/// The tile stores all its lanes: <c>C[r, n] = min(High, max(Low, sum + Bias[n]))</c>, the sum starting from C when
/// <c>Accumulate</c> is set; a NaN stays a NaN. The products of one element are added in the order of K, each with one
/// rounding (fused).
/// </para>
/// </remarks>
internal unsafe struct FloatTileJob
{
    public float* A;
    public nint* RowOffsets;
    public nint* SegmentOffsets;
    public int Segments;
    public int SegmentLength;
    public nint KStride;
    public float* B;
    public nint PanelStride;
    public float* Bias;
    public float Low;
    public float High;
    public float* C;
    public nint CStride;
    public bool Accumulate;
}

/// <summary>The tiles of one instruction set, chosen once.</summary>
internal sealed unsafe class FloatTiles
{
    /// <summary>Columns of a panel of packed weights.</summary>
    public const int PanelWidth = 16;

    /// <summary>Room for the largest tile: 8 rows of two panels, or one of eight.</summary>
    public const int MaxTileFloats = 8 * 2 * PanelWidth;

    /// <summary>Columns of the widest tile.</summary>
    public const int MaxTileColumns = 8 * PanelWidth;

    private readonly delegate*<FloatTileJob*, void>[] _tiles;
    private readonly delegate*<FloatTileJob*, void>[] _rows;
    private readonly int _maxPanels;

    private FloatTiles(
        int maxRows, int maxPanels, delegate*<FloatTileJob*, void>[] tiles, delegate*<FloatTileJob*, void>[] rows)
    {
        MaxRows = maxRows;
        _maxPanels = maxPanels;
        _tiles = tiles;
        _rows = rows;
    }

    /// <summary>Tallest tile.</summary>
    public int MaxRows { get; }

    /// <summary>Panels a tile can span in a product of so many rows.</summary>
    public int MaxPanels(int rows) => rows == 1 ? _rows.Length : _maxPanels;

    /// <param name="rowsInAll">Rows of the whole product.</param>
    public void Run(FloatTileJob* job, int rows, int panels, int rowsInAll)
    {
        if (rowsInAll == 1)
        {
            _rows[panels - 1](job);
        }
        else
        {
            _tiles[((panels - 1) * MaxRows) + rows - 1](job);
        }
    }

    public static FloatTiles For(SimdPath path) => path switch
    {
        SimdPath.Avx512 => s_avx512,
        SimdPath.Avx2 or SimdPath.AvxVnni => s_avx2,
        _ => s_portable,
    };

    private static readonly FloatTiles s_portable = new(4, 1,
    [
        &FloatTilePortable.Run<Size1>,
        &FloatTilePortable.Run<Size2>,
        &FloatTilePortable.Run<Size3>,
        &FloatTilePortable.Run<Size4>,
    ],
    [
        &FloatTilePortable.Run<Size1>,
    ]);

    private static readonly FloatTiles s_avx2 = new(6, 1,
    [
        &FloatTileAvx2.Run<Size1>,
        &FloatTileAvx2.Run<Size2>,
        &FloatTileAvx2.Run<Size3>,
        &FloatTileAvx2.Run<Size4>,
        &FloatTileAvx2.Run<Size5>,
        &FloatTileAvx2.Run<Size6>,
    ],
    [
        &FloatTileAvx2.RunRow<Size1>,
        &FloatTileAvx2.RunRow<Size2>,
        &FloatTileAvx2.RunRow<Size3>,
        &FloatTileAvx2.RunRow<Size4>,
    ]);

    private static readonly FloatTiles s_avx512 = new(8, 2,
    [
        &FloatTileAvx512.Run<Size1, Size1>,
        &FloatTileAvx512.Run<Size2, Size1>,
        &FloatTileAvx512.Run<Size3, Size1>,
        &FloatTileAvx512.Run<Size4, Size1>,
        &FloatTileAvx512.Run<Size5, Size1>,
        &FloatTileAvx512.Run<Size6, Size1>,
        &FloatTileAvx512.Run<Size7, Size1>,
        &FloatTileAvx512.Run<Size8, Size1>,
        &FloatTileAvx512.Run<Size1, Size2>,
        &FloatTileAvx512.Run<Size2, Size2>,
        &FloatTileAvx512.Run<Size3, Size2>,
        &FloatTileAvx512.Run<Size4, Size2>,
        &FloatTileAvx512.Run<Size5, Size2>,
        &FloatTileAvx512.Run<Size6, Size2>,
        &FloatTileAvx512.Run<Size7, Size2>,
        &FloatTileAvx512.Run<Size8, Size2>,
    ],
    [
        &FloatTileAvx512.RunRow<Size1>,
        &FloatTileAvx512.RunRow<Size2>,
        &FloatTileAvx512.RunRow<Size3>,
        &FloatTileAvx512.RunRow<Size4>,
        &FloatTileAvx512.RunRow<Size5>,
        &FloatTileAvx512.RunRow<Size6>,
        &FloatTileAvx512.RunRow<Size7>,
        &FloatTileAvx512.RunRow<Size8>,
    ]);
}
