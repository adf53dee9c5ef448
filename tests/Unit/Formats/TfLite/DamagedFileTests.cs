using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Optc.Formats;
using Optc.Formats.TfLite;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Unit.Formats.TfLite;

/// <summary>
/// Damaged files are read or refused with <see cref="MalformedDataException"/>, quickly and within bounded memory, and
/// what is read can be written. <c>OPTC_FUZZ</c> multiplies the number of cases.
/// </summary>
public sealed class DamagedFileTests
{
    private static readonly int Effort =
        int.Parse(Environment.GetEnvironmentVariable("OPTC_FUZZ") ?? "1", CultureInfo.InvariantCulture);

    [Fact]
    public void Damaged_synthetic_models_are_read_or_refused()
    {
        byte[] file = TfLiteFile.ToArray(TestModels.WithEverything(seed: 1));
        int read = 0;
        int cases = 2000 * Effort;
        for (int seed = 0; seed < cases; seed++)
        {
            read += ReadDamaged(file, seed, "TestModels.WithEverything(1)") ? 1 : 0;
        }

        Assert.InRange(read, cases / 20, cases * 19 / 20);
    }

    [Fact]
    public void Models_cut_off_anywhere_are_refused()
    {
        byte[] file = TfLiteFile.ToArray(TestModels.WithAllOptions(seed: 1));
        for (int length = 0; length < file.Length; length += 1 + (length / 100))
        {
            Assert.Throws<MalformedDataException>(() => TfLiteFile.Read(file.AsMemory(0, length)));
        }
    }

    [SharedFact]
    public void Damaged_real_models_are_read_or_refused()
    {
        int seed = 0;
        int read = 0;
        foreach (string name in ModelFiles.Names())
        {
            byte[] file = ModelFiles.Load(name);
            if (file.Length <= 60_000)
            {
                for (int i = 0; i < 30 * Effort; i++)
                {
                    read += ReadDamaged(file, seed++, name) ? 1 : 0;
                }
            }
        }

        Assert.InRange(read, seed / 20, seed * 19 / 20);
    }

    /// <returns>Whether the file was read in spite of the damage.</returns>
    private static bool ReadDamaged(byte[] file, int seed, string name)
    {
        byte[] damaged = Damage(file, new Random(seed));
        string place = string.Create(CultureInfo.InvariantCulture, $"{name}, seed {seed}");
        Stopwatch time = Stopwatch.StartNew();
        long before = GC.GetAllocatedBytesForCurrentThread();
        ModelRecord? model = null;
        try
        {
            model = TfLiteFile.Read(damaged);
        }
        catch (MalformedDataException error)
        {
            Assert.NotEmpty(error.Path);
            Assert.NotEmpty(error.Found);
            Assert.NotEmpty(error.Expected);
            Assert.InRange(error.Offset, -1, long.MaxValue);
        }
#pragma warning disable CA1031 // Any other exception is what this test looks for.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Assert.Fail($"{place}: {error}");
        }

        if (model is not null)
        {
            Assert.True(model.Equals(TfLiteFile.Read(TfLiteFile.ToArray(model))), place);
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(time.Elapsed < TimeSpan.FromSeconds(20), $"{place}: {time.Elapsed}");
        Assert.True(allocated < (2000L * file.Length) + (64 << 20), $"{place}: {allocated} bytes for {file.Length}");
        return model is not null;
    }

    private static byte[] Damage(byte[] file, Random random)
    {
        byte[] damaged = [.. file];
        int wounds = random.Next(1, 8);
        for (int i = 0; i < wounds; i++)
        {
            int word = random.Next(damaged.Length / 4) * 4;
            Span<byte> place = damaged.AsSpan(word, 4);
            switch (random.Next(5))
            {
                case 0:
                    damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    BinaryPrimitives.WriteInt32LittleEndian(place, random.Next(damaged.Length));
                    break;
                case 2:
                    BinaryPrimitives.WriteUInt32LittleEndian(place, uint.MaxValue - (uint)random.Next(64));
                    break;
                case 3:
                    int from = random.Next(damaged.Length / 4) * 4;
                    damaged.AsSpan(from, Math.Min(4 * random.Next(1, 16), damaged.Length - Math.Max(from, word)))
                        .CopyTo(damaged.AsSpan(word));
                    break;
                default:
                    damaged = i == 0 && damaged.Length > 64 ? damaged[..random.Next(64, damaged.Length)] : damaged;
                    break;
            }
        }

        return damaged;
    }
}
