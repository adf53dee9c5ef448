using System.Text;
using Optc.Cli.CommandLine;
using Optc.Cli.Output;
using Xunit;

namespace Optc.Tests.Golden.Cli;

public sealed class EntryPointTests
{
    [Fact]
    public void A_full_disk_behind_standard_output_is_an_error()
    {
        using FullDisk output = new();
        using StringWriter error = new();
        using Terminal terminal = new(output, error);

        int code = EntryPoint.Run(["passes"], terminal, CancellationToken.None);

        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains("OPTC2006", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("standard output", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_defect_is_called_one()
    {
        using Broken output = new();
        using StringWriter error = new();
        using Terminal terminal = new(output, error);

        int code = EntryPoint.Run(["passes"], terminal, CancellationToken.None);

        Assert.Equal(ExitCode.InternalError, code);
        Assert.StartsWith("this is a bug in optc", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("   at ", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_is_cancelled_before_it_starts_has_the_code_of_an_interrupt()
    {
        using StringWriter error = new();
        using Terminal terminal = new(TextWriter.Null, error);

        int code = EntryPoint.Run(["demo", "--out-dir", "never"], terminal, new CancellationToken(canceled: true));

        Assert.Equal(ExitCode.Cancelled, code);
        Assert.False(Directory.Exists("never"));
    }

    private sealed class FullDisk : StringWriter
    {
        public override void Flush() => throw new IOException("No space left on device");
    }

    private sealed class Broken : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw new InvalidOperationException("A defect.");
    }
}
