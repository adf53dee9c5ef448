using System.Globalization;
using Optc.Optimize;

namespace Optc.Cli.Output;

/// <summary>Shows the run of a recipe: a line for each stage, and the epochs of those that train.</summary>
internal sealed class StageProgress(Terminal terminal) : IProgress<OptimizationProgress>, IDisposable
{
    private EpochProgress? _epochs;
    private bool _isShown;

    public void Report(OptimizationProgress value)
    {
        switch (value.Activity)
        {
            case OptimizationActivity.Started:
                _epochs = new(terminal, Metric.Accuracy.Name, _ => { });
                Note(value, "");
                break;
            case OptimizationActivity.TakenUp:
                Note(value, ": done before");
                break;
            case OptimizationActivity.Resumed:
                Note(value, ": going on");
                break;
            case OptimizationActivity.Training:
                _isShown = true;
                _epochs?.Report(value.Fit!);
                break;
            case OptimizationActivity.Measuring when terminal.ShowsProgress && !terminal.IsQuiet:
                _isShown = true;
                terminal.OverwriteLine(Line(value, ": measuring"));
                break;
        }
    }

    /// <summary>Clears the line, so that results can be printed; may be called again.</summary>
    public void Dispose()
    {
        if (_isShown && terminal.ShowsProgress && !terminal.IsQuiet)
        {
            terminal.OverwriteLine("");
        }

        _isShown = false;
    }

    private void Note(OptimizationProgress value, string more)
    {
        Dispose();
        terminal.Note(Line(value, more));
    }

    private static string Line(OptimizationProgress value, string more) =>
        string.Create(CultureInfo.InvariantCulture, $"stage {value.Stage} of {value.Stages}: {value.Name}{more}");
}
