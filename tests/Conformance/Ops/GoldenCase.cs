using System.Collections.Immutable;
using System.Globalization;
using Optc.Backends.TfLite;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops;
using Optc.Tests.Snapshots;

namespace Optc.Tests.Conformance.Ops;

/// <summary>An operand or result as a case states it.</summary>
internal sealed record CaseTensor(TensorType Type, TensorData Content, bool IsConstant);

/// <summary>One op with its operands and what must come out; <c>golden/README.md</c> describes the file.</summary>
/// <param name="Path">Relative to <c>golden/ops</c>.</param>
/// <param name="Inputs">By operand; <see langword="null"/> where an optional one is left out.</param>
/// <param name="Results">Empty for a case that must be refused.</param>
/// <param name="Tolerance">Steps for integers, relative to the largest value for floats.</param>
/// <param name="Except">Executors that cannot run the case.</param>
/// <param name="Error">Message of the diagnostic by which the op refuses its operands.</param>
internal sealed record GoldenCase(
    string Path,
    IOp Op,
    ImmutableArray<CaseTensor?> Inputs,
    ImmutableArray<CaseTensor> Results,
    double Tolerance,
    ImmutableArray<string> Except,
    string? Error)
{
    private static readonly ImmutableArray<string> Reserved = ["source", "op", "compare", "except", "error"];

    private static readonly Lazy<ImmutableArray<GoldenCase>> Read = new(() =>
        [.. Directory.EnumerateFiles(Folder, "*.case", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(Parse)]);

    public static ImmutableArray<GoldenCase> All => Read.Value;

    private static string Folder => System.IO.Path.Combine(GoldenFile.Root, "golden", "ops");

    /// <summary>Bytes of the operands that are no constants.</summary>
    public ImmutableArray<byte[]> GivenBytes =>
        [.. Inputs.Where(i => i is { IsConstant: false }).Select(i => i!.Content.Bytes.ToArray())];

    /// <summary>The model of the op alone.</summary>
    public Module Build()
    {
        GraphBuilder builder = new("main");
        ImmutableArray<Value?> operands =
        [
            .. Inputs.Select((input, i) => input switch
            {
                null => null,
                { IsConstant: true } => GraphBuilder.Constant(input.Content, $"c{i}", input.Type.Quant),
                _ => builder.Input($"x{i}", input.Type),
            }),
        ];
        ImmutableArray<Value> results = Results.IsEmpty
            ? [.. Op.InferTypes(new([.. operands.Select(o => o?.Type)], [.. operands.Select(o => o?.Constant)], [])).Select((t, i) => GraphBuilder.Result($"y{i}", t))]
            : [.. Results.Select((r, i) => GraphBuilder.Result($"y{i}", r.Type))];
        foreach (Value result in builder.Add(Op, operands, results, "op").Outputs)
        {
            builder.Output(result);
        }

        return GraphBuilder.Module([builder.Build()]);
    }

    public byte[] Write() => TfLiteBackend.ToArray(Build());

    public override string ToString() => Path;

    private static GoldenCase Parse(string file)
    {
        string path = System.IO.Path.GetRelativePath(Folder, file).Replace('\\', '/');
        Dictionary<string, string> entries = Entries(path, File.ReadAllLines(file));
        string Get(string key) => entries.GetValueOrDefault(key) ?? throw Wrong(path, $"there is no line '{key}:'");

        IOp op = OpText.ParseOp(Get("op"));
        string folder = path.Split('/')[0];
        if (Get("source").Length == 0 || op.Schema.Name != folder)
        {
            throw Wrong(path, $"it has no source, or its op '{op.Schema.Name}' is not that of its folder");
        }

        string? error = entries.GetValueOrDefault("error");
        Dictionary<string, CaseTensor> tensors = entries.Where(e => !Reserved.Contains(e.Key)).ToDictionary(
            e => e.Key.Replace("const ", "", StringComparison.Ordinal), e => ReadTensor(e.Key, e.Value));
        ImmutableArray<CaseTensor?> inputs = Take(op.Schema.Inputs, tensors);
        ImmutableArray<CaseTensor?> results = error is null ? Take(op.Schema.Outputs, tensors) : [];
        return tensors.Count == 0 && results.All(r => r is not null) && (error is not null || results.Length > 0)
            ? new(path, op, inputs, [.. results.Select(r => r!)], error is null ? ReadTolerance(path, Get("compare")) : 0, Names(entries), error)
            : throw Wrong(path, $"it names what the op does not have, or lacks a result: {string.Join(", ", tensors.Keys)}");
    }

    private static Dictionary<string, string> Entries(string path, string[] lines)
    {
        Dictionary<string, string> entries = [];
        string last = "";
        foreach (string line in lines.Where(l => l.Trim().Length > 0 && !l.StartsWith('#')))
        {
            if (char.IsWhiteSpace(line[0]))
            {
                entries[last] += " " + line.Trim();
                continue;
            }

            int colon = line.IndexOf(':', StringComparison.Ordinal);
            last = colon > 0 ? line[..colon] : throw Wrong(path, $"a line has no key: {line}");
            if (!entries.TryAdd(last, line[(colon + 1)..].Trim()))
            {
                throw Wrong(path, $"two lines are called '{last}'");
            }
        }

        return entries;
    }

    private static CaseTensor ReadTensor(string key, string text)
    {
        (TensorType type, TensorData content) = GraphParser.ParseTensor(text);
        return new(type, content, key.StartsWith("const ", StringComparison.Ordinal));
    }

    /// <summary>Takes the tensors that a schema names: <c>x</c>, <c>bias?</c>, and <c>x*</c> as x0, x1 and so on.</summary>
    private static ImmutableArray<CaseTensor?> Take(ImmutableArray<string> names, Dictionary<string, CaseTensor> tensors)
    {
        List<CaseTensor?> taken = [];
        foreach (string name in names)
        {
            if (!name.EndsWith('*'))
            {
                taken.Add(tensors.Remove(name.TrimEnd('?'), out CaseTensor? tensor) ? tensor : null);
                continue;
            }

            for (int i = 0; tensors.Remove(string.Create(CultureInfo.InvariantCulture, $"{name[..^1]}{i}"), out CaseTensor? tensor); i++)
            {
                taken.Add(tensor);
            }
        }

        while (taken.Count > 0 && taken[^1] is null)
        {
            taken.RemoveAt(taken.Count - 1);
        }

        return [.. taken];
    }

    private static double ReadTolerance(string path, string text) => text.Split(' ') switch
    {
        ["exact"] => 0,
        ["within", string steps, "step" or "steps"] => int.Parse(steps, CultureInfo.InvariantCulture),
        ["within", string relative] => double.Parse(relative, CultureInfo.InvariantCulture),
        _ => throw Wrong(path, $"'compare: {text}' is not 'exact', 'within 1 step' or 'within 1e-6'"),
    };

    /// <summary><c>except: litert (why)</c>.</summary>
    private static ImmutableArray<string> Names(Dictionary<string, string> entries) =>
        [.. entries.GetValueOrDefault("except", "").Split('(')[0].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    private static InvalidDataException Wrong(string path, string problem) => new($"golden/ops/{path}: {problem}");
}
