namespace Optc.Tests.Fuzzing;

/// <summary>Inputs that drive integer models to their ends: constants, ramps, boards, stripes, impulses, several kinds of noise.</summary>
/// <remarks>The same number and shape give the same bytes everywhere.</remarks>
public static class StructuredInputs
{
    private const int Families = 16;

    /// <summary>One input tensor of bytes.</summary>
    /// <param name="number">Which input; the family is its remainder, the rest is the seed.</param>
    /// <param name="dims">Shape; the last dimension is channels, those before it are rows and columns.</param>
    /// <param name="low">Smallest code.</param>
    /// <param name="zero">Zero point.</param>
    public static byte[] Make(int number, ReadOnlySpan<int> dims, int low, int zero)
    {
        int channels = dims.Length > 0 ? dims[^1] : 1;
        int columns = dims.Length > 2 ? dims[^2] : 1;
        int count = 1;
        foreach (int size in dims)
        {
            count *= size;
        }

        int high = low + 255;
        Random random = new(number);
        int seed = number / Families;
        int[] values = new int[count];
        int mean = random.Next(low, high + 1);
        int spot = random.Next(Math.Max(1, count));
        int pitch = (seed & 1) == 0 ? 1 : 4;
        int[] perChannel = [.. Enumerable.Range(0, channels).Select(_ => random.Next(low, high + 1))];
        int[] extremes = [low, high, zero, Math.Max(low, zero - 1), Math.Min(high, zero + 1), low + 1, high - 1, 0];
        for (int i = 0; i < count; i++)
        {
            int pixel = i / channels;
            (int row, int column) = (pixel / columns, pixel % columns);
            values[i] = (number % Families) switch
            {
                0 => seed < extremes.Length ? extremes[seed] : mean,
                1 => low + (int)(255L * i / Math.Max(1, count - 1)),
                2 => high - (int)(255L * i / Math.Max(1, count - 1)),
                3 => ((row / pitch) + (column / pitch)) % 2 == 0 ? low : high,
                4 => row / pitch % 2 == 0 ? low : high,
                5 => column / pitch % 2 == 0 ? low : high,
                6 => i == spot ? high : low,
                7 => i == spot ? low : high,
                8 or 9 => random.Next(low, high + 1),
                10 or 11 => random.Next(2) == 0 ? low : high,
                12 => Math.Clamp(mean + random.Next(-8, 9), low, high),
                13 => perChannel[i % channels],
                14 => row >= mean % 7 && column >= mean % 5 ? perChannel[0] : zero,
                _ => random.Next(low, high + 1),
            };
        }

        if (number % Families == 15)
        {
            Smooth(values, channels, low, high);
        }

        return Array.ConvertAll(values, v => unchecked((byte)Math.Clamp(v, low, high)));
    }

    /// <summary>Running means, stretched to the full range.</summary>
    private static void Smooth(int[] values, int channels, int low, int high)
    {
        int[] noise = [.. values];
        for (int i = 0; i < values.Length; i++)
        {
            int from = Math.Max(0, i - (4 * channels));
            int sum = 0;
            int count = 0;
            for (int k = from; k <= i; k += channels)
            {
                sum += noise[k];
                count++;
            }

            values[i] = count == 0 ? noise[i] : sum / count;
        }

        int least = values.Length == 0 ? 0 : values.Min();
        int most = values.Length == 0 ? 0 : values.Max();
        for (int i = 0; i < values.Length && most > least; i++)
        {
            values[i] = low + ((values[i] - least) * (high - low) / (most - least));
        }
    }
}
