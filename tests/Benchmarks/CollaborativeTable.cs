using System.Globalization;

namespace Optc.Tests.Benchmarks;

/// <summary>The rows of a study as a table: means over seeds, beside the float model of the same seed.</summary>
internal static class CollaborativeTable
{
    private const string Reference = "fair-ptq";

    public static void Print(IReadOnlyList<CollaborativeRow> rows)
    {
        Console.WriteLine("| task | way | seeds | steps | int8 % | drop from fair float | bits/weight | coded B | gzip of weights B | gzip of file B | Ethos-U B | codes | structures kept |");
        Console.WriteLine("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (IGrouping<string, CollaborativeRow> task in rows.GroupBy(r => r.Case))
        {
            Dictionary<ulong, CollaborativeRow> fair = task.Where(r => r.Row == Reference).ToDictionary(r => r.Seed);
            foreach (IGrouping<string, CollaborativeRow> way in task.GroupBy(r => r.Row))
            {
                CollaborativeRow[] all = [.. way.OrderBy(r => r.Seed)];
                double[] drops = [.. all.Where(r => fair.ContainsKey(r.Seed)).Select(r => 100 * (fair[r.Seed].FloatAccuracy - r.Accuracy))];
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {task.Key} | {way.Key} | {string.Join(' ', all.Select(r => r.Seed))} | {all[0].Steps} | {Range(all.Select(r => 100 * r.Accuracy), "0.00")} | {(drops.Length == 0 ? "-" : Range(drops, "0.00"))} | {all.Average(r => r.BitsPerWeight):0.00} | {all.Average(r => r.Coded):0} | {all.Average(r => r.WeightGzip):0} | {all.Average(r => r.FileGzip):0} | {all.Average(r => r.Mlw):0} | {all.Max(r => r.MostCodes)} | {string.Join(' ', all.Select(r => r.Invariants))} |"));
            }

            foreach (string ours in (ReadOnlySpan<string>)["ours", "ours-80", "ours-aim"])
            {
                Pairs([.. task], ours, "toolkit-pcqat8");
                Pairs([.. task], ours, "toolkit-pcqat16");
            }
        }
    }

    /// <summary>Samples that one way decides rightly and the other wrongly, over the seeds that both have.</summary>
    private static void Pairs(CollaborativeRow[] rows, string first, string second)
    {
        (int better, int worse) = (0, 0);
        foreach (CollaborativeRow one in rows.Where(r => r.Row == first))
        {
            if (rows.FirstOrDefault(r => r.Row == second && r.Seed == one.Seed) is { } other)
            {
                better += one.Correct.Zip(other.Correct).Count(p => p is { First: '1', Second: '0' });
                worse += one.Correct.Zip(other.Correct).Count(p => p is { First: '0', Second: '1' });
            }
        }

        if (better + worse > 0)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {rows[0].Case} | {first} against {second} | | | right only here {better}, only there {worse} (z {(better - worse) / Math.Sqrt(better + worse):0.0}) | | | | | | | | |"));
        }
    }

    private static string Range(IEnumerable<double> numbers, string format)
    {
        double[] all = [.. numbers];
        string mean = all.Average().ToString(format, CultureInfo.InvariantCulture);
        return all.Length == 1 ? mean : $"{mean} ({string.Join(", ", all.Select(n => n.ToString(format, CultureInfo.InvariantCulture)))})";
    }
}
