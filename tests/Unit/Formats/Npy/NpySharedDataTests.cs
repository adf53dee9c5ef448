using Optc.Formats.Npy;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Unit.Formats.Npy;

/// <summary>Files that NumPy wrote. Shapes are those of the READMEs beside the data.</summary>
public sealed class NpySharedDataTests
{
    public static TheoryData<string, string, string> Documented() => new()
    {
        { "cifar10/cifar10-jpeg.npz", "x_train_delta", "u1 (9000, 32, 32, 3)" },
        { "cifar10/cifar10-jpeg.npz", "y_train", "u1 (9000,)" },
        { "cifar10/cifar10-jpeg.npz", "n_train", "i4 (9000,)" },
        { "cifar10/cifar10-jpeg.npz", "x_test_delta", "u1 (2000, 32, 32, 3)" },
        { "cifar10/cifar10-lossless-1000.npz", "x_train_delta", "u1 (1000, 32, 32, 3)" },
        { "cifar10/cifar10-lossless-1000.npz", "y_train", "u1 (1000,)" },
        { "esc10/esc10-3class-1s-16k.npz", "audio", "i2 (118, 16000)" },
        { "esc10/esc10-3class-1s-16k.npz", "label", "u1 (118,)" },
        { "fashion-mnist/fashion-mnist.npz", "x_train", "u1 (7000, 28, 28)" },
        { "fashion-mnist/fashion-mnist.npz", "x_test", "u1 (2000, 28, 28)" },
        { "fashion-mnist/fashion-mnist.npz", "y_test", "u1 (2000,)" },
        { "fsdd/fsdd.npz", "audio", "i2 (10498424,)" },
        { "fsdd/fsdd.npz", "offset", "i4 (3000,)" },
        { "fsdd/fsdd.npz", "speaker", "u1 (3000,)" },
        { "kws01/kws01.npz", "x", "i1 (1000, 49, 10, 1)" },
        { "kws01/kws01.npz", "y", "u1 (1000,)" },
    };

    [SharedTheory]
    [MemberData(nameof(Documented))]
    public void Arrays_are_as_documented(string file, string name, string expected)
    {
        using NpzReader reader = NpzReader.Open(Path.Combine(SharedFolder.Path, "data", file));

        Assert.Equal(expected, reader.Read(name).ToString());
    }

    [SharedFact]
    public void Keyword_counts_are_as_documented()
    {
        using NpzReader reader = NpzReader.Open(Path.Combine(SharedFolder.Path, "data", "kws01", "kws01.npz"));
        int[] counts = new int[12];
        Array.ForEach(reader.Read("y").ToInt32s(), label => counts[label]++);

        Assert.Equal([92, 92, 81, 89, 70, 84, 75, 78, 84, 89, 80, 86], counts);
    }

    [SharedFact]
    public void Every_array_of_every_archive_is_read_whole_and_by_rows()
    {
        string[] archives = Directory.GetFiles(SharedFolder.Path, "*.npz", SearchOption.AllDirectories);
        Assert.NotEmpty(archives);
        foreach (string path in archives)
        {
            using NpzReader reader = NpzReader.Open(path);
            Assert.NotEmpty(reader.Entries);
            foreach (NpzEntry entry in reader.Entries)
            {
                NpyArray whole = reader.Read(entry.Name);
                Assert.Equal(entry.Length, NpyFile.Write(whole).Length);
                if (whole.Shape.IsEmpty)
                {
                    continue;
                }

                using NpyRowReader rows = reader.OpenRows(entry.Name);
                int batch = (whole.Shape[0] / 3) + 1;
                while (rows.Position < rows.Rows)
                {
                    int at = rows.Position;
                    NpyArray part = rows.Read(batch)!;
                    Assert.True(whole.Rows(at, part.Shape[0]).Equals(part), $"{path} {entry.Name} row {at}");
                }
            }
        }
    }

    [SharedFact]
    public void Every_npy_file_is_written_back_as_numpy_wrote_it()
    {
        string[] files = Directory.GetFiles(SharedFolder.Path, "*.npy", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (string path in files)
        {
            byte[] file = File.ReadAllBytes(path);
            Assert.True(file.AsSpan().SequenceEqual(NpyFile.Write(NpyFile.Read(file))), path);
        }
    }
}
