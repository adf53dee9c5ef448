using Optc.Formats.FlatBuffers;
using Xunit;

namespace Optc.Tests.Unit.Formats.FlatBuffers;

public sealed class FlatStringTests
{
    [Theory]
    [InlineData("")]
    [InlineData("conv1/Relu;conv1/BiasAdd")]
    [InlineData("gr\u00fc\u00df \u6f22\u5b57 \ud83d\ude00")]
    public void Valid_text_is_plain_utf8(string text)
    {
        Assert.Equal(System.Text.Encoding.UTF8.GetBytes(text), FlatString.Encode(text));
        Assert.Equal(text, FlatString.Decode(FlatString.Encode(text)));
    }

    [Fact]
    public void Any_bytes_survive()
    {
        for (int seed = 0; seed < 5000; seed++)
        {
            Random random = new(seed);
            byte[] bytes = new byte[random.Next(20)];
            random.NextBytes(bytes);

            Assert.True(bytes.AsSpan().SequenceEqual(FlatString.Encode(FlatString.Decode(bytes))), $"seed {seed}");
        }
    }

    [Fact]
    public void A_byte_that_is_no_utf8_becomes_one_lone_surrogate() =>
        Assert.Equal("a\udcffb", FlatString.Decode([(byte)'a', 0xff, (byte)'b']));

    [Fact]
    public void Other_lone_surrogates_become_the_replacement_character() =>
        Assert.Equal("?\ufffd"u8.ToArray(), FlatString.Encode("?\ud800"));
}
