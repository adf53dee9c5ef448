namespace Optc.Backends.TfLite;

/// <summary>Which names of tensors a file has.</summary>
public enum TfLiteNames
{
    /// <summary><see cref="All"/> for a float model, whose layers further steps address by name; else <see cref="Interface"/>.</summary>
    Automatic,

    /// <summary>Only those by which callers find tensors: inputs, outputs, entries of signatures.</summary>
    Interface,

    /// <summary>All names, that of the graph, and the description.</summary>
    All,
}

/// <summary>Which runtimes are to load a file.</summary>
public enum TfLiteTarget
{
    /// <summary>All.</summary>
    Portable,

    /// <summary>
    /// TensorFlow Lite Micro only; LiteRT refuses the file or may round otherwise. Constants stand on multiples of 4 bytes (8 if any has 64-bit
    /// elements), zero points of channels that are all 0 are one, and the bias of a convolution has no scales, which its kernels
    /// take from input and filter.
    /// </summary>
    Micro,
}

/// <summary>What is left out of a <c>.tflite</c> file. Everything that any runtime computes with is always there.</summary>
/// <param name="Names">Which names of tensors stay.</param>
/// <param name="Target">Which runtimes are to load it.</param>
public sealed record TfLiteWriteOptions(TfLiteNames Names = TfLiteNames.Automatic, TfLiteTarget Target = TfLiteTarget.Portable)
{
    /// <summary>For any runtime, names as the model needs them.</summary>
    public static TfLiteWriteOptions Default { get; } = new();

    /// <summary>For any runtime, with all names: what further steps read, which address layers by name.</summary>
    public static TfLiteWriteOptions WithAllNames { get; } = new(TfLiteNames.All);
}
