using Optc.Formats.Npy;
using Optc.Ir;

namespace Optc.Tests.Benchmarks;

/// <summary>Writes the data of a case of the studies as the archives that <c>optc train</c>, <c>optimize</c> and <c>explore</c> take.</summary>
internal static class StudyData
{
    /// <param name="shared">Folder of third-party models and data.</param>
    /// <param name="name">Of the case.</param>
    /// <param name="folder">Receives <c>train.npz</c> and <c>test.npz</c> with <c>x</c> [N, ...] and <c>y</c> [N].</param>
    public static void Write(string shared, string name, string folder)
    {
        Directory.CreateDirectory(folder);
        (Dataset train, Dataset test) = name == "fine-tune" ? FineTuneCase.LoadReal(shared) : TrainStudyCase.Find(name).Load(shared);
        foreach ((string part, Dataset data) in new[] { ("train", train), ("test", test) })
        {
            TensorData[] rows = [.. data.Columns[0].Rows()];
            float[] values = [.. rows.SelectMany(r => r.AsFloats().ToArray())];
            int[] labels = [.. data.Labels!.Rows().Select(r => r.AsInts()[0])];
            byte[] archive = NpzFile.Write(
                NpzCompression.Deflated,
                ("x", NpyArray.Of<float>(values, [rows.Length, .. rows[0].Shape.Dims])),
                ("y", NpyArray.Of<int>(labels, labels.Length)));
            File.WriteAllBytes(Path.Combine(folder, $"{part}.npz"), archive);
        }
    }
}
