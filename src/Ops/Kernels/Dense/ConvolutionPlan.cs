namespace Optc.Ops.Kernels;

/// <summary>Where a convolution reads: its chunks of output rows, and the offsets of pixels and taps inside a chunk.</summary>
/// <remarks>
/// <para>
/// A chunk is a run of output rows of one image. Its input rows are read in place when no window touches the padding;
/// otherwise they are staged in scratch with their padding around them, so that no kernel tests a border. The grid
/// depends on the shapes alone, never on the number of threads.
/// </para>
/// <para>
/// The taps of a kernel row are contiguous in NHWC when the convolution is dense (one group, no dilation along W): they
/// form one segment of <c>KW * C</c> elements. Neighbouring outputs overlap there, so nothing is gathered.
/// </para>
/// </remarks>
internal sealed class ConvolutionPlan
{
    /// <summary>Bytes behind a staged chunk that a kernel may read, though it never uses them.</summary>
    private const int Slack = 64;

    /// <summary>Output pixels of a chunk: a multiple of the tile heights 4, 6 and 8, small enough for the first caches.</summary>
    private const int TargetPixels = 96;

    /// <summary>
    /// The same for depthwise kernels, which do so little for a pixel that staging the rows above and below counts.
    /// </summary>
    private const int DepthwiseTargetPixels = 192;

    private readonly int _chunksPerImage;
    private readonly int _rowsPerChunk;
    private readonly int _elementSize;
    private readonly bool _perTap;

    /// <param name="geometry">A validated geometry.</param>
    /// <param name="elementSize">Bytes of an element as the kernel reads it.</param>
    /// <param name="mustStage">Stage also what could be read in place, because the element type changes.</param>
    /// <param name="wordElements">A kernel reads this many elements at once; a segment may be read up to a multiple.</param>
    /// <param name="perTap">A segment for each tap and channel-wise offsets, as a depthwise kernel reads.</param>
    public ConvolutionPlan(
        Conv2DGeometry geometry, int elementSize, bool mustStage, int wordElements, bool perTap = false)
    {
        _perTap = perTap;
        Window height = geometry.Height;
        Window width = geometry.Width;
        if (IsPointwise(height, width))
        {
            int pixels = geometry.Batch * height.Input * width.Input;
            geometry = geometry with
            {
                Batch = 1,
                Height = Window.Valid(pixels, 1, 1),
                Width = Window.Valid(1, 1, 1),
            };
            height = geometry.Height;
            width = geometry.Width;
        }

        Geometry = geometry;
        _elementSize = elementSize;
        SegmentLength = Segmented(geometry);
        Stages = mustStage || Pads(height) || Pads(width) || SegmentLength % wordElements != 0;

        // Columns that any window reads; a crop or an unread rest at the right is not staged.
        int readColumns = width.Output == 0 ? 0 : ((width.Output - 1) * width.Stride) + width.Extent;
        BufferWidth = Stages ? readColumns : width.Input;
        _rowsPerChunk = Math.Max(1, Math.Min(height.Output, (perTap ? DepthwiseTargetPixels : TargetPixels) / Math.Max(1, width.Output)));
        int chunks = (height.Output + _rowsPerChunk - 1) / _rowsPerChunk;
        if (chunks > 0)
        {
            _rowsPerChunk = (height.Output + chunks - 1) / chunks;
            chunks = (height.Output + _rowsPerChunk - 1) / _rowsPerChunk;
        }

        _chunksPerImage = chunks;
        ChunkCount = width.Output == 0 ? 0 : checked(geometry.Batch * chunks);
        RowBytes = checked((nint)BufferWidth * geometry.InputChannels * elementSize);
        PixelOffsets = new AlignedBuffer<nint>((long)_rowsPerChunk * width.Output);
        FillPixelOffsets();
        SegmentOffsets = Segments(geometry);
        ScratchBytes = Stages ? checked((int)((BufferRows(_rowsPerChunk) * RowBytes) + Slack + AlignedBuffer<byte>.Alignment)) : 0;
    }

    /// <summary>The geometry the plan works on; a 1x1 convolution is laid out as one pixel a row.</summary>
    public Conv2DGeometry Geometry { get; }

    public int ChunkCount { get; }

    /// <summary>Bytes a worker lends to <c>RunChunk</c>; zero when the input is read in place.</summary>
    public int ScratchBytes { get; }

    /// <summary>Whether chunks are staged in scratch.</summary>
    public bool Stages { get; }

    /// <summary>Pixels of a row of the buffer that is read (scratch or the input itself).</summary>
    public int BufferWidth { get; }

    /// <summary>Bytes of a row of the buffer that is read.</summary>
    public nint RowBytes { get; }

    /// <summary>Byte offset of the first tap of each output pixel of a chunk, in the buffer that is read.</summary>
    public AlignedBuffer<nint> PixelOffsets { get; }

    /// <summary>Byte offset of each segment from the first tap.</summary>
    public AlignedBuffer<nint> SegmentOffsets { get; }

    /// <summary>Contiguous elements of a segment.</summary>
    public int SegmentLength { get; }

    /// <summary>Tallest chunk, in output pixels.</summary>
    public int MaxPixels => PixelOffsets.Length;

    /// <summary>Input rows of the tallest chunk, padding included.</summary>
    public int MaxInputRows => BufferRows(_rowsPerChunk);

    /// <summary>The rows of a chunk.</summary>
    public ConvolutionChunk Chunk(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, ChunkCount);
        int image = index / _chunksPerImage;
        int firstRow = (index % _chunksPerImage) * _rowsPerChunk;
        int rows = Math.Min(_rowsPerChunk, Geometry.Height.Output - firstRow);
        return new(
            image,
            FirstInputRow: Geometry.Height.Start(firstRow),
            InputRows: BufferRows(rows),
            FirstPixel: ((image * Geometry.Height.Output) + firstRow) * Geometry.Width.Output,
            Pixels: rows * Geometry.Width.Output);
    }

    /// <summary>Index of the input element that a chunk read in place starts from.</summary>
    public nint InPlaceStart(ConvolutionChunk chunk) =>
        ((((nint)chunk.Image * Geometry.Height.Input) + chunk.FirstInputRow) * Geometry.Width.Input
            + Geometry.Width.Start(0)) * Geometry.InputChannels;

    private static bool IsPointwise(Window height, Window width) =>
        height is { Kernel: 1, Stride: 1, Before: 0 } && width is { Kernel: 1, Stride: 1, Before: 0 }
        && height.Input == height.Output && width.Input == width.Output;

    private static bool Pads(Window window) =>
        window.Output > 0
        && (window.Before > 0 || window.Start(window.Output - 1) + window.Extent > window.Input);

    private int Segmented(Conv2DGeometry geometry) =>
        IsContiguousAlongWidth(geometry) ? geometry.Width.Kernel * geometry.InputChannels : geometry.GroupInputChannels;

    private bool IsContiguousAlongWidth(Conv2DGeometry geometry) =>
        !_perTap && geometry.Groups == 1 && (geometry.Width.Dilation == 1 || geometry.Width.Kernel == 1);

    private AlignedBuffer<nint> Segments(Conv2DGeometry geometry)
    {
        int perRow = IsContiguousAlongWidth(geometry) ? 1 : geometry.Width.Kernel;
        AlignedBuffer<nint> offsets = new((long)geometry.Height.Kernel * perRow);
        Span<nint> span = offsets.Span;
        nint tapBytes = (nint)geometry.Width.Dilation * geometry.InputChannels * _elementSize;
        for (int segment = 0; segment < span.Length; segment++)
        {
            span[segment] = (segment / perRow * geometry.Height.Dilation * RowBytes) + (segment % perRow * tapBytes);
        }

        return offsets;
    }

    private void FillPixelOffsets()
    {
        Span<nint> offsets = PixelOffsets.Span;
        nint pixelBytes = (nint)Geometry.Width.Stride * Geometry.InputChannels * _elementSize;
        for (int pixel = 0; pixel < offsets.Length; pixel++)
        {
            offsets[pixel] = (pixel / Geometry.Width.Output * Geometry.Height.Stride * RowBytes)
                + (pixel % Geometry.Width.Output * pixelBytes);
        }
    }

    private int BufferRows(int outputRows) => ((outputRows - 1) * Geometry.Height.Stride) + Geometry.Height.Extent;
}

/// <summary>A chunk of a convolution.</summary>
/// <param name="Image">Index in the batch.</param>
/// <param name="FirstInputRow">First input row any window reads; negative inside the padding.</param>
/// <param name="InputRows">Input rows read, padding included.</param>
/// <param name="FirstPixel">Index of the first output pixel in <c>[N * OH * OW]</c>.</param>
/// <param name="Pixels">Output pixels.</param>
internal readonly record struct ConvolutionChunk(
    int Image, int FirstInputRow, int InputRows, int FirstPixel, int Pixels);
