using System.Diagnostics;
using System.Globalization;
using Optc.Training;

namespace Optc.Cli.Output;

/// <summary>Shows a training run: one line that is written over on a terminal, and a line for each epoch.</summary>
internal sealed class EpochProgress(Terminal terminal, string metric, Action<EpochRecord> finished) : IProgress<FitProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly Stopwatch _running = Stopwatch.StartNew();
    private TimeSpan _shown;
    private long? _firstStep;
    private long _samples;
    private int _samplesOfEpoch;

    public void Report(FitProgress value)
    {
        string speed = Speed(value);
        if (value.Finished is { } epoch)
        {
            if (terminal.ShowsProgress && !terminal.IsQuiet)
            {
                terminal.OverwriteLine("");
            }

            string score = epoch.Score is { } s ? string.Create(CultureInfo.InvariantCulture, $"  {metric} {s:0.0000}{(epoch.Best ? " *" : "")}") : "";
            terminal.Note(string.Create(CultureInfo.InvariantCulture, $"epoch {value.Epoch}  loss {epoch.Loss:0.0000}{score}{speed}"));
            finished(epoch);
        }
        else if (terminal.ShowsProgress && !terminal.IsQuiet && _running.Elapsed - _shown > Interval)
        {
            _shown = _running.Elapsed;
            terminal.OverwriteLine(string.Create(
                CultureInfo.InvariantCulture, $"epoch {value.Epoch}  step {value.Step} of {value.Steps}  loss {value.Loss:0.0000}{speed}"));
        }
    }

    /// <summary>Samples a second and time left, from the second step on: the first one waits for the compiler.</summary>
    private string Speed(FitProgress value)
    {
        if (_firstStep is not { } first)
        {
            (_firstStep, _samplesOfEpoch) = (value.Step, value.Finished is null ? value.Samples : 0);
            _running.Restart();
            return "";
        }

        _samples += value.Samples - _samplesOfEpoch;
        _samplesOfEpoch = value.Finished is null ? value.Samples : 0;
        if (value.Step == first)
        {
            return "";
        }

        double seconds = Math.Max(_running.Elapsed.TotalSeconds, 1e-9);
        TimeSpan left = TimeSpan.FromSeconds(seconds / (value.Step - first) * (value.Steps - value.Step));
        return string.Create(CultureInfo.InvariantCulture, $"  {_samples / seconds:0} samples/s  {(int)left.TotalMinutes}:{left.Seconds:00} left");
    }
}
