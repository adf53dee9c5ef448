using Optc.Backends.CArray;
using Xunit;

namespace Optc.Tests.Unit.Backends;

public sealed class CIdentifierTests
{
    [Theory]
    [InlineData("model")]
    [InlineData("_model_2")]
    [InlineData("kws_int8")]
    public void Accepts_what_both_languages_accept(string name) => Assert.True(CIdentifier.IsValid(name));

    [Theory]
    [InlineData("")]
    [InlineData("2model")]
    [InlineData("my-model")]
    [InlineData("class")]
    [InlineData("restrict")]
    [InlineData("_Model")]
    [InlineData("a__b")]
    [InlineData("modèle")]
    public void Refuses_other_names_keywords_and_reserved_ones(string name) => Assert.False(CIdentifier.IsValid(name));

    [Theory]
    [InlineData("my-model", "my_model")]
    [InlineData("2x", "model_2x")]
    [InlineData("int", "model_int")]
    [InlineData("--", "model")]
    public void Suggests_a_valid_name_close_by(string name, string expected)
    {
        Assert.Equal(expected, CIdentifier.Suggest(name));
        Assert.True(CIdentifier.IsValid(CIdentifier.Suggest(name)));
    }
}
