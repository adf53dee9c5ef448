using System.Globalization;
using Optc.Ir;

namespace Optc.Cli.CommandLine;

/// <summary>A time as people write it: <c>90s</c>, <c>30m</c>, <c>1.5h</c>, <c>1h30m</c>.</summary>
internal static class DurationText
{
    /// <exception cref="DiagnosticException">No time.</exception>
    public static TimeSpan Parse(string option, string text)
    {
        double seconds = 0;
        int start = 0;
        bool isSound = text.Length > 0;
        for (int i = 0; i < text.Length && isSound; i++)
        {
            double unit = text[i] switch { 's' => 1, 'm' => 60, 'h' => 3600, _ => 0 };
            if (unit > 0)
            {
                isSound = double.TryParse(text.AsSpan(start, i - start), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number);
                seconds += number * unit;
                start = i + 1;
            }
        }

        const double longest = 30 * 24 * 3600;
        return isSound && start == text.Length && seconds is > 0 and <= longest
            ? TimeSpan.FromSeconds(seconds)
            : throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, $"the value of {option} is no time")
            {
                Found = $"'{text}'",
                Expected = "a number with s, m or h, up to 30 days: 90s, 30m, 1.5h, 1h30m",
            });
    }
}
