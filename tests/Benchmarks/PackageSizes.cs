using System.Globalization;
using Optc.Backends.EthosU;
using Optc.Formats.EthosU;
using Optc.Ir;

namespace Optc.Tests.Benchmarks;

/// <summary>Whole models packed for an Ethos-U55-256.</summary>
internal static class PackageSizes
{
    private static readonly Accelerator Processor = Accelerator.Find("ethos-u55-256")!;

    /// <param name="shared">Folder of third-party models and data.</param>
    public static void Print(string shared)
    {
        Console.WriteLine("| model | layers | left out | weights | padded | compatible | bits/weight | smallest | bits/weight | scales |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        (long Weights, long Padded, long Compatible, long Smallest, long Scales) all = default;
        foreach ((string name, Model model) in Models(shared))
        {
            EthosUPackage compatible = Pack(model, WeightCodecMode.Compatible);
            EthosUPackage smallest = Pack(model, WeightCodecMode.Smallest);
            (long weights, long padded) = (compatible.Layers.Sum(l => (long)l.SourceWeights), smallest.Layers.Sum(l => (long)l.ReorderedWeights));
            (long first, long second) = (compatible.Layers.Sum(l => l.StreamBytes), smallest.Layers.Sum(l => l.StreamBytes));
            long scales = compatible.Layers.Sum(l => l.ScaleBytes);
            Console.WriteLine(Row($"{name} | {compatible.Layers.Length} | {compatible.LeftOut.Length}", weights, padded, first, second, scales));
            all = (all.Weights + weights, all.Padded + padded, all.Compatible + first, all.Smallest + second, all.Scales + scales);
        }

        Console.WriteLine(Row("all | | ", all.Weights, all.Padded, all.Compatible, all.Smallest, all.Scales));
    }

    /// <summary>The models that have a layer to pack, by name.</summary>
    public static IEnumerable<(string Name, Model Model)> Models(string shared)
    {
        foreach (string file in Directory.GetFiles(Path.Combine(shared, "models"), "*.tflite", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            Model model = Model.Load(file);
            try
            {
                model.ToEthosU(new(Processor) { BlockDepth = 16 });
            }
            catch (DiagnosticException problem) when (problem.Diagnostics.All(d => d.Id == DiagnosticId.NothingToPack))
            {
                continue;
            }

            yield return (Path.GetFileNameWithoutExtension(file), model);
        }
    }

    /// <summary>Packs, and reads back what the manifest says.</summary>
    private static EthosUPackage Pack(Model model, WeightCodecMode mode)
    {
        EthosUPackage package = model.ToEthosU(new(Processor) { Codec = mode });
        return EthosUPackage.Read(package.WriteManifest(), package.Blob);
    }

    private static string Row(string name, long weights, long padded, long compatible, long smallest, long scales) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {name} | {weights} | {padded} | {compatible} | {8.0 * compatible / weights:0.000} | {smallest} | {8.0 * smallest / weights:0.000} | {scales} |");
}
