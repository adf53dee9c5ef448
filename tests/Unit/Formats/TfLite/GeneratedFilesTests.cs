using Optc.Tests.Snapshots;
using Optc.Tools.SchemaGenerator;
using Xunit;

namespace Optc.Tests.Unit.Formats.TfLite;

public sealed class GeneratedFilesTests
{
    private static readonly string Folder = Path.Combine(RepositoryFolder.Path, "src", "Formats", "TfLite");

    [Fact]
    public void Generated_files_are_up_to_date()
    {
        IReadOnlyDictionary<string, string> generated =
            Generator.Generate(File.ReadAllText(Path.Combine(Folder, "tflite.schema")));

        Assert.Equal(
            generated.Keys,
            Directory.EnumerateFiles(Folder, "*.g.cs").Select(file => Path.GetFileName(file))
                .Order(StringComparer.Ordinal));
        foreach ((string name, string text) in generated)
        {
            bool isCurrent = File.ReadAllText(Path.Combine(Folder, name)) == text;
            Assert.True(isCurrent, $"{name} is old: dotnet run --project tools/SchemaGenerator -- src/Formats/TfLite");
        }
    }

    [Theory]
    [InlineData("    0 a : int32", "line 1")]
    [InlineData("table A\n    0 a : nothing\nroot A", "line 2")]
    [InlineData("table A\n    0 a : int32 strange\nroot A", "line 2")]
    [InlineData("table A\ntable A\nroot A", "line 2")]
    [InlineData("table A", "no root table")]
    public void A_wrong_schema_is_refused_with_its_line(string schema, string place)
    {
        FormatException error = Assert.Throws<FormatException>(() => Generator.Generate(schema));

        Assert.Contains(place, error.Message, StringComparison.Ordinal);
    }
}
