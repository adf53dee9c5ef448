using System.Globalization;

namespace Optc.Passes;

/// <summary>Where a piece of work stands.</summary>
/// <param name="Activity">What is being done, a few lower-case words.</param>
/// <param name="Done">Units finished so far; 0 for a step that is not counted.</param>
/// <param name="Total">Units in all; <see langword="null"/> when not known.</param>
public sealed record WorkProgress(string Activity, long Done = 0, long? Total = null)
{
    public override string ToString() => (Done, Total) switch
    {
        (0, null) => Activity,
        (_, null) => string.Create(CultureInfo.InvariantCulture, $"{Activity}: {Done}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Activity}: {Done} of {Total}"),
    };
}
