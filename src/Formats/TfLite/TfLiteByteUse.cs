namespace Optc.Formats.TfLite;

/// <summary>
/// What the bytes of a <c>.tflite</c> file are for. Content (weights to names) has the bytes of its elements; the length of a vector counts with
/// the tables that it belongs to. Of bytes with several uses the first in this order counts.
/// </summary>
public enum TfLiteByteUse
{
    /// <summary>Constants that an operator multiplies with.</summary>
    Weights,

    /// <summary>Constants that are added to sums of products.</summary>
    Biases,

    /// <summary>Content of other constant tensors: axes, shapes, tables.</summary>
    OtherConstants,

    /// <summary>Content of metadata entries.</summary>
    Metadata,

    /// <summary>Scales of quantized tensors.</summary>
    Scales,

    /// <summary>Zero points of quantized tensors.</summary>
    ZeroPoints,

    /// <summary>Minima and maxima that the producer recorded beside the quantization; nothing reads them.</summary>
    RecordedRanges,

    /// <summary>Segments, indices and orders of sparse tensors.</summary>
    SparseIndices,

    /// <summary>Shapes of tensors and their signatures.</summary>
    Shapes,

    /// <summary>Names of tensors, subgraphs, signatures, custom operators, metadata, each with its zero byte; the description.</summary>
    Names,

    /// <summary>Options of operators, custom ones included, with their tables.</summary>
    OperatorOptions,

    /// <summary>Operators, the lists of their operands, operator codes.</summary>
    OperatorTables,

    /// <summary>Tensors and their quantization and sparsity.</summary>
    TensorTables,

    /// <summary>Buffers, and the lengths of their content.</summary>
    BufferTables,

    /// <summary>The model, its subgraphs, signatures, and entries of metadata.</summary>
    GraphTables,

    /// <summary>Where the fields of tables stand.</summary>
    VTables,

    /// <summary>Offset of the root and identifier.</summary>
    Head,

    /// <summary>Zeros of less than 16 bytes between other things, which alignment needs.</summary>
    Padding,

    /// <summary>Bytes that nothing known refers to; content of buffers and constants that nothing uses.</summary>
    Unused,
}
