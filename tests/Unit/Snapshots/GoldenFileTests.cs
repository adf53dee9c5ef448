using Optc.Tests.Snapshots;
using Xunit;
using Xunit.Sdk;

namespace Optc.Tests.Unit.Snapshots;

public sealed class GoldenFileTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("optc-golden-").FullName;

    private string File => Path.Combine(_root, "golden", "a.txt");

    private string Received => File + ".received";

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Missing_file_fails_and_leaves_what_was_received()
    {
        XunitException failure = Assert.ThrowsAny<XunitException>(() => Golden().ShouldMatch("one\n"));

        Assert.StartsWith("golden/a.txt: no golden file yet", failure.Message, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(File));
        Assert.Equal("one\n", System.IO.File.ReadAllText(Received));
    }

    [Fact]
    public void Difference_names_the_first_line_and_keeps_the_golden_file()
    {
        Golden(blessing: true).ShouldMatch("one\ntwo\nthree\n");

        XunitException failure = Assert.ThrowsAny<XunitException>(() => Golden().ShouldMatch("one\n2\nthree\n"));

        Assert.Contains("differs at line 2\n  golden:   two\n  received: 2\n", failure.Message, StringComparison.Ordinal);
        Assert.Equal("one\ntwo\nthree\n", System.IO.File.ReadAllText(File));
        Assert.Equal("one\n2\nthree\n", System.IO.File.ReadAllText(Received));
    }

    [Fact]
    public void Blessing_accepts_and_removes_what_was_received()
    {
        Assert.ThrowsAny<XunitException>(() => Golden().ShouldMatch("new"));

        Golden(blessing: true).ShouldMatch("new");

        Assert.Equal("new", System.IO.File.ReadAllText(File));
        Assert.False(System.IO.File.Exists(Received));
        Golden().ShouldMatch("new");
    }

    [Fact]
    public void Match_removes_what_an_earlier_run_received()
    {
        Golden(blessing: true).ShouldMatch("right");
        Assert.ThrowsAny<XunitException>(() => Golden().ShouldMatch("wrong"));

        Golden().ShouldMatch("right");

        Assert.False(System.IO.File.Exists(Received));
    }

    [Fact]
    public void Line_ends_of_Windows_make_no_difference_to_texts()
    {
        Golden(blessing: true).ShouldMatch("one\r\ntwo\r\n");

        Assert.Equal("one\ntwo\n", System.IO.File.ReadAllText(File));
        Golden().ShouldMatch("one\r\ntwo\r\n");
    }

    [Fact]
    public void Bytes_that_differ_are_told_by_place_length_and_hash()
    {
        Golden(blessing: true).ShouldMatch("abc"u8);

        XunitException failure = Assert.ThrowsAny<XunitException>(() => Golden().ShouldMatch("ab"u8));

        Assert.Contains("differs at byte 2 (0x2)", failure.Message, StringComparison.Ordinal);
        Assert.Contains(
            "golden:   0x63 of 3 bytes, sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            failure.Message,
            StringComparison.Ordinal);
        Assert.Contains("received: (end of file) of 2 bytes, sha256 fb8e20fc", failure.Message, StringComparison.Ordinal);
        Golden().ShouldMatch("abc"u8);
    }

    [Fact]
    public void Bytes_are_compared_without_looking_at_line_ends()
    {
        Golden(blessing: true).ShouldMatch("a\r\n"u8);

        Assert.ThrowsAny<XunitException>(() => Golden().ShouldMatch("a\n"u8));
    }

    private GoldenFile Golden(bool blessing = false) => GoldenFile.In(_root, "golden/a.txt", blessing);
}
