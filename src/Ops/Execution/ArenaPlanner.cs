namespace Optc.Ops.Execution;

/// <summary>A piece of memory that is needed from one step to another, both included.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="First">First step that uses it.</param>
/// <param name="Last">Last step that uses it.</param>
public readonly record struct ArenaRequest(long Size, int First, int Last);

/// <summary>Places pieces of memory with known lifetimes in one arena.</summary>
/// <remarks>
/// Largest first, each at the lowest offset where it fits among those already placed whose lifetimes overlap. This is
/// the strategy of TFLite Micro's greedy planner (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
/// Inference", 2020, section 5.2, greedy by size).
/// </remarks>
public static class ArenaPlanner
{
    /// <summary>Offsets in request order.</summary>
    /// <param name="requests">Sizes and lifetimes.</param>
    /// <param name="alignment">Bytes; every offset is a multiple of it.</param>
    /// <param name="total">Size of the arena.</param>
    public static long[] Plan(IReadOnlyList<ArenaRequest> requests, int alignment, out long total)
    {
        int[] order = [.. Enumerable.Range(0, requests.Count).OrderByDescending(i => requests[i].Size).ThenBy(i => requests[i].First).ThenBy(i => i)];
        long[] offsets = new long[requests.Count];
        List<int> placed = [];
        total = 0;
        foreach (int index in order)
        {
            ArenaRequest request = requests[index];
            long offset = 0;
            foreach (int other in placed)
            {
                ArenaRequest busy = requests[other];
                if (busy.Last < request.First || request.Last < busy.First || busy.Size == 0)
                {
                    continue;
                }

                if (offset + request.Size <= offsets[other])
                {
                    break;
                }

                offset = Math.Max(offset, Align(offsets[other] + busy.Size, alignment));
            }

            offsets[index] = offset;
            total = Math.Max(total, offset + Align(request.Size, alignment));
            int position = placed.FindIndex(p => offsets[p] > offset);
            placed.Insert(position < 0 ? placed.Count : position, index);
        }

        return offsets;
    }

    private static long Align(long value, int alignment) => checked((value + alignment - 1) / alignment * alignment);
}
