using System.Collections.Immutable;
using System.Globalization;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Ops.TfLite;

/// <summary>
/// Names for the tensors of a subgraph, also for those that have none in the file: the same file gives the same names.
/// </summary>
/// <remarks>
/// A layer is called as its first result is. Where that has no name it is <c>OP_N</c>, operator N of its subgraph; further results are
/// <c>LAYER:1</c>, operands without a name <c>LAYER/w</c> after what they are to the op, graph inputs <c>input_0</c>.
/// </remarks>
public static class TensorNames
{
    /// <summary>One name for each tensor; those that are made up are unique and not empty.</summary>
    /// <param name="graph">Indices need not be valid; those that are not name nothing.</param>
    /// <param name="codes">The operator codes of the model.</param>
    public static ImmutableArray<string> Of(SubGraphRecord graph, ImmutableArray<OperatorCodeRecord> codes) =>
        Complete([.. graph.Tensors.Select(t => t.Name)], graph, codes);

    /// <summary>The names that a file needs so that <see cref="Of"/> gives those that are to be kept.</summary>
    /// <param name="graph">As it is to be written, with all names.</param>
    /// <param name="codes">The operator codes of the model.</param>
    /// <param name="interfaces">Tensors by which callers find their way.</param>
    /// <param name="keepsAll">Whether the names of other tensors are to be kept too.</param>
    /// <returns>The names to write, <see langword="null"/> for none: it is left out, or made up again.</returns>
    public static ImmutableArray<string?> Needed(SubGraphRecord graph, ImmutableArray<OperatorCodeRecord> codes, IReadOnlySet<int> interfaces, bool keepsAll)
    {
        string?[] written = new string?[graph.Tensors.Length];

        // Names of layers before those of their operands, which can follow from them.
        HashSet<int> kept = [.. interfaces];
        Write(kept);
        if (keepsAll)
        {
            kept.UnionWith(graph.Operators.SelectMany(o => o.Outputs));
            Write(kept);
            kept.UnionWith(Enumerable.Range(0, written.Length));
            Write(kept);
        }

        return [.. written];

        void Write(HashSet<int> tensors)
        {
            bool isStable = false;
            while (!isStable)
            {
                ImmutableArray<string> read = Complete(written, graph, codes);
                isStable = true;
                foreach (int i in tensors)
                {
                    if (written[i] is null && graph.Tensors[i].Name is { Length: > 0 } name && read[i] != name)
                    {
                        (written[i], isStable) = (name, false);
                    }
                }
            }
        }
    }

    private static ImmutableArray<string> Complete(string?[] given, SubGraphRecord graph, ImmutableArray<OperatorCodeRecord> codes)
    {
        string?[] names = [.. given.Select(n => string.IsNullOrEmpty(n) ? null : n)];
        HashSet<string> taken = [.. names.OfType<string>()];
        void Name(int tensor, string name)
        {
            if ((uint)tensor < (uint)names.Length && names[tensor] is null)
            {
                while (!taken.Add(name))
                {
                    name += "_";
                }

                names[tensor] = name;
            }
        }

        for (int i = 0; i < graph.Inputs.Length; i++)
        {
            Name(graph.Inputs[i], Text("input_", i));
        }

        for (int i = 0; i < graph.Operators.Length; i++)
        {
            NameOperator(graph.Operators[i], i, codes, names, Name);
        }

        for (int i = 0; i < names.Length; i++)
        {
            Name(i, Text("tensor_", i));
        }

        return [.. names.Select(n => n!)];
    }

    private static void NameOperator(OperatorRecord record, int index, ImmutableArray<OperatorCodeRecord> codes, string?[] names, Action<int, string> name)
    {
        OperatorCodeRecord? code = record.OpcodeIndex < codes.Length ? codes[(int)record.OpcodeIndex] : null;
        OpSchema? schema = code is null ? null : OpSet.Find(code.BuiltinCode)?.Schema;
        string op = schema?.Name ?? (string.IsNullOrEmpty(code?.CustomCode) ? code?.BuiltinCode.ToString() ?? "op" : code.CustomCode);
        string layer = record.Outputs.Length > 0 && (uint)record.Outputs[0] < (uint)names.Length && names[record.Outputs[0]] is { } given
            ? given
            : Text($"{op}_", index);
        for (int i = 0; i < record.Outputs.Length; i++)
        {
            name(record.Outputs[i], i == 0 ? layer : Text($"{layer}:", i));
        }

        for (int i = 0; i < record.Inputs.Length; i++)
        {
            string operand = schema is not null && i < schema.Inputs.Length && !schema.Inputs[i].EndsWith('*')
                ? schema.Inputs[i].TrimEnd('?')
                : Text("operand_", i);
            name(record.Inputs[i], $"{layer}/{operand}");
        }

        for (int i = 0; i < record.Intermediates.Length; i++)
        {
            name(record.Intermediates[i], Text($"{layer}/intermediate_", i));
        }
    }

    private static string Text(string name, int index) => name + index.ToString(CultureInfo.InvariantCulture);
}
