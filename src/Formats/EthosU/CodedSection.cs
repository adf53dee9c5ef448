namespace Optc.Formats.EthosU;

/// <summary>The weights of one section as the numbers of the stream.</summary>
/// <param name="Setup">Meaning of the indices.</param>
/// <param name="Indices">Coded weights.</param>
/// <param name="Runs">Zeros before each coded weight and behind the last one; empty where runs are not coded.</param>
internal sealed record CodedSection(PaletteSetup Setup, ReadOnlyMemory<ushort> Indices, ReadOnlyMemory<int> Runs)
{
    public bool HasRuns => !Runs.IsEmpty;

    /// <param name="hasRuns">Zeros are coded as runs, so that only other weights have an index.</param>
    public static CodedSection Of(ReadOnlySpan<short> weights, PaletteSetup setup, bool hasRuns)
    {
        ushort[] bySymbol = new ushort[WeightSymbol.Count];
        setup.FillIndices(bySymbol);
        ushort[] byWeight = new ushort[WeightSymbol.Count];
        for (int weight = -WeightSymbol.LargestWeight; weight <= WeightSymbol.LargestWeight; weight++)
        {
            byWeight[weight + WeightSymbol.LargestWeight] = bySymbol[WeightSymbol.Of(weight)];
        }

        ushort[] indices = new ushort[weights.Length];
        if (!hasRuns)
        {
            for (int i = 0; i < indices.Length; i++)
            {
                indices[i] = byWeight[weights[i] + WeightSymbol.LargestWeight];
            }

            return new(setup, indices, ReadOnlyMemory<int>.Empty);
        }

        int[] runs = new int[weights.Length + 1];
        int count = 0;
        int run = 0;
        foreach (short weight in weights)
        {
            if (weight == 0)
            {
                run++;
                continue;
            }

            runs[count] = run;
            indices[count++] = byWeight[weight + WeightSymbol.LargestWeight];
            run = 0;
        }

        if (count == 0)
        {
            // A slice has at least one coded weight.
            indices[count++] = byWeight[WeightSymbol.LargestWeight];
            run--;
        }

        runs[count] = run;
        return new(setup, indices.AsMemory(0, count), runs.AsMemory(0, count + 1));
    }
}
