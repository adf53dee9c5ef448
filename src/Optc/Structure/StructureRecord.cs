using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Optc.Ir;

namespace Optc.Structure;

/// <summary>Keeps the structures of float weights in the metadata of a file: what its numbers alone do not tell, or not for sure.</summary>
/// <remarks>
/// <para>Entry <c>optc.weight_structure</c>, JSON: <c>{"version": 1, "weights": [{"tensor": NAME, "graph": 0, "nth": 0, "mask": {"pattern":
/// "2:4", "zeros": 8}, "codebook": {"codes": 16, "groups": 1, "axis": 0, "pins_zero": true}, "grid": {"bits": 8, "axis": 0, "scales":
/// [0.01]}}]}</c>. <c>graph</c> is left out for the main graph, <c>nth</c> for the first constant of the name; masks are the zeros of the
/// values.</para>
/// <para>Integer weights carry none: their integers are the structure.</para>
/// </remarks>
internal static class StructureRecord
{
    private const string Entry = "optc.weight_structure";
    private const int Version = 1;

    /// <summary>A module whose metadata tell the structures of its weights.</summary>
    public static Module Attach(Module module)
    {
        ImmutableArray<(Named Weight, WeightStructure Structure)> weights =
        [
            .. Constants(module)
                .Where(c => c.Value.Constant is { Structure: not null, DType: DType.F32 or DType.F16 })
                .Select(c => (c, c.Value.Constant!.Structure!)),
        ];
        bool isThere = module.Metadata.Any(m => m.Name == Entry);
        return weights.IsEmpty && !isThere ? module : WithEntry(module, weights.IsEmpty ? null : Write(weights));
    }

    /// <summary>Binds the constants of a module that was just read to what its metadata say of them, and takes the entry out.</summary>
    /// <param name="module">Owned by the caller; changed in place.</param>
    /// <param name="name">Name of the file.</param>
    /// <exception cref="DiagnosticException">The entry is damaged, or does not hold of the values.</exception>
    public static Module Restore(Module module, string name)
    {
        ReadOnlyMemory<byte> content = module.Metadata.FirstOrDefault(m => m.Name == Entry).Content;
        if (content.IsEmpty)
        {
            return module;
        }

        Dictionary<(int Graph, string Tensor, int Nth), Named> constants = Constants(module).ToDictionary(c => (c.Graph, c.Value.Name, c.Nth));
        List<Diagnostic> problems = [];
        foreach (Recorded recorded in Read(content, name))
        {
            string[] place = [name, $"metadata '{Entry}'", $"'{recorded.Tensor}'"];
            if (!constants.TryGetValue((recorded.Graph, recorded.Tensor, recorded.Nth), out Named? found))
            {
                problems.Add(Changed(place, "a weight with a structure is not there", "none", "a constant of this name"));
                continue;
            }

            problems.AddRange(Bind(found, recorded, [name, found.Reader.ToString(), $"'{recorded.Tensor}'"]));
        }

        return problems.Count == 0 ? WithEntry(module, null) : throw new DiagnosticException([.. problems]);
    }

    private static IEnumerable<Diagnostic> Bind(Named found, Recorded recorded, string[] place)
    {
        TensorData data = found.Value.Constant!;
        if (data.DType is not (DType.F32 or DType.F16))
        {
            return [Changed(place, "a weight with a structure is no float any more", data.DType.Name, "f32 or f16")];
        }

        WeightStructure structure = recorded.Structure;
        if (recorded.Mask is { } mask)
        {
            ImmutableArray<bool> kept = NonZero(data.ToDense());
            int zeros = kept.Count(k => !k);
            if (zeros < mask.Zeros)
            {
                return [Changed(place, "a weight does not keep its zeros", Text(zeros), $"at least {Text(mask.Zeros)}")];
            }

            structure = structure with { Mask = new(mask.Pattern, kept) };
        }

        ImmutableArray<StructureBreach> breaches = structure.Check(data);
        if (breaches.IsEmpty)
        {
            GraphPatch.Bind(found.Value, structure);
        }

        return breaches.Select(b => Changed(place, $"a weight does not keep its {b.What}", b.Found, b.Expected));
    }

    private static Diagnostic Changed(string[] place, string message, string found, string expected) => new(DiagnosticId.StructureBroken, message)
    {
        At = [.. place],
        Found = found,
        Expected = expected,
        Hint = $"the file was changed after optc wrote it; if that was meant, remove its metadata entry '{Entry}'",
    };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static ImmutableArray<bool> NonZero(TensorData data)
    {
        bool[] kept = new bool[data.Shape.ElementCount];
        for (int i = 0; i < kept.Length; i++)
        {
            kept[i] = data.DType is DType.F16 ? data.Span<Half>()[i] != Half.Zero : data.Span<float>()[i] != 0;
        }

        return [.. kept];
    }

    private static Module WithEntry(Module module, ReadOnlyMemory<byte>? content) => GraphBuilder.Module(
        module.Graphs,
        module.Signatures,
        [.. module.Metadata.Where(m => m.Name != Entry), .. content is { } bytes ? [(Entry, bytes)] : Array.Empty<(string, ReadOnlyMemory<byte>)>()],
        module.Description,
        module.Foreign);

    /// <summary>The constants of all graphs in the order in which nodes read them, each once.</summary>
    private static IEnumerable<Named> Constants(Module module)
    {
        for (int g = 0; g < module.Graphs.Length; g++)
        {
            HashSet<Value> seen = [];
            Dictionary<string, int> names = [];
            foreach (Node node in module.Graphs[g].Nodes)
            {
                foreach (Value value in node.Inputs.OfType<Value>().Where(v => v.Constant is not null && seen.Add(v)))
                {
                    int nth = names.GetValueOrDefault(value.Name);
                    names[value.Name] = nth + 1;
                    yield return new(g, nth, value, node);
                }
            }
        }
    }

    private static ReadOnlyMemory<byte> Write(ImmutableArray<(Named Weight, WeightStructure Structure)> weights)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteStartArray("weights");
            foreach ((Named weight, WeightStructure structure) in weights)
            {
                json.WriteStartObject();
                Write(json, weight);
                Write(json, structure, NonZero(weight.Value.Constant!.ToDense()).Count(k => !k));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter json, Named weight)
    {
        json.WriteString("tensor", weight.Value.Name);
        if (weight.Graph > 0)
        {
            json.WriteNumber("graph", weight.Graph);
        }

        if (weight.Nth > 0)
        {
            json.WriteNumber("nth", weight.Nth);
        }
    }

    /// <param name="zeros">Of the values: a few more than those of the mask, where others are 0 by themselves.</param>
    private static void Write(Utf8JsonWriter json, WeightStructure structure, int zeros)
    {
        if (structure.Mask is { } mask)
        {
            json.WriteStartObject("mask");
            json.WriteString("pattern", mask.Pattern);
            json.WriteNumber("zeros", zeros);
            json.WriteEndObject();
        }

        if (structure.Codebook is { } book)
        {
            json.WriteStartObject("codebook");
            json.WriteNumber("codes", book.Codes);
            json.WriteNumber("groups", book.Groups);
            json.WriteNumber("axis", book.Axis);
            json.WriteBoolean("pins_zero", book.PinsZero);
            json.WriteEndObject();
        }

        if (structure.Grid is { } grid)
        {
            json.WriteStartObject("grid");
            json.WriteNumber("bits", grid.Bits);
            json.WriteNumber("axis", grid.Axis);
            json.WriteStartArray("scales");
            foreach (float scale in grid.Scales)
            {
                json.WriteNumberValue(scale);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    private static Recorded[] Read(ReadOnlyMemory<byte> content, string name)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(content);
            int version = document.RootElement.GetProperty("version").GetInt32();
            return version == Version
                ? [.. document.RootElement.GetProperty("weights").EnumerateArray().Select(Read)]
                : throw new FormatException($"version {version}, where this program knows {Version}");
        }
        catch (Exception damage) when (damage is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.MalformedFile, "the record of the structure of weights is damaged")
            {
                At = [name, $"metadata '{Entry}'"],
                Found = damage.Message,
            });
        }
    }

    private static Recorded Read(JsonElement weight)
    {
        static int Number(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement number) ? number.GetInt32() : 0;

        WeightStructure structure = new();
        if (weight.TryGetProperty("codebook", out JsonElement book))
        {
            structure = structure with
            {
                Codebook = new(
                    book.GetProperty("codes").GetInt32(), book.GetProperty("groups").GetInt32(), book.GetProperty("axis").GetInt32(), book.GetProperty("pins_zero").GetBoolean()),
            };
        }

        if (weight.TryGetProperty("grid", out JsonElement grid))
        {
            structure = structure with
            {
                Grid = new(
                    [.. grid.GetProperty("scales").EnumerateArray().Select(s => s.GetSingle())], grid.GetProperty("axis").GetInt32(), grid.GetProperty("bits").GetInt32()),
            };
        }

        (string, int)? mask = weight.TryGetProperty("mask", out JsonElement zeros)
            ? (zeros.GetProperty("pattern").GetString() ?? throw new FormatException("a pattern is null"), zeros.GetProperty("zeros").GetInt32())
            : null;
        return new(
            weight.GetProperty("tensor").GetString() ?? throw new FormatException("a name is null"),
            Number(weight, "graph"),
            Number(weight, "nth"),
            structure,
            mask);
    }

    /// <param name="Nth">Among the constants of that name.</param>
    /// <param name="Reader">The first node that reads it.</param>
    private sealed record Named(int Graph, int Nth, Value Value, Node Reader);

    private sealed record Recorded(string Tensor, int Graph, int Nth, WeightStructure Structure, (string Pattern, int Zeros)? Mask);
}
