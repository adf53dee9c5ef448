using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;
using Optc.Report.Compression;

namespace Optc.Structure;

/// <summary>What the bytes of a file keep of the structures that a model had before it became that file.</summary>
/// <remarks>
/// Unlike <see cref="InvariantResult.OnBytes(Model)"/> the model need not be the one that was written: a float model from before folding and
/// quantization is compared with the integers that came of it, weights being known by their names, or, in a file without names, by their
/// position in the order of execution. Folding turns the codes of channels
/// of negative factors into their opposites, and a bias can leave a channel nothing but zeros; both are counted as kept.
/// </remarks>
/// <param name="Results">In the order of execution, up to three for each structured weight: its zeros, its codebook, its codes.</param>
public sealed record StructureProof(ImmutableArray<InvariantResult> Results)
{
    /// <summary>Whether everything was kept.</summary>
    public bool Holds => Results.All(r => r.Holds);

    /// <summary>Reads a file back and looks for the structured weights of a model in it.</summary>
    /// <param name="model">Weights with structures, in float or as integers.</param>
    /// <param name="file">What was written.</param>
    /// <exception cref="DiagnosticException">The file cannot be read.</exception>
    public static StructureProof Verify(Module model, ReadOnlyMemory<byte> file)
    {
        ImmutableArray<WeightTensor> expected = WeightTensor.Of(model);
        ImmutableArray<WeightTensor> all = WeightTensor.Of(Model.Read(file).Module);
        ILookup<string, WeightTensor> written = all.ToLookup(w => w.Name);
        Dictionary<string, int> seen = [];
        ImmutableArray<InvariantResult>.Builder results = ImmutableArray.CreateBuilder<InvariantResult>();
        for (int i = 0; i < expected.Length; i++)
        {
            WeightTensor weight = expected[i];
            int nth = seen.GetValueOrDefault(weight.Name);
            seen[weight.Name] = nth + 1;
            if (weight.Content.Structure is { } structure)
            {
                results.AddRange((written[weight.Name].ElementAtOrDefault(nth) ?? (all.Length == expected.Length ? all[i] : null)) is { } found
                    ? Compare(weight, structure, found)
                    : [new InvariantResult(weight.Layer, "weight in the file", $"'{weight.Name}'", "none", Holds: false)]);
            }
        }

        return new(results.ToImmutable());
    }

    /// <summary>Stops where something was lost.</summary>
    /// <exception cref="DiagnosticException">With a diagnostic for each result that does not hold.</exception>
    public StructureProof ThrowIfBroken() => Holds ? this : throw new DiagnosticException(
    [
        .. Results.Where(r => !r.Holds).Select(r => new Diagnostic(DiagnosticId.StructureBroken, $"the file does not keep the {r.What} of a weight")
        {
            At = [$"layer '{r.Layer}'"],
            Expected = r.Expected,
            Found = r.Found,
        }),
    ]);

    private static List<InvariantResult> Compare(WeightTensor weight, WeightStructure structure, WeightTensor found)
    {
        if (!weight.Shape.Equals(found.Shape))
        {
            return [new(weight.Layer, "shape", weight.Shape.ToString(), found.Shape.ToString(), Holds: false)];
        }

        TensorData data = found.Content.ToDense();
        bool isInteger = data.DType is DType.I8 or DType.I16;
        if (!isInteger && data.DType is not (DType.F32 or DType.F16))
        {
            return [new(weight.Layer, "element type", "f32, f16, i8 or i16", data.DType.Name, Holds: false)];
        }

        // Folding changes the scales of a grid; a file that has one says so in its own record.
        WeightStructure reading = isInteger ? structure with { Grid = null } : found.Content.Structure is { Grid: not null } own ? own : structure;
        ImmutableArray<long> codes = reading.Codes(data);
        List<InvariantResult> results = [];
        if (structure.Mask is { } mask)
        {
            int kept = mask.HeldBy(data);
            results.Add(new(weight.Layer, "zeros kept", Of(mask.Zeros, mask.Zeros), Of(kept, mask.Zeros), kept == mask.Zeros));
        }

        if (structure.Codebook is { } book)
        {
            // Off a grid, channels of different scales cannot share codes.
            bool mayDiffer = structure.Grid is null && weight.Content.DType is DType.F32;
            book = !mayDiffer ? book
                : isInteger && found.Quant is { IsPerAxis: true } quant ? book with { Groups = quant.Scales.Length, Axis = quant.Axis }
                : found.Content.Structure?.Codebook is { } now && now.Groups > book.Groups ? book with { Groups = now.Groups, Axis = now.Axis }
                : book;
            int most = WeightStructure.DistinctCodes(book, data.Shape, codes.AsSpan());
            results.Add(new(
                weight.Layer,
                book.Groups == 1 ? "distinct codes" : "distinct codes of each group",
                string.Create(CultureInfo.InvariantCulture, $"at most {book.Codes}"),
                most.ToString(CultureInfo.InvariantCulture),
                most <= book.Codes));
        }

        if (structure.Grid is { } grid && (isInteger || reading.Grid is not null))
        {
            int same = Unchanged(structure.Codes(weight.Content.ToDense()), codes, new(data.Shape, grid.Axis));
            results.Add(new(weight.Layer, "codes unchanged", Of(codes.Length, codes.Length), Of(same, codes.Length), same == codes.Length));
        }

        return results;
    }

    /// <summary>Codes of channels that are as they were, or all turned into their opposites, or all gone.</summary>
    private static int Unchanged(ImmutableArray<long> before, ImmutableArray<long> after, ChannelMap map)
    {
        int[] equal = new int[map.Channels];
        int[] opposite = new int[map.Channels];
        int[] zero = new int[map.Channels];
        int size = map.Channels == 0 ? 0 : before.Length / map.Channels;
        for (int i = 0; i < before.Length; i++)
        {
            int channel = map.ChannelOf(i);
            equal[channel] += before[i] == after[i] ? 1 : 0;
            opposite[channel] += before[i] == -after[i] ? 1 : 0;
            zero[channel] += after[i] == 0 ? 1 : 0;
        }

        return Enumerable.Range(0, map.Channels).Sum(c => zero[c] == size ? size : Math.Max(equal[c], opposite[c]));
    }

    private static string Of(int part, int whole) => string.Create(CultureInfo.InvariantCulture, $"{part:N0} of {whole:N0}");
}
