using System.Diagnostics;
using System.Globalization;
using Optc.Demo;
using Optc.Training;

namespace Optc.Cli.Output;

/// <summary>Tells the story of the demo: a line for each step, and on a terminal how far its training is.</summary>
internal sealed class DemoNarration(Terminal terminal, DemoSize size) : IProgress<DemoProgress>, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly Stopwatch _sinceShown = Stopwatch.StartNew();
    private DemoStep? _step;
    private bool _isShown;

    private bool IsSilent => terminal.IsQuiet || !terminal.ShowsProgress;

    public void Report(DemoProgress value)
    {
        if (value.Step != _step)
        {
            Dispose();
            _step = value.Step;
            terminal.Note(string.Create(CultureInfo.InvariantCulture, $"{(int)value.Step + 1} of {Enum.GetValues<DemoStep>().Length}  {Line(value.Step)}"));
        }

        if (value.Fit is { } fit && !IsSilent && (!_isShown || _sinceShown.Elapsed > Interval))
        {
            _isShown = true;
            _sinceShown.Restart();
            terminal.OverwriteLine(Line(fit));
        }
    }

    /// <summary>Clears the line under way, so that results can be printed; may be called again.</summary>
    public void Dispose()
    {
        if (_isShown)
        {
            terminal.OverwriteLine("");
            _isShown = false;
        }
    }

    private string Line(DemoStep step) => step switch
    {
        DemoStep.Synthesizing => string.Create(CultureInfo.InvariantCulture, $"make {size.TrainSounds + size.TestSounds} sounds of {DemoTask.ClassNames.Length} kinds"),
        DemoStep.Training => string.Create(CultureInfo.InvariantCulture, $"train a DS-CNN on {size.TrainSounds} of them, in {size.Epochs} epochs"),
        DemoStep.Pruning => string.Create(CultureInfo.InvariantCulture, $"prune it: half of the weights become zero, in {size.PruningEpochs} epochs"),
        DemoStep.Compressing => string.Create(
            CultureInfo.InvariantCulture, $"let the others share values and learn to be integers, taught by the float model, in {size.JointEpochs} epochs"),
        _ => "measure and prove",
    };

    private static string Line(FitProgress fit) => string.Create(
        CultureInfo.InvariantCulture, $"        epoch {fit.Epoch}  step {fit.Step} of {fit.Steps}  loss {fit.Loss:0.0000}");
}
