namespace Optc.Tests.Unit.Formats.EthosU;

/// <summary>Weights of all the kinds that the format treats differently, from a seed.</summary>
internal static class RandomWeights
{
    /// <returns>1 to <paramref name="longest"/> weights, in stretches of unlike distributions.</returns>
    public static short[] Make(int seed, int longest)
    {
        Random random = new(seed);
        short[] weights = new short[seed % 100 == 0 ? longest : random.Next(1, longest + 1)];
        int at = 0;
        while (at < weights.Length)
        {
            int end = random.Next(3) == 0 ? weights.Length : Math.Min(weights.Length, at + random.Next(1, 1 + (weights.Length / 2)));
            Fill(random, weights.AsSpan(at..end));
            at = end;
        }

        return weights;
    }

    private static void Fill(Random random, Span<short> weights)
    {
        double density = random.Next(3) switch { 0 => 1, 1 => random.NextDouble(), _ => Math.Pow(random.NextDouble(), 4) };
        double scale = Math.Pow(2, 8 * random.NextDouble());
        int kind = random.Next(5);
        short[] palette = [.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => (short)random.Next(-255, 256))];
        for (int i = 0; i < weights.Length; i++)
        {
            double value = kind switch
            {
                0 => palette[random.Next(palette.Length)],
                1 => scale * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5),
                2 => scale * Math.Log(1 - random.NextDouble()) * (random.Next(2) == 0 ? 1 : -1) / 3,
                3 => random.Next(-255, 256),
                _ => palette[0],
            };
            weights[i] = random.NextDouble() < density ? (short)Math.Clamp(Math.Round(value), -255, 255) : (short)0;
        }
    }
}
