using System.Diagnostics;
using Optc.Ir;

namespace Optc.Tests.Unit.Gradients;

/// <summary>Computes the results of one node in double precision.</summary>
/// <param name="node">Its types have known shapes.</param>
/// <param name="inputs">Elements of each operand, row-major; <see langword="null"/> where one is left out.</param>
internal delegate double[][] DoubleRule(Node node, double[]?[] inputs);

/// <summary>
/// A second, plain implementation of the float ops in double precision, against which gradients are checked by finite
/// differences. Shares no code with the kernels.
/// </summary>
internal static class DoubleReference
{
    private static readonly Dictionary<Type, DoubleRule> Rules = new(
    [
        .. ElementwiseReference.Rules,
        .. FunctionReference.Rules,
        .. ReductionReference.Rules,
        .. MovementReference.Rules,
        .. LookupReference.Rules,
        .. ConvolutionReference.Rules,
        .. NormalizationReference.Rules,
        .. QuantizationAwareReference.Rules,
    ]);

    /// <summary>True when there is a rule for an op.</summary>
    public static bool Knows(Type op) => Rules.ContainsKey(op);

    /// <summary>Every value of the graph that the inputs decide.</summary>
    public static Dictionary<Value, double[]> Run(IEnumerable<Node> nodes, IReadOnlyDictionary<Value, double[]> inputs)
    {
        Dictionary<Value, double[]> values = new(inputs);
        foreach (Node node in nodes)
        {
            double[]?[] operands = [.. node.Inputs.Select(v => v is null ? null : values.TryGetValue(v, out double[]? known) ? known : Constant(v))];
            if (!Rules.TryGetValue(node.Op.GetType(), out DoubleRule? rule))
            {
                throw new UnreachableException($"no double-precision rule for {node}");
            }

            double[][] results = rule(node, operands);
            for (int i = 0; i < results.Length; i++)
            {
                values[node.Outputs[i]] = results[i];
            }
        }

        return values;
    }

    private static double[] Constant(Value value) => value.Constant!.DType switch
    {
        DType.F32 => [.. value.Constant.AsFloats().ToArray().Select(f => (double)f)],
        DType.Bool => [.. value.Constant.Bytes.ToArray().Select(b => b == 0 ? 0d : 1d)],
        DType.I16 => [.. value.Constant.Span<short>().ToArray().Select(i => (double)i)],
        _ => [.. value.Constant.AsInts().Select(i => (double)i)],
    };
}
