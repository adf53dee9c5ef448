using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;
using Optc.Passes.Prune;

namespace Optc.Structure;

/// <summary>A weight that is bound to something.</summary>
/// <param name="Layer">Name of the first layer that reads it.</param>
/// <param name="Operand">What it is to that layer, e.g. <c>w</c>.</param>
public sealed record BoundWeight(string Layer, string Operand, WeightStructure Structure);

/// <summary>Structures of the weights of a model: those that it carries, and those that its values show.</summary>
public static class WeightStructures
{
    /// <summary>The structures that the main graph carries, in the order of execution.</summary>
    public static ImmutableArray<BoundWeight> Of(Module module) =>
    [
        .. PrunableWeight.Of(module.Main)
            .Where(w => w.Source is { Constant.Structure: not null })
            .Select(w => new BoundWeight(w.Layer, w.Operand, w.Source!.Constant!.Structure!)),
    ];

    /// <summary>A copy in which weights that show a structure are bound to it; parts that they carry already stay as they are.</summary>
    /// <param name="module">Float or integer; not changed.</param>
    /// <param name="options">From when on zeros and repeated values are taken for intended.</param>
    public static Module Discover(Module module, DiscoveryOptions? options = null)
    {
        Module result = module.Clone();
        foreach (PrunableWeight weight in PrunableWeight.Of(result.Main).Where(w => w.Source?.Constant is not null))
        {
            GraphPatch.Bind(weight.Source!, DiscoverIn(weight, options ?? DiscoveryOptions.Default));
        }

        return result;
    }

    /// <summary>Says of masks by which rule their zeros lie.</summary>
    /// <param name="module">Owned by the caller; changed in place.</param>
    internal static Module NamePatterns(Module module)
    {
        foreach (PrunableWeight weight in PrunableWeight.Of(module.Main))
        {
            if (weight.Source?.Constant?.Structure is { Mask: { Pattern: "elements" } mask } structure && weight.Kernel.Count == mask.Kept.Length)
            {
                GraphPatch.Bind(weight.Source, structure with { Mask = mask with { Pattern = ZeroPattern.Of(mask.Kept.AsSpan(), weight.Kernel) } });
            }
        }

        return module;
    }

    /// <summary>What a weight is bound to, in a few words, see <see cref="Report.WeightEntry.Bound"/>.</summary>
    internal static string? Describe(PrunableWeight weight)
    {
        if (weight.Source?.Constant is not { } constant)
        {
            return null;
        }

        WeightStructure? carried = constant.Structure;
        WeightStructure? structure = carried ?? DiscoverIn(weight, DiscoveryOptions.Default);
        string?[] parts =
        [
            // Zeros anywhere, if nobody says that they were meant, are in the column of zeros.
            structure?.Mask is not { } mask ? null : mask.Pattern != "elements" ? mask.Pattern : carried is null ? null : "zeros",
            structure?.Codebook is not { } book ? null : string.Create(CultureInfo.InvariantCulture, $"{book.Codes} codes{Scope(book)}"),
            structure?.Grid is not { } grid ? null : string.Create(CultureInfo.InvariantCulture, $"{grid.Bits}-bit grid"),
        ];
        string text = string.Join(", ", parts.OfType<string>());
        return text.Length == 0 ? null : $"{(carried is null ? "found" : "kept")}: {text}";

        string Scope(Codebook book) => book.Groups == 1 ? "" : book.Groups == weight.Kernel.Outputs ? " in each channel" : $" in each of {book.Groups} groups";
    }

    /// <summary>What a weight carries, with what its values show beside it; <see langword="null"/> for nothing.</summary>
    internal static WeightStructure? DiscoverIn(PrunableWeight weight, DiscoveryOptions options)
    {
        (TensorData constant, KernelShape kernel) = (weight.Source!.Constant!, weight.Kernel);
        WeightStructure carried = constant.Structure ?? new();
        bool isInteger = constant.DType is DType.I8;
        if (constant.Shape.ElementCount == 0 || kernel.Count != constant.Shape.ElementCount
            || !(isInteger || constant.DType is DType.F32 or DType.F16)
            || weight.Source.Type.Quant?.ZeroPoints.Any(z => z != 0) == true)
        {
            return constant.Structure;
        }

        TensorData data = constant.ToDense();
        ImmutableArray<long> codes = (carried with { Mask = null }).Codes(data);
        WeightStructure found = carried with
        {
            Mask = carried.Mask ?? MaskOf(codes, kernel, options),
            Codebook = carried.Codebook ?? CodebookOf(codes, data.Shape, kernel, isInteger ? options.MostIntegerCodes : options.MostCodes, options),
        };
        return found.IsEmpty ? null : found;
    }

    private static SparsityMask? MaskOf(ImmutableArray<long> codes, KernelShape kernel, DiscoveryOptions options)
    {
        bool[] kept = [.. codes.Select(c => c != 0)];
        int zeros = kept.Count(k => !k);
        return zeros > 0 && zeros >= options.LeastSparsity * kept.Length ? new(ZeroPattern.Of(kept, kernel), [.. kept]) : null;
    }

    private static Codebook? CodebookOf(ImmutableArray<long> codes, Shape shape, KernelShape kernel, int most, DiscoveryOptions options)
    {
        int axis = kernel.OutputsInnermost ? shape.Rank - 1 : 0;
        foreach (int groups in (ReadOnlySpan<int>)[1, kernel.Outputs])
        {
            Codebook book = new(1, groups, axis, PinsZero: codes.Contains(0));
            int distinct = WeightStructure.DistinctCodes(book, shape, codes.AsSpan());
            if (distinct <= most && (long)distinct * groups * options.LeastMembers <= codes.Length)
            {
                return book with { Codes = distinct };
            }
        }

        return null;
    }
}
