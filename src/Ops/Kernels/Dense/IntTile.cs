namespace Optc.Ops.Kernels;

/// <summary>One tile of an integer product: some rows of A, one or two panels of B, all of K.</summary>
/// <remarks>
/// <para>
/// Both sides are read in words of 32 bits: two 16-bit elements, or four 8-bit ones. Word k of segment s of row r of A
/// is at <c>A + RowOffsets[r] + SegmentOffsets[s] + 4 * k</c> (bytes, any alignment). B is a panel
/// <c>[words][16]</c> in the order segment, word; the second panel starts <c>PanelStride</c> bytes later.
/// </para>
/// <para>
/// <c>C[r, n] = Bias[n] + sum</c>, in wrapping 32-bit arithmetic: exact, and independent of the order. All lanes are
/// stored.
/// </para>
/// </remarks>
internal unsafe struct IntTileJob
{
    public byte* A;
    public nint* RowOffsets;
    public nint* SegmentOffsets;
    public int Segments;
    public int SegmentWords;
    public int* B;
    public nint PanelStride;
    public int* Bias;
    public int* C;
    public nint CStride;
}

/// <summary>The integer tiles of one instruction set and element type, chosen once.</summary>
internal sealed unsafe class IntTiles
{
    /// <summary>Columns of a panel of packed weights.</summary>
    public const int PanelWidth = 16;

    /// <summary>Tallest tile of any kind.</summary>
    public const int MaxTileRows = 8;

    /// <summary>Widest tile of any kind, in columns.</summary>
    public const int MaxTileColumns = 4 * PanelWidth;

    private readonly delegate*<IntTileJob*, void>[] _tiles;
    private readonly delegate*<IntTileJob*, void>[] _rows;
    private readonly int _maxPanels;

    private IntTiles(
        int maxRows, int maxPanels, delegate*<IntTileJob*, void>[] tiles, delegate*<IntTileJob*, void>[] rows)
    {
        MaxRows = maxRows;
        _maxPanels = maxPanels;
        _tiles = tiles;
        _rows = rows;
    }

    public int MaxRows { get; }

    /// <summary>Panels a tile can span in a product of so many rows.</summary>
    public int MaxPanels(int rows) => rows == 1 ? _rows.Length : _maxPanels;

    /// <param name="rowsInAll">Rows of the whole product.</param>
    public void Run(IntTileJob* job, int rows, int panels, int rowsInAll)
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

    /// <summary>Words of two 16-bit elements on both sides.</summary>
    public static IntTiles Pairs(SimdPath path) => path switch
    {
        SimdPath.Avx512 => s_pairs512,
        SimdPath.Avx2 or SimdPath.AvxVnni => s_pairs256,
        _ => s_pairsPortable,
    };

    /// <summary>Words of four bytes, A unsigned and B signed; needs AVX-VNNI.</summary>
    public static IntTiles UnsignedQuads => s_unsignedQuads;

    /// <summary>As <see cref="UnsignedQuads"/>, but A is signed and gets 128 added to each byte on the way.</summary>
    public static IntTiles SignedQuads => s_signedQuads;

    private static readonly IntTiles s_pairsPortable = new(4, 1,
    [
        &IntTilePortable.Run<Size1>,
        &IntTilePortable.Run<Size2>,
        &IntTilePortable.Run<Size3>,
        &IntTilePortable.Run<Size4>,
    ],
    [
        &IntTilePortable.Run<Size1>,
    ]);

    private static readonly IntTiles s_pairs256 = new(6, 1,
    [
        &IntTileAvx2.Run<Size1>,
        &IntTileAvx2.Run<Size2>,
        &IntTileAvx2.Run<Size3>,
        &IntTileAvx2.Run<Size4>,
        &IntTileAvx2.Run<Size5>,
        &IntTileAvx2.Run<Size6>,
    ],
    [
        &IntTileAvx2.RunRow<Size1>,
        &IntTileAvx2.RunRow<Size2>,
        &IntTileAvx2.RunRow<Size3>,
        &IntTileAvx2.RunRow<Size4>,
    ]);

    private static readonly IntTiles s_pairs512 = new(8, 2,
    [
        &IntTileAvx512.Run<Size1, Size1>,
        &IntTileAvx512.Run<Size2, Size1>,
        &IntTileAvx512.Run<Size3, Size1>,
        &IntTileAvx512.Run<Size4, Size1>,
        &IntTileAvx512.Run<Size5, Size1>,
        &IntTileAvx512.Run<Size6, Size1>,
        &IntTileAvx512.Run<Size7, Size1>,
        &IntTileAvx512.Run<Size8, Size1>,
        &IntTileAvx512.Run<Size1, Size2>,
        &IntTileAvx512.Run<Size2, Size2>,
        &IntTileAvx512.Run<Size3, Size2>,
        &IntTileAvx512.Run<Size4, Size2>,
        &IntTileAvx512.Run<Size5, Size2>,
        &IntTileAvx512.Run<Size6, Size2>,
        &IntTileAvx512.Run<Size7, Size2>,
        &IntTileAvx512.Run<Size8, Size2>,
    ],
    [
        &IntTileAvx512.RunRow<Size1>,
        &IntTileAvx512.RunRow<Size2>,
        &IntTileAvx512.RunRow<Size3>,
        &IntTileAvx512.RunRow<Size4>,
    ]);

    private static readonly IntTiles s_unsignedQuads = new(6, 1,
    [
        &IntTileAvxVnni.Run<Size1, UnsignedBytes>,
        &IntTileAvxVnni.Run<Size2, UnsignedBytes>,
        &IntTileAvxVnni.Run<Size3, UnsignedBytes>,
        &IntTileAvxVnni.Run<Size4, UnsignedBytes>,
        &IntTileAvxVnni.Run<Size5, UnsignedBytes>,
        &IntTileAvxVnni.Run<Size6, UnsignedBytes>,
    ],
    [
        &IntTileAvxVnni.RunRow<Size1, UnsignedBytes>,
        &IntTileAvxVnni.RunRow<Size2, UnsignedBytes>,
        &IntTileAvxVnni.RunRow<Size3, UnsignedBytes>,
        &IntTileAvxVnni.RunRow<Size4, UnsignedBytes>,
    ]);

    private static readonly IntTiles s_signedQuads = new(6, 1,
    [
        &IntTileAvxVnni.Run<Size1, SignedBytes>,
        &IntTileAvxVnni.Run<Size2, SignedBytes>,
        &IntTileAvxVnni.Run<Size3, SignedBytes>,
        &IntTileAvxVnni.Run<Size4, SignedBytes>,
        &IntTileAvxVnni.Run<Size5, SignedBytes>,
        &IntTileAvxVnni.Run<Size6, SignedBytes>,
    ],
    [
        &IntTileAvxVnni.RunRow<Size1, SignedBytes>,
        &IntTileAvxVnni.RunRow<Size2, SignedBytes>,
        &IntTileAvxVnni.RunRow<Size3, SignedBytes>,
        &IntTileAvxVnni.RunRow<Size4, SignedBytes>,
    ]);
}

/// <summary>How a broadcast word of four bytes becomes unsigned.</summary>
internal interface IByteSign
{
    static abstract bool IsSigned { get; }
}

/// <summary>Bytes that are unsigned already.</summary>
internal readonly struct UnsignedBytes : IByteSign
{
    public static bool IsSigned => false;
}

/// <summary>Signed bytes: 128 is added to each, which flips its sign bit.</summary>
internal readonly struct SignedBytes : IByteSign
{
    public static bool IsSigned => true;
}
