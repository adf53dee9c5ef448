using System.Globalization;
using Optc.Cli.CommandLine;
using Optc.Ir;
using Xunit;

namespace Optc.Tests.Golden.Cli;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("90s", 90)]
    [InlineData("30m", 1800)]
    [InlineData("1.5h", 5400)]
    [InlineData("1h30m", 5400)]
    [InlineData("1h1m1s", 3661)]
    [InlineData("0.5s", 0.5)]
    public void Times_are_read(string text, double seconds) => Assert.Equal(seconds, DurationText.Parse("--budget", text).TotalSeconds);

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("m")]
    [InlineData("0s")]
    [InlineData("-5m")]
    [InlineData("5m3")]
    [InlineData("1,5h")]
    [InlineData("99999h")]
    [InlineData("5 m")]
    public void What_is_no_time_is_refused(string text)
    {
        DiagnosticException problem = Assert.Throws<DiagnosticException>(() => DurationText.Parse("--budget", text));

        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"'{text}'"), problem.Diagnostics[0].Found);
    }
}
