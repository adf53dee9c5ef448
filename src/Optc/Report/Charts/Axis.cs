using System.Globalization;

namespace Optc.Report.Charts;

/// <summary>A range of round numbers: steps are 1, 2 or 5 times a power of ten.</summary>
internal sealed record Axis(double Low, double High, double Step)
{
    private const int Intervals = 5;

    public IEnumerable<double> Ticks => Enumerable.Range(0, (int)Math.Round((High - Low) / Step) + 1).Select(i => Low + (i * Step));

    /// <param name="whole">Steps are whole numbers.</param>
    public static Axis Over(IEnumerable<double> values, bool whole)
    {
        double[] finite = [.. values.Where(double.IsFinite)];
        (double low, double high) = finite.Length == 0 ? (0, 1) : (finite.Min(), finite.Max());
        if (high - low < 1e-12 * Math.Max(1, Math.Abs(high)))
        {
            (low, high) = (low - 0.5, high + 0.5);
        }

        double step = StepOf(high - low, whole);
        return new(Math.Floor(low / step) * step, Math.Ceiling(high / step) * step, step);
    }

    /// <summary>An axis that ends exactly where it is told, with its ticks at round numbers inside.</summary>
    public static (Axis Axis, double[] Ticks) Between(double low, double high)
    {
        double step = StepOf(high - low, whole: false);
        double first = Math.Ceiling(low / step);
        double[] ticks = [.. Enumerable.Range(0, (int)Math.Floor((high / step) - first) + 1).Select(i => (first + i) * step)];
        return (new(low, high, step), ticks);
    }

    public double Part(double value) => (value - Low) / (High - Low);

    public string Label(double tick)
    {
        int decimals = Math.Clamp((int)Math.Ceiling(-Math.Log10(Step) - 1e-9), 0, 12);
        string text = tick.ToString(Step >= 1000 ? $"N{decimals}" : $"F{decimals}", CultureInfo.InvariantCulture);
        return text.StartsWith('-') && text.AsSpan().IndexOfAnyInRange('1', '9') < 0 ? text[1..] : text;
    }

    private static double StepOf(double range, bool whole)
    {
        double rough = range / Intervals;
        double power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = power * ((rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
        return whole ? Math.Max(1, step) : step;
    }
}
