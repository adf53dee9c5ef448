using Optc.Formats;
using Xunit;

namespace Optc.Tests.Unit.Formats;

/// <summary>Seeded damage of a valid file: a reader may accept what is left or say that it is malformed.</summary>
internal static class Mutations
{
    /// <param name="valid">A file that the reader accepts.</param>
    /// <param name="seeds">Number of damaged files; the seed of a failure is in its message.</param>
    /// <param name="read">Reads everything in a file.</param>
    /// <returns>How many of the damaged files the reader refused.</returns>
    public static int Refused(byte[] valid, int seeds, Action<byte[]> read)
    {
        read(valid);
        int refused = 0;
        for (int seed = 0; seed < seeds; seed++)
        {
            try
            {
                read(Damage(valid, new Random(seed)));
            }
            catch (MalformedDataException)
            {
                refused++;
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed}: {e}");
            }
        }

        return refused;
    }

    private static byte[] Damage(byte[] valid, Random random)
    {
        byte[] damaged = random.Next(6) switch
        {
            0 => valid[..random.Next(valid.Length)],
            1 => [.. valid, .. valid.AsSpan(0, random.Next(valid.Length))],
            _ => [.. valid],
        };

        // Headers stand at the front, the directory of an archive at the end: most damage goes there.
        int reach = random.Next(3) == 0 ? damaged.Length : Math.Min(damaged.Length, 160);
        bool fromEnd = random.Next(2) == 0;
        for (int i = random.Next(6); i > 0 && reach > 0; i--)
        {
            int at = random.Next(reach);
            at = fromEnd ? damaged.Length - 1 - at : at;
            damaged[at] = random.Next(3) switch
            {
                0 => (byte)random.Next(256),
                1 => (byte)(damaged[at] ^ (1 << random.Next(8))),
                _ => 0xff,
            };
        }

        return damaged;
    }
}
