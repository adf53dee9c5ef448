namespace Optc.Ops.Kernels;

/// <summary>8-bit weights in the words and panels of the integer tiles.</summary>
/// <remarks>
/// Panels <c>[ceil(N / 16)][segments * words][16]</c> of 32-bit words, 64-byte aligned. A word holds two weights widened
/// to 16 bits or four weights of 8 bits, in the order of K; the last word of a segment and the columns beyond N are
/// filled with zeros, so what A holds there does not matter.
/// </remarks>
internal sealed unsafe class PackedWords
{
    private readonly AlignedBuffer<int> _panels;

    /// <param name="weights">Weights <c>[N, segments * segmentLength]</c>.</param>
    /// <param name="wordElements">Elements of a word: 2 or 4.</param>
    public PackedWords(ReadOnlySpan<sbyte> weights, int n, int segments, int segmentLength, int wordElements)
    {
        N = n;
        Words = checked(segments * ((segmentLength + wordElements - 1) / wordElements));
        PanelCount = (n + IntTiles.PanelWidth - 1) / IntTiles.PanelWidth;
        _panels = new AlignedBuffer<int>(checked((long)PanelCount * Words * IntTiles.PanelWidth));
        ColumnSums = new int[n];
        int segmentWords = Words / segments;
        int bits = 32 / wordElements;
        int mask = (int)((1L << bits) - 1);
        for (int column = 0; column < n; column++)
        {
            ReadOnlySpan<sbyte> row = weights.Slice(column * segments * segmentLength, segments * segmentLength);
            int* panel = Panel(column / IntTiles.PanelWidth) + (column % IntTiles.PanelWidth);
            for (int k = 0; k < row.Length; k++)
            {
                int inSegment = k % segmentLength;
                int word = (k / segmentLength * segmentWords) + (inSegment / wordElements);
                panel[(nint)word * IntTiles.PanelWidth] |= (row[k] & mask) << (inSegment % wordElements * bits);
                ColumnSums[column] += row[k];
            }
        }
    }

    /// <summary>Columns.</summary>
    public int N { get; }

    /// <summary>Words along K, over all segments.</summary>
    public int Words { get; }

    public int PanelCount { get; }

    /// <summary>Sum of the weights of each column, for the zero point of A.</summary>
    public int[] ColumnSums { get; }

    public nint PanelBytes => (nint)Words * IntTiles.PanelWidth * sizeof(int);

    public int* Panel(int panel) => _panels.Pointer + ((nint)panel * Words * IntTiles.PanelWidth);
}
