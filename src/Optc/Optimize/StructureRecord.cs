using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Optimize;

/// <summary>The structure of the weights of a model apart from the model, for files that hold values only.</summary>
/// <param name="Name">Of the tensor.</param>
/// <param name="Occurrence">Which of the tensors of that name, in order of execution.</param>
/// <param name="Pattern">Of the mask, if there is one.</param>
/// <param name="Kept">The mask, eight values in a byte, lowest bit first.</param>
/// <param name="Codebook">Limit to the codes, if there is one.</param>
/// <param name="Scales">Of the grid, if there is one.</param>
/// <param name="Axis">Of the grid.</param>
/// <param name="Bits">Of the grid.</param>
internal sealed record StructureRecord(
    string Name, int Occurrence, string? Pattern, byte[]? Kept, Codebook? Codebook, ImmutableArray<float>? Scales, int Axis, int Bits)
{
    /// <summary>The structures of all weights of a module that have one.</summary>
    public static ImmutableArray<StructureRecord> Of(Module module) =>
    [
        .. Weights(module).Where(w => w.Value.Constant!.Structure is not null).Select(w => Of(w.Value.Name, w.Occurrence, w.Value.Constant!.Structure!)),
    ];

    /// <summary>A copy of a module whose weights have these structures.</summary>
    /// <exception cref="DiagnosticException">A weight is missing, or does not have the structure.</exception>
    public static Module Attach(Module module, ImmutableArray<StructureRecord> records)
    {
        Module result = module.Clone();
        Dictionary<(string Name, int Occurrence), Value> weights = Weights(result).ToDictionary(w => (w.Value.Name, w.Occurrence), w => w.Value);
        foreach (StructureRecord record in records)
        {
            if (!weights.TryGetValue((record.Name, record.Occurrence), out Value? weight))
            {
                throw new DiagnosticException(new Diagnostic(DiagnosticId.StructureBroken, "a weight with a structure is missing") { At = [record.Name] });
            }

            TensorData content = weight.Constant!.ToDense();
            WeightStructure structure = record.ToStructure(checked((int)content.Shape.ElementCount));
            if (structure.Check(content) is [var breach, ..])
            {
                throw new DiagnosticException(new Diagnostic(DiagnosticId.StructureBroken, $"a weight does not keep its structure: {breach.What}")
                {
                    At = [record.Name],
                    Found = breach.Found,
                    Expected = breach.Expected,
                });
            }

            Exchange(result, weight, GraphPatch.Constant(content.With(structure), weight.Name));
        }

        return result;
    }

    /// <summary>The weights of a module in order of execution.</summary>
    private static IEnumerable<(Value Value, int Occurrence)> Weights(Module module)
    {
        Dictionary<string, int> seen = [];
        foreach (Value value in module.Main.Nodes.SelectMany(n => n.Inputs).OfType<Value>().Where(v => v.Constant is not null).Distinct())
        {
            yield return (value, seen[value.Name] = seen.GetValueOrDefault(value.Name, -1) + 1);
        }
    }

    private static void Exchange(Module module, Value old, Value with)
    {
        foreach (Node user in old.Users.Distinct().ToArray())
        {
            GraphPatch patch = new();
            for (int i = 0; i < user.Inputs.Length; i++)
            {
                if (user.Inputs[i] == old)
                {
                    patch.SetInput(user, i, with);
                }
            }

            patch.ApplyTo(module, module.Main, user);
        }
    }

    private static StructureRecord Of(string name, int occurrence, WeightStructure structure)
    {
        byte[]? kept = null;
        if (structure.Mask is { } mask)
        {
            kept = new byte[(mask.Kept.Length + 7) / 8];
            for (int i = 0; i < mask.Kept.Length; i++)
            {
                kept[i / 8] |= (byte)(mask.Kept[i] ? 1 << (i % 8) : 0);
            }
        }

        return new(name, occurrence, structure.Mask?.Pattern, kept, structure.Codebook, structure.Grid?.Scales, structure.Grid?.Axis ?? 0, structure.Grid?.Bits ?? 0);
    }

    private WeightStructure ToStructure(int count) => new()
    {
        Mask = Kept is { } kept && kept.Length == (count + 7) / 8
            ? new(Pattern ?? "", [.. Enumerable.Range(0, count).Select(i => (kept[i / 8] >> (i % 8) & 1) != 0)])
            : null,
        Codebook = Codebook,
        Grid = Scales is { } scales ? new(scales, Axis, Bits) : null,
    };
}
