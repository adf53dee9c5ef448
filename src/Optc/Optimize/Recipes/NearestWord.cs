namespace Optc.Optimize.Recipes;

/// <summary>Finds the word that was probably meant.</summary>
internal static class NearestWord
{
    /// <summary>The known word with the fewest differing letters; <see langword="null"/> when even that differs in more than a third of them.</summary>
    /// <remarks>Source: Wagner and Fischer, "The string-to-string correction problem", 1974.</remarks>
    public static string? Of(string word, IEnumerable<string> known)
    {
        (string Word, int Distance)[] near = [.. known.Select(k => (k, Distance(word, k))).Where(k => 3 * k.Item2 <= Math.Max(word.Length, k.k.Length))];
        return near.Length == 0 ? null : near.MinBy(n => n.Distance).Word;
    }

    private static int Distance(string first, string second)
    {
        int[] row = [.. Enumerable.Range(0, second.Length + 1)];
        for (int i = 1; i <= first.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= second.Length; j++)
            {
                int change = diagonal + (first[i - 1] == second[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }
}
