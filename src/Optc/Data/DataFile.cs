using System.Collections.Immutable;
using Optc.Formats;
using Optc.Formats.Idx;
using Optc.Formats.Npy;
using Optc.Formats.Wav;
using Optc.Ir;

namespace Optc.Data;

/// <summary>Reads arrays from the files that users have: <c>.npy</c>, <c>.npz</c>, IDX (also <c>.gz</c>), <c>.wav</c>, folders of them.</summary>
public static class DataFile
{
    private static readonly string[] Single = [".npy", ".wav"];

    /// <summary>One tensor: an <c>.npy</c>, <c>.wav</c> or IDX file.</summary>
    /// <remarks>Sound is f32 in -1 to 1, shaped [frames] or [frames, channels].</remarks>
    /// <exception cref="DiagnosticException">The file cannot be read, is damaged, or of another kind.</exception>
    public static TensorData ReadTensor(string path)
    {
        NpyArray array = ReadArray(path);
        return new(DataColumn.TypeOf(array.Type), Shape.Of(array.Shape), array.Data);
    }

    /// <summary>Writes a tensor as <c>.npy</c>.</summary>
    /// <exception cref="DiagnosticException">The element type has no counterpart in that format.</exception>
    public static byte[] ToNpy(TensorData tensor)
    {
        NpyType type = tensor.DType switch
        {
            DType.F32 => NpyType.Float32,
            DType.F16 => NpyType.Float16,
            DType.F64 => NpyType.Float64,
            DType.I8 => NpyType.Int8,
            DType.U8 => NpyType.UInt8,
            DType.I16 => NpyType.Int16,
            DType.U16 => NpyType.UInt16,
            DType.I32 => NpyType.Int32,
            DType.U32 => NpyType.UInt32,
            DType.I64 => NpyType.Int64,
            DType.U64 => NpyType.UInt64,
            DType.Bool => NpyType.Boolean,
            _ => throw new DiagnosticException(new Diagnostic(DiagnosticId.UnsupportedFeature, "a tensor of this type has no .npy form") { Found = tensor.DType.Name }),
        };
        return NpyFile.Write(new(type, tensor.Shape.Dims, tensor.Bytes));
    }

    /// <summary>The columns of a file or folder; those of an archive in its order.</summary>
    internal static ImmutableArray<DataColumn> Open(string path)
    {
        if (Directory.Exists(path))
        {
            return [OpenFolder(path)];
        }

        return ExtensionOf(path) switch
        {
            ".npz" => Guard(path, () => OpenArchive(path)),
            ".npy" => [Guard(path, () => OpenArray(path))],
            _ => [new MemoryColumn(Path.GetFileNameWithoutExtension(path), ReadArray(path))],
        };
    }

    /// <summary>Turns what goes wrong while a file is read into a diagnostic with its name.</summary>
    internal static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (MalformedDataException damage)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.MalformedFile, "the file breaks the rules of its format")
            {
                At = damage.Offset >= 0 ? [path, $"byte 0x{damage.Offset:x}", damage.Path] : [path, damage.Path],
                Found = damage.Found,
                Expected = damage.Expected,
            });
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw NotReadable(path, problem);
        }
    }

    internal static DiagnosticException NotReadable(string path, Exception problem) =>
        new(new Diagnostic(DiagnosticId.FileNotReadable, "the file cannot be read")
        {
            At = [path],
            Found = problem switch
            {
                FileNotFoundException or DirectoryNotFoundException => "no such file",
                UnauthorizedAccessException when Directory.Exists(path) => "a folder",
                UnauthorizedAccessException => "no permission to read it",
                _ => problem.Message,
            },
        });

    /// <summary>The samples directly in a folder, in ordinal order of their names.</summary>
    internal static ImmutableArray<string> SamplesOf(string folder) => Guard(folder, () => Directory.EnumerateFiles(folder)
        .Where(f => Single.Contains(ExtensionOf(f)))
        .Order(StringComparer.Ordinal)
        .ToImmutableArray());

    private static FolderColumn OpenFolder(string path)
    {
        ImmutableArray<string> files = SamplesOf(path);
        return files.IsEmpty
            ? throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "the folder holds no data")
            {
                At = [path],
                Expected = string.Join(" or ", Single.Select(e => $"{e} files")),
            })
            : new(Path.GetFileName(Path.TrimEndingDirectorySeparator(path)), files, ReadTensor(files[0]).DType);
    }

    private static NpyArray ReadArray(string path)
    {
        byte[] file = Guard(path, () => File.ReadAllBytes(path));
        return ExtensionOf(path) switch
        {
            ".npy" => Guard(path, () => NpyFile.Read(file)),
            ".wav" => Guard(path, () => FromSound(WavFile.Read(file))),
            ".gz" or ".idx" or "" => Guard(path, () => IdxFile.Read(file)),
            { } name when name.EndsWith("-ubyte", StringComparison.Ordinal) => Guard(path, () => IdxFile.Read(file)),
            { } other => throw new DiagnosticException(new Diagnostic(DiagnosticId.UnknownFormat, "data of this kind cannot be read")
            {
                At = [path],
                Found = $"'{other}'",
                Expected = ".npz, .npy, .wav, IDX (.gz), or a folder of .npy or .wav files",
            }),
        };
    }

    private static NpyArray FromSound(WavAudio sound) => sound.Channels == 1
        ? NpyArray.Of(sound.Samples.Span, sound.Frames)
        : NpyArray.Of(sound.Samples.Span, sound.Frames, sound.Channels);

    // A scalar in an archive is a remark of its writer, not data.
    private static ImmutableArray<DataColumn> OpenArchive(string path)
    {
        using NpzReader archive = NpzReader.Open(path);
        return
        [
            .. archive.Entries
                .Select(e => (e.Name, Header: archive.ReadHeader(e.Name)))
                .Where(e => !e.Header.Shape.IsEmpty)
                .Select(e => new StreamedColumn(path, e.Name, e.Header.Type, e.Header.Shape)),
        ];
    }

    private static StreamedColumn OpenArray(string path)
    {
        using NpyRowReader reader = NpyFile.OpenRows(path);
        return new(path, null, reader.Type, reader.Shape);
    }

    private static string ExtensionOf(string path) => Path.GetExtension(path).ToLowerInvariant();
}
