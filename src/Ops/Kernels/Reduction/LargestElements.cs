namespace Optc.Ops.Kernels;

/// <summary>Finds the largest elements of a row with a heap of as many positions.</summary>
internal static class LargestElements
{
    /// <param name="row">At least as many elements as <paramref name="positions"/>.</param>
    /// <param name="positions">Receives the positions, the largest element first, of equal ones the lower position.</param>
    public static void Find<T>(ReadOnlySpan<T> row, Span<int> positions)
        where T : IComparable<T>
    {
        int k = positions.Length;
        if (k == 0)
        {
            return;
        }

        for (int i = 0; i < k; i++)
        {
            positions[i] = i;
        }

        for (int root = (k / 2) - 1; root >= 0; root--)
        {
            Sink(row, positions, root);
        }

        for (int i = k; i < row.Length; i++)
        {
            if (Precedes(row, i, positions[0]))
            {
                positions[0] = i;
                Sink(row, positions, 0);
            }
        }

        for (int last = k - 1; last > 0; last--)
        {
            (positions[0], positions[last]) = (positions[last], positions[0]);
            Sink(row, positions[..last], 0);
        }
    }

    /// <summary>Restores a heap whose root is the element that all others precede.</summary>
    private static void Sink<T>(ReadOnlySpan<T> row, Span<int> heap, int root)
        where T : IComparable<T>
    {
        while (true)
        {
            int worst = root;
            for (int child = (2 * root) + 1; child <= (2 * root) + 2 && child < heap.Length; child++)
            {
                if (Precedes(row, heap[worst], heap[child]))
                {
                    worst = child;
                }
            }

            if (worst == root)
            {
                return;
            }

            (heap[root], heap[worst]) = (heap[worst], heap[root]);
            root = worst;
        }
    }

    private static bool Precedes<T>(ReadOnlySpan<T> row, int a, int b)
        where T : IComparable<T>
    {
        int order = row[a].CompareTo(row[b]);
        return order > 0 || (order == 0 && a < b);
    }
}
