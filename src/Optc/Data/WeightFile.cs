using System.Globalization;
using System.Runtime.InteropServices;
using Optc.Formats;
using Optc.Formats.EthosU;
using Optc.Formats.Npy;
using Optc.Formats.RawBin;
using Optc.Ir;

namespace Optc.Data;

/// <summary>Integer weights in files, bare or as a coded stream.</summary>
public static class WeightFile
{
    private const string ArrayExtension = ".npy";

    /// <summary>Reads the weights of an <c>.npy</c> of int8 or int16, of any shape and in C order, or of a file of bare little-endian elements.</summary>
    /// <param name="bare">Type of the elements of a file that is no <c>.npy</c>: int8 or int16.</param>
    /// <returns>Weights as an Ethos-U stream can hold them: -255 to 255.</returns>
    /// <exception cref="DiagnosticException">The file cannot be read, is damaged or of another type, or a weight is out of range.</exception>
    public static short[] Read(string path, DType bare = DType.I8)
    {
        NpyType type = bare == DType.I8 ? NpyType.Int8 : NpyType.Int16;
        byte[] file = DataFile.Guard(path, () => File.ReadAllBytes(path));
        NpyArray array = DataFile.Guard(path, () => IsArray(path) ? NpyFile.Read(file) : RawBinFile.Read(file, type, [-1]));
        short[] weights = array.Type switch
        {
            NpyType.Int8 => Widen(array.Data.Span),
            NpyType.Int16 => MemoryMarshal.Cast<byte, short>(array.Data.Span).ToArray(),
            _ => throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "weights of this type have no Ethos-U stream")
            {
                At = [path],
                Found = array.Type.Code(),
                Expected = "int8 or int16",
            }),
        };
        int outside = weights.AsSpan().IndexOfAnyExceptInRange((short)-WeightCodec.LargestWeight, (short)WeightCodec.LargestWeight);
        return outside < 0 ? weights : throw new DiagnosticException(new Diagnostic(DiagnosticId.WeightOutOfRange, "a weight is out of range")
        {
            At = [path, string.Create(CultureInfo.InvariantCulture, $"weight {outside}")],
            Found = string.Create(CultureInfo.InvariantCulture, $"{weights[outside]}"),
            Expected = string.Create(CultureInfo.InvariantCulture, $"{-WeightCodec.LargestWeight} to {WeightCodec.LargestWeight}"),
        });
    }

    /// <summary>Reads a file of one or more whole Ethos-U weight streams.</summary>
    /// <exception cref="DiagnosticException">The file cannot be read, or the stream is damaged.</exception>
    public static short[] ReadStream(string path)
    {
        byte[] file = DataFile.Guard(path, () => File.ReadAllBytes(path));
        try
        {
            return WeightCodec.Decode(file);
        }
        catch (MalformedDataException damage)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.DamagedWeightStream, "the weight stream is damaged")
            {
                At = [path, string.Create(CultureInfo.InvariantCulture, $"byte 0x{damage.Offset:x}"), damage.Path],
                Found = damage.Found,
                Expected = damage.Expected,
            });
        }
    }

    /// <summary>The content of a file of int16 weights: <c>.npy</c> if its name ends so, else bare little-endian elements.</summary>
    public static byte[] ToBytes(string path, ReadOnlySpan<short> weights) => IsArray(path)
        ? NpyFile.Write(NpyArray.Of(weights, weights.Length))
        : MemoryMarshal.AsBytes(weights).ToArray();

    private static bool IsArray(string path) => string.Equals(Path.GetExtension(path), ArrayExtension, StringComparison.OrdinalIgnoreCase);

    private static short[] Widen(ReadOnlySpan<byte> bytes)
    {
        short[] weights = new short[bytes.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = unchecked((sbyte)bytes[i]);
        }

        return weights;
    }
}
