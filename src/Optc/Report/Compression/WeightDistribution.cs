using System.Collections.Immutable;

namespace Optc.Report.Compression;

/// <summary>Counts the values and codes of one layer through the stages.</summary>
internal static class WeightDistribution
{
    private const int Bins = 120;

    /// <param name="floats">Stage and float weights.</param>
    /// <param name="integers">Stage and integer weights; tensors without codes are left out.</param>
    public static KernelEntry Of(
        string layer, ImmutableArray<(string Stage, WeightTensor Weights)> floats, ImmutableArray<(string Stage, WeightTensor Weights)> integers)
    {
        (string Stage, float[] Values)[] values =
        [
            .. floats.Select(f => (f.Stage, Reals: f.Weights.Reals())).Where(f => f.Reals is not null).Select(f => (f.Stage, f.Reals!)),
        ];
        (double low, double high) = Range(values.SelectMany(v => v.Values));
        return new(
            layer,
            low,
            high,
            [.. values.Select(v => new KernelValues(v.Stage, v.Values.Length, v.Values.AsSpan().Count(0f), Histogram(v.Values, low, high)))],
            [.. integers.Where(i => i.Weights.Codes is not null).Select(i => new KernelCodes(i.Stage, i.Weights.Elements, Codes(i.Weights.Codes!)))]);
    }

    /// <summary>Ends of the bins, so that 0 is in the middle of one where the values lie on both sides of it.</summary>
    private static (double Low, double High) Range(IEnumerable<float> values)
    {
        (double low, double high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (float value in values)
        {
            if (float.IsFinite(value))
            {
                (low, high) = (Math.Min(low, value), Math.Max(high, value));
            }
        }

        if (low > high)
        {
            return (0, 1);
        }

        if (low == high)
        {
            return (low - 0.5, high + 0.5);
        }

        double bin = (high - low) / (Bins - 1);
        if (low >= 0 || high <= 0)
        {
            return (low - (bin / 2), high + (bin / 2));
        }

        double first = Math.Floor((low / bin) + 0.5) - 0.5;
        return (first * bin, (first + Bins) * bin);
    }

    private static ImmutableArray<long> Histogram(float[] values, double low, double high)
    {
        long[] counts = new long[Bins];
        foreach (float value in values)
        {
            if (float.IsFinite(value))
            {
                counts[Math.Clamp((int)((value - low) / (high - low) * Bins), 0, Bins - 1)]++;
            }
        }

        return [.. counts];
    }

    private static ImmutableArray<CodeCount> Codes(short[] codes)
    {
        SortedDictionary<int, long> counts = [];
        foreach (short code in codes)
        {
            counts[code] = counts.GetValueOrDefault(code) + 1;
        }

        return [.. counts.Select(c => new CodeCount(c.Key, c.Value))];
    }
}
