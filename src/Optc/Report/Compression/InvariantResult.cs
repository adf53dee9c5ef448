using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;

namespace Optc.Report.Compression;

/// <summary>A property that was checked on the bytes of the result.</summary>
/// <param name="Layer">Name of the layer.</param>
/// <param name="What">E.g. <c>zeros kept</c>, <c>distinct codes</c>.</param>
/// <param name="Expected">E.g. <c>at most 8</c>.</param>
/// <param name="Found">E.g. <c>8</c>.</param>
public sealed record InvariantResult(string Layer, string What, string Expected, string Found, bool Holds)
{
    /// <summary>Writes a model, reads the bytes back as any reader of such files would, and checks what was read against the structure of each weight.</summary>
    /// <param name="model">In memory, as a chain of stages made it: files of integer weights carry no structure.</param>
    /// <returns>For each weight with a mask its zeros, for each with a codebook its codes; empty when no weight has a structure.</returns>
    /// <exception cref="DiagnosticException">The model cannot be written.</exception>
    public static ImmutableArray<InvariantResult> OnBytes(Model model) => OnBytes(model.Module, model.ToTfLite());

    /// <summary>The same for bytes that were written before.</summary>
    /// <exception cref="ArgumentException">The file holds another model.</exception>
    internal static ImmutableArray<InvariantResult> OnBytes(Module module, ReadOnlyMemory<byte> file)
    {
        ImmutableArray<WeightTensor> expected = WeightTensor.Of(module);
        ImmutableArray<WeightTensor> found = WeightTensor.Of(Model.Read(file).Module);
        if (!expected.Select(w => w.Shape).SequenceEqual(found.Select(w => w.Shape)))
        {
            throw new ArgumentException("The file holds another model than the module.", nameof(file));
        }

        return [.. expected.Zip(found).Where(w => w.First.Content.Structure is not null).SelectMany(w => Check(w.Second, w.First.Content.Structure!))];
    }

    private static IEnumerable<InvariantResult> Check(WeightTensor weights, WeightStructure structure)
    {
        ImmutableArray<long> codes = structure.Codes(weights.Content.ToDense());
        if (structure.Mask is { } mask)
        {
            int kept = codes.Zip(mask.Kept).Count(c => !c.Second && c.First == 0);
            string pattern = mask.Pattern == "elements" ? "" : $" ({mask.Pattern})";
            yield return new(weights.Layer, $"zeros kept{pattern}", Of(mask.Zeros, mask.Zeros), Of(kept, mask.Zeros), kept == mask.Zeros);
        }

        if (structure.Codebook is { } book)
        {
            int most = WeightStructure.DistinctCodes(book, weights.Shape, codes.AsSpan());
            yield return new(
                weights.Layer,
                book.Groups == 1 ? "distinct codes" : string.Create(CultureInfo.InvariantCulture, $"distinct codes of each of {book.Groups} groups"),
                string.Create(CultureInfo.InvariantCulture, $"at most {book.Codes}"),
                most.ToString(CultureInfo.InvariantCulture),
                most <= book.Codes);
        }

        static string Of(int part, int whole) => string.Create(CultureInfo.InvariantCulture, $"{part:N0} of {whole:N0}");
    }
}
