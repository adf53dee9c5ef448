using System.Collections.Immutable;

namespace Optc.Report.Compression;

/// <summary>Which trials no other trial beats in both size and score.</summary>
internal static class ParetoFront
{
    /// <summary>The trials from the smallest on, of equal size the best first; a score that is NaN is never on the front.</summary>
    public static ImmutableArray<ParetoEntry> Of(ImmutableArray<ParetoPoint> points, bool higherIsBetter)
    {
        double Goodness(double score) => double.IsNaN(score) ? double.NegativeInfinity : higherIsBetter ? score : -score;
        ImmutableArray<ParetoEntry>.Builder entries = ImmutableArray.CreateBuilder<ParetoEntry>(points.Length);
        (double best, long size) = (double.NegativeInfinity, 0);
        foreach (ParetoPoint point in points.OrderBy(p => p.CodedBytes).ThenByDescending(p => Goodness(p.Score)))
        {
            double good = Goodness(point.Score);
            bool isOnFront = !double.IsNaN(point.Score) && (good > best || (good == best && point.CodedBytes == size));
            (best, size) = good > best ? (good, point.CodedBytes) : (best, size);
            entries.Add(new(point.Name, point.CodedBytes, point.Score, isOnFront, point.Chosen));
        }

        return entries.MoveToImmutable();
    }
}
