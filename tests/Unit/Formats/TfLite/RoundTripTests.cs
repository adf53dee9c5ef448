using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Optc.Formats.TfLite;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Unit.Formats.TfLite;

public sealed class RoundTripTests
{
    [SharedFact]
    public void All_models_are_there() => Assert.True(ModelFiles.Names().Count() >= 73);

    [SharedTheory]
    [MemberData(nameof(ModelFiles.All), MemberType = typeof(ModelFiles))]
    public void A_model_survives_writing(string name)
    {
        byte[] file = ModelFiles.Load(name);
        ModelRecord model = TfLiteFile.Read(file, out IReadOnlyCollection<string> unknownFields);

        byte[] written = TfLiteFile.ToArray(model);
        ModelRecord again = TfLiteFile.Read(written);

        Assert.Empty(unknownFields);
        Assert.NotEmpty(model.Subgraphs);
        Assert.Equal(model, again);
        Assert.Equal(model.GetHashCode(), again.GetHashCode());
        Assert.Equal(written, TfLiteFile.ToArray(again));
    }

    [SharedTheory]
    [MemberData(nameof(ModelFiles.All), MemberType = typeof(ModelFiles))]
    public void Written_models_are_not_larger_and_align_their_buffers(string name)
    {
        byte[] file = ModelFiles.Load(name);
        byte[] written = TfLiteFile.ToArray(TfLiteFile.Read(file));

        int padding = 16 * TfLiteFile.Read(file).Buffers.Count(buffer => !buffer.Data.IsEmpty);
        Assert.True(written.Length <= file.Length + padding, $"{written.Length} bytes from {file.Length}");
        foreach (BufferRecord buffer in TfLiteFile.Read(written).Buffers.Where(buffer => !buffer.Data.IsEmpty))
        {
            Assert.True(MemoryMarshal.TryGetArray(buffer.Data, out ArraySegment<byte> place));
            Assert.Equal(0, place.Offset % 16);
            Assert.Equal(place.Count, BinaryPrimitives.ReadInt32LittleEndian(written.AsSpan(place.Offset - 4)));
        }
    }

    [SharedFact]
    public void Writing_to_a_stream_gives_the_same_bytes()
    {
        ModelRecord model = TfLiteFile.Read(ModelFiles.Load(ModelFiles.Names().First()));
        using MemoryStream stream = new();

        TfLiteFile.Write(model, stream);

        Assert.Equal(TfLiteFile.ToArray(model), stream.ToArray());
    }
}
