using Optc.Data;
using Optc.Formats.EthosU;
using Optc.Formats.Npy;
using Optc.Ir;
using Xunit;

namespace Optc.Tests.Unit.Library;

public sealed class WeightFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("optc-weights-").FullName;

    [Fact]
    public void Arrays_and_bare_elements_are_read()
    {
        Assert.Equal([1, -2, 3, 4], WeightFile.Read(Write("a.npy", NpyFile.Write(NpyArray.Of<sbyte>([1, -2, 3, 4], 2, 2)))));
        Assert.Equal([-255, 255], WeightFile.Read(Write("b.npy", NpyFile.Write(NpyArray.Of<short>([-255, 255], 2)))));
        Assert.Equal([-1, 127], WeightFile.Read(Write("c.bin", [0xff, 0x7f])));
        Assert.Equal([-1, 127], WeightFile.Read(Write("d.bin", [0xff, 0xff, 0x7f, 0]), DType.I16));
        Assert.Empty(WeightFile.Read(Write("e.bin", [])));
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        short[] weights = [0, -255, 17];

        Assert.Equal(weights, WeightFile.Read(Write("a.npy", WeightFile.ToBytes("a.npy", weights))));
        Assert.Equal(weights, WeightFile.Read(Write("a.bin", WeightFile.ToBytes("a.bin", weights)), DType.I16));
        Assert.Equal(weights, WeightFile.ReadStream(Write("a.mlw", WeightCodec.Encode(weights))));
    }

    [Fact]
    public void Damage_and_unusable_weights_are_diagnostics()
    {
        Refuse(DiagnosticId.DamagedWeightStream, () => WeightFile.ReadStream(Write("a.mlw", WeightCodec.Encode([1, 2, 3])[..5])));
        Refuse(DiagnosticId.WeightOutOfRange, () => WeightFile.Read(Write("a.npy", NpyFile.Write(NpyArray.Of<short>([0, 256], 2)))));
        Refuse(DiagnosticId.DataMismatch, () => WeightFile.Read(Write("b.npy", NpyFile.Write(NpyArray.Of<float>([0, 1], 2)))));
        Refuse(DiagnosticId.MalformedFile, () => WeightFile.Read(Write("odd.bin", [1, 2, 3]), DType.I16));
        Refuse(DiagnosticId.FileNotReadable, () => WeightFile.Read(Path.Combine(_folder, "missing.bin")));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Refuse(DiagnosticId expected, Func<short[]> read) =>
        Assert.Equal(expected, Assert.Single(Assert.Throws<DiagnosticException>(read).Diagnostics).Id);

    private string Write(string name, byte[] content)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
