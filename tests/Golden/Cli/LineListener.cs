namespace Optc.Tests.Golden.Cli;

/// <summary>Cancels when a line begins with certain words.</summary>
internal sealed class LineListener : StringWriter
{
    private readonly string _words;
    private readonly CancellationTokenSource _cancel;

    public LineListener(string words, CancellationTokenSource cancel) => (_words, _cancel, NewLine) = (words, cancel, "\n");

    public override void WriteLine(string? value)
    {
        base.WriteLine(value);
        if (value?.StartsWith(_words, StringComparison.Ordinal) == true)
        {
            _cancel.Cancel();
        }
    }
}
