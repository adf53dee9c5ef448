using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Runtime;

namespace Optc.Passes.Fold;

/// <summary>
/// Computes what does not depend on the inputs of the graph.
/// <code>
///   op(constant, constant, ..)     shape(x) of a known shape
///   => constant
/// </code>
/// </summary>
/// <remarks>
/// The kernel of the op computes the constant, so that the result is that of the interpreter to the last bit. Integers
/// that depend on the rounding of a runtime are left to that runtime. What a file stores compressed stays so.
/// </remarks>
public sealed class FoldConstants(FoldConstantsOptions? options = null) : IRewriteRule
{
    /// <summary>Bytes for one node; what is larger does not belong into a file.</summary>
    private const long MemoryLimit = 1 << 28;

    private readonly FoldConstantsOptions _options = options ?? FoldConstantsOptions.Default;

    public string Name => "fold-constant";

    public string Summary => "computes nodes whose operands are constants";

    public bool Concerns(IOp op) => op is IExecutable;

    public Rewrite Apply(Graph graph, Node node, GraphPatch patch)
    {
        if (WhyNot(graph, node) is { } reason)
        {
            return Rewrite.Decline(reason);
        }

        TensorData[] results;
        try
        {
            // Before anything is computed: FILL and TILE can ask for any amount of memory.
            if (KnownSize(node) is { } size && TooLarge(graph, node, size) is { } tooLarge)
            {
                return Rewrite.Decline(tooLarge);
            }

            results = Compute(node, RoundingProfile.Tflm);
            if (DependsOnRounding(node, results))
            {
                return Rewrite.Decline("its integers depend on the rounding of the runtime");
            }
        }
        catch (DiagnosticException problem)
        {
            return Rewrite.Decline($"it cannot be computed: {problem.Diagnostics[0].Message}");
        }

        catch (OpRuleException problem)
        {
            return Rewrite.Decline($"it cannot be computed: {problem.Message}");
        }

        if (TooLarge(graph, node, results.Sum(r => (long)r.Bytes.Length)) is { } larger)
        {
            return Rewrite.Decline(larger);
        }

        for (int i = 0; i < results.Length; i++)
        {
            Value output = node.Outputs[i];
            if (results[i].DType != output.Type.DType || !results[i].Shape.IsCompatibleWith(output.Type.Shape))
            {
                return Rewrite.Decline($"it computes {results[i].DType.Name}{results[i].Shape} where {output.Type} is declared");
            }

            patch.Replace(output, GraphPatch.Constant(results[i].With(CarriedStructure.Of(node, results[i])), output.Name, output.Type.Quant));
        }

        return Rewrite.Apply;
    }

    private string? WhyNot(Graph graph, Node node)
    {
        if (node.Op.Schema.HasSideEffects)
        {
            return "it has side effects";
        }

        Value[] inputs = [.. node.Inputs.OfType<Value>()];
        bool shapesOnly = node.Op is IDependsOnShapesOnly && inputs.All(v => v.Type.Shape.IsKnown);
        if (inputs.Length == 0 || !(shapesOnly || Array.TrueForAll(inputs, v => v.Constant is not null)))
        {
            return "an operand is computed";
        }

        if (node.Outputs.Any(o => o.Type.DType is DType.Resource or DType.Variant or DType.String))
        {
            return "its result is no array of numbers";
        }

        if (node.Outputs.FirstOrDefault(graph.IsOutput) is { } output)
        {
            return $"'{output.Name}' is an output of the graph, which must be computed";
        }

        return _options.Decompress || !IsCompressed(node) ? null
            : node.Op is Dequantize ? "the quantized constant is smaller"
            : "an operand is stored sparse, which is smaller";
    }

    private static bool IsCompressed(Node node) => node.Op is Dequantize || node.Inputs.Any(v => v is { Constant.Sparse: not null });

    /// <summary>Bytes of the results, where the shape rule can tell.</summary>
    private static long? KnownSize(Node node)
    {
        ImmutableArray<TensorType> types = node.Op.InferTypes(OpOperands.Of(node));
        return types.All(t => t.Shape.IsKnown) ? types.Sum(t => t.ByteCount) : null;
    }

    private string? TooLarge(Graph graph, Node node, long size)
    {
        long growth = size - Freed(graph, node);
        return growth > _options.Growth && !(_options.Decompress && IsCompressed(node))
            ? string.Create(CultureInfo.InvariantCulture, $"the result takes {growth} bytes more than its operands")
            : null;
    }

    /// <summary>Bytes of the constants that only this node reads.</summary>
    private static long Freed(Graph graph, Node node) => node.Inputs
        .Where(v => v?.Constant is not null && !graph.IsOutput(v) && v.Users.All(u => u == node))
        .Distinct()
        .Sum(v => (long)v!.Constant!.Bytes.Length);

    private static bool DependsOnRounding(Node node, TensorData[] results) =>
        node.Outputs.Any(o => o.Type.Quant is not null)
        && !results.Zip(Compute(node, RoundingProfile.Xnnpack)).All(r => r.First.Bytes.Span.SequenceEqual(r.Second.Bytes.Span));

    private static TensorData[] Compute(Node node, RoundingProfile rounding)
    {
        GraphBuilder builder = new("constant");
        Dictionary<Value, Value> copies = [];
        Value Copy(Value value)
        {
            if (!copies.TryGetValue(value, out Value? copy))
            {
                copy = value.Constant is { } data
                    ? GraphBuilder.Constant(data, value.Name, value.Type.Quant)
                    : builder.Input(value.Name, value.Type);
                copies.Add(value, copy);
            }

            return copy;
        }

        ImmutableArray<Value?> inputs = [.. node.Inputs.Select(v => v is null ? null : Copy(v))];
        Node copied = builder.Add(node.Op, inputs, [.. node.Outputs.Select(o => GraphBuilder.Result(o.Name, o.Type))], node.Name);
        foreach (Value output in copied.Outputs)
        {
            builder.Output(output);
        }

        using Interpreter interpreter = new(GraphBuilder.Module([builder.Build()]), options: new() { Rounding = rounding, MemoryLimit = MemoryLimit });
        interpreter.Run();
        return
        [
            .. Enumerable.Range(0, interpreter.OutputCount).Select(i =>
                new TensorData(interpreter.OutputType(i).DType, interpreter.OutputType(i).Shape, interpreter.Output(i).ToArray())),
        ];
    }
}
