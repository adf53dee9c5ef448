using System.Diagnostics;
using Optc.Passes;

namespace Optc.Cli.Output;

/// <summary>Shows the step under way in one line of standard error, which is cleared at the end.</summary>
internal sealed class LineProgress(Terminal terminal) : IProgress<WorkProgress>, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly Stopwatch _sinceShown = Stopwatch.StartNew();
    private string? _activity;

    private bool IsSilent => terminal.IsQuiet || !terminal.ShowsProgress;

    public void Report(WorkProgress value)
    {
        if (IsSilent)
        {
            return;
        }

        lock (_lock)
        {
            if (value.Activity == _activity && _sinceShown.Elapsed < Interval)
            {
                return;
            }

            _activity = value.Activity;
            _sinceShown.Restart();
            terminal.OverwriteLine(value.ToString());
        }
    }

    /// <summary>Clears the line, so that results can be printed; may be called again.</summary>
    public void Dispose()
    {
        if (_activity is not null)
        {
            terminal.OverwriteLine("");
            _activity = null;
        }
    }
}
