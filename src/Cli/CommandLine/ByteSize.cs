using System.Globalization;
using Optc.Ir;

namespace Optc.Cli.CommandLine;

/// <summary>A number of bytes as people write it: <c>20000</c>, <c>20k</c> or <c>1.5M</c>, in steps of 1024.</summary>
internal static class ByteSize
{
    private const int Step = 1024;

    /// <exception cref="DiagnosticException">No size.</exception>
    public static long Parse(string option, string text)
    {
        (string digits, long unit) = text switch
        {
            [.. var start, 'k' or 'K'] => (start, Step),
            [.. var start, 'm' or 'M'] => (start, Step * Step),
            _ => (text, 1L),
        };
        return decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number) && number * unit is >= 1 and <= long.MaxValue / 2
            ? (long)(number * unit)
            : throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, $"the value of {option} is no size")
            {
                Found = $"'{text}'",
                Expected = "a number of bytes, also with k (1024) or M (1024 k): 20000, 20k, 1.5M",
            });
    }

    /// <summary>With its digits in groups: <c>94 564 B</c> is what a budget is compared with, so nothing is rounded.</summary>
    public static string Show(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} B").Replace(',', ' ');
}
