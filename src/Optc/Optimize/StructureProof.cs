using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;
using Optc.Report.Compression;

namespace Optc.Optimize;

/// <summary>Proves on the bytes of a result that zeros are zeros and codes are few.</summary>
internal static class StructureProof
{
    /// <summary>What holds of every weight with a structure.</summary>
    /// <param name="before">The float model before quantization.</param>
    /// <param name="result">The result in memory, with the structures that its weights have.</param>
    /// <param name="file">The model that was read from the bytes of the result.</param>
    public static ImmutableArray<InvariantResult> Of(Module before, Module result, Module file)
    {
        Dictionary<string, TensorData> read = Constants(file).GroupBy(v => v.Name).ToDictionary(g => g.Key, g => g.First().Constant!);
        Dictionary<string, Value> made = Constants(result).GroupBy(v => v.Name).ToDictionary(g => g.Key, g => g.First());
        List<InvariantResult> results = [];
        foreach (Value weight in Constants(before).Where(v => v.Constant!.Structure is not null))
        {
            if (!made.TryGetValue(weight.Name, out Value? own) || !read.TryGetValue(weight.Name, out TensorData? content))
            {
                results.Add(new(weight.Name, "the weight is in the file", "yes", "no", Holds: false));
                continue;
            }

            // Half precision has no codes.
            if (content.DType is DType.I8 or DType.I16 or DType.F32)
            {
                Check(weight.Name, weight.Constant!.Structure!, own.Constant!.Structure, content, results);
            }
        }

        return [.. results];
    }

    /// <summary>Refuses a result in which something does not hold.</summary>
    /// <exception cref="DiagnosticException">It names layer, expected and found.</exception>
    public static void Require(ImmutableArray<InvariantResult> results)
    {
        ImmutableArray<Diagnostic> broken =
        [
            .. results.Where(r => !r.Holds).Select(r => new Diagnostic(DiagnosticId.StructureBroken, $"the file does not keep the structure of a weight: {r.What}")
            {
                At = [r.Layer],
                Found = r.Found,
                Expected = r.Expected,
            }),
        ];
        if (!broken.IsEmpty)
        {
            throw new DiagnosticException(broken);
        }
    }

    private static void Check(string name, WeightStructure before, WeightStructure? after, TensorData content, List<InvariantResult> results)
    {
        ImmutableArray<long> codes = (after ?? before with { Grid = null }).Codes(content.ToDense());
        if (before.Mask is { } mask)
        {
            int kept = 0;
            for (int i = 0; i < mask.Kept.Length; i++)
            {
                kept += !mask.Kept[i] && i < codes.Length && codes[i] == 0 ? 1 : 0;
            }

            results.Add(new(name, "zeros kept", Of(mask.Zeros, mask.Zeros), Of(kept, mask.Zeros), kept == mask.Zeros && codes.Length == mask.Kept.Length));
        }

        if (before.Codebook is { } book)
        {
            // Real centroids that meet a scale for each channel are codes of each channel.
            Codebook held = after?.Codebook ?? book;
            int distinct = WeightStructure.DistinctCodes(held, content.Shape, codes.AsSpan());
            string what = held.Groups == 1 ? "distinct codes" : "distinct codes of each channel";
            results.Add(new(name, what, string.Create(CultureInfo.InvariantCulture, $"at most {book.Codes}"), distinct.ToString(CultureInfo.InvariantCulture), distinct <= book.Codes));
        }
    }

    private static IEnumerable<Value> Constants(Module module) =>
        module.Main.Nodes.SelectMany(n => n.Inputs).OfType<Value>().Where(v => v.Constant is not null).Distinct();

    private static string Of(int part, int whole) => string.Create(CultureInfo.InvariantCulture, $"{part} of {whole}");
}
