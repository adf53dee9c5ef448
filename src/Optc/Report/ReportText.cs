using System.Collections.Immutable;
using System.Globalization;

namespace Optc.Report;

/// <summary>A report as tables.</summary>
public sealed record ReportText(ImmutableArray<ReportTable> Tables)
{
    /// <summary>Writes all tables with an empty line between them; lines end in <c>\n</c> everywhere.</summary>
    public void Write(TextWriter writer)
    {
        for (int i = 0; i < Tables.Length; i++)
        {
            if (i > 0)
            {
                writer.Write('\n');
            }

            Tables[i].Write(writer);
        }
    }

    public override string ToString()
    {
        using StringWriter writer = new(CultureInfo.InvariantCulture);
        Write(writer);
        return writer.ToString();
    }

    internal static string Integer(long number) => number.ToString(CultureInfo.InvariantCulture);

    internal static string Decimal(double number, int digits) => number.ToString($"F{digits}", CultureInfo.InvariantCulture);

    internal static string Dims(ImmutableArray<int>? shape) => shape is { } dims
        ? $"[{string.Join(", ", dims.Select(d => d < 0 ? "?" : Integer(d)))}]"
        : "[...]";
}
