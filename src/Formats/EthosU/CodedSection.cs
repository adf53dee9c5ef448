namespace Optc.Formats.EthosU;

/// <summary>The weights of one section as the numbers of the stream.</summary>
/// <param name="Setup">Meaning of the indices.</param>
/// <param name="Indices">Coded weights.</param>
/// <param name="Runs">Zeros before each coded weight and behind the last one; empty where runs are not coded.</param>
internal sealed record CodedSection(PaletteSetup Setup, ReadOnlyMemory<ushort> Indices, ReadOnlyMemory<int> Runs)
{
    public bool HasRuns => !Runs.IsEmpty;

    /// <param name="symbols">At least one.</param>
    /// <param name="hasRuns">Zeros are coded as runs, so that only other weights have an index.</param>
    public static CodedSection Of(ReadOnlySpan<ushort> symbols, PaletteSetup setup, bool hasRuns)
    {
        ushort[] bySymbol = new ushort[WeightSymbol.Count];
        setup.FillIndices(bySymbol);
        ushort[] indices = GC.AllocateUninitializedArray<ushort>(symbols.Length);
        if (!hasRuns)
        {
            for (int i = 0; i < indices.Length; i++)
            {
                indices[i] = bySymbol[symbols[i] & (WeightSymbol.Count - 1)];
            }

            return new(setup, indices, ReadOnlyMemory<int>.Empty);
        }

        int[] runs = GC.AllocateUninitializedArray<int>(symbols.Length + 1);
        int count = 0;
        int run = 0;
        for (int i = 0; i < symbols.Length; i++)
        {
            // Written in any case, and again until the symbol is not zero: cheaper than a branch that no one can foresee.
            int symbol = symbols[i] & (WeightSymbol.Count - 1);
            runs[count] = run;
            indices[count] = bySymbol[symbol];
            count += symbol == 0 ? 0 : 1;
            run = symbol == 0 ? run + 1 : 0;
        }

        if (count == 0)
        {
            // A slice has at least one coded weight.
            runs[0] = 0;
            indices[count++] = bySymbol[0];
            run--;
        }

        runs[count] = run;
        return new(setup, indices.AsMemory(0, count), runs.AsMemory(0, count + 1));
    }
}
