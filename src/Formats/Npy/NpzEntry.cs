namespace Optc.Formats.Npy;

/// <summary>One array of an <c>.npz</c> archive, as the directory of the archive describes it.</summary>
/// <param name="Name">Name of the array, without the <c>.npy</c> of its file.</param>
/// <param name="CompressedLength">Bytes it takes in the archive.</param>
/// <param name="Length">
/// Bytes of its <c>.npy</c> file, header included; what the archive says, not yet verified.
/// </param>
public sealed record NpzEntry(string Name, long CompressedLength, long Length);
