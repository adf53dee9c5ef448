using System.Text;
using Optc.Backends;
using Optc.Backends.CArray;
using Optc.Ir;
using Xunit;

namespace Optc.Tests.Unit.Backends;

public sealed class CArrayBackendTests
{
    private static readonly byte[] Content = [0x1c, 0x00, 0xff, 0x54, 0x46, 0x4c, 0x33, 1, 2, 3, 4, 5, 6, 7];

    [Fact]
    public void Declares_in_the_header_and_defines_in_the_source()
    {
        ArtifactSet files = Emit(CArrayStyle.HeaderAndSource);

        Assert.Equal(["kws.h", "kws.c"], files.Files.Select(f => f.Name));
        string header = Text(files, 0);
        Assert.Contains("#ifndef KWS_H\n", header, StringComparison.Ordinal);
        Assert.Contains("extern \"C\" {", header, StringComparison.Ordinal);
        Assert.Contains("extern const unsigned char kws[14];", header, StringComparison.Ordinal);
        Assert.Contains("extern const unsigned int kws_len;", header, StringComparison.Ordinal);
        Assert.EndsWith(
            """
            kws_ALIGN(16) const unsigned char kws[14] = {
                0x1c, 0x00, 0xff, 0x54, 0x46, 0x4c, 0x33, 0x01, 0x02, 0x03, 0x04, 0x05,
                0x06, 0x07,
            };
            const unsigned int kws_len = 14;

            """,
            Text(files, 1),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Writes_one_header_in_the_style_of_xxd()
    {
        ArtifactSet files = Emit(CArrayStyle.XxdHeader);

        Artifact header = Assert.Single(files.Files);
        Assert.Equal("kws.h", header.Name);
        Assert.Contains("alignas(8) const unsigned char kws[] = {\n    0x1c,", Text(files, 0), StringComparison.Ordinal);
        Assert.Contains("const unsigned int kws_len = 14;", Text(files, 0), StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_a_name_that_is_no_identifier()
    {
        DiagnosticException problem = Assert.Throws<DiagnosticException>(
            () => CArrayBackend.Emit(Content.Length, s => s.Write(Content), new("my-model")));

        Assert.Equal("--symbol my_model", Assert.Single(problem.Diagnostics).Hint);
    }

    [Fact]
    public void Writes_a_large_model_without_holding_its_text()
    {
        byte[] large = new byte[8_000_000];
        ArtifactSet files = CArrayBackend.Emit(large.Length, s => s.Write(large), new("big"));
        long before = GC.GetAllocatedBytesForCurrentThread();

        files.Files[1].Write(Stream.Null);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 500_000);
    }

    private static ArtifactSet Emit(CArrayStyle style) =>
        CArrayBackend.Emit(Content.Length, s => s.Write(Content), new("kws", style));

    private static string Text(ArtifactSet files, int index) => Encoding.ASCII.GetString(files.Files[index].ToArray());
}
