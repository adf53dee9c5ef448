using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Ops.TfLite;

/// <summary>An op that <c>.tflite</c> has as a builtin operator. Operand order is that of the format.</summary>
public interface ITfLiteOp
{
    /// <summary>Options record and version number, the version as the standard converter computes it.</summary>
    TfLiteEncoding Write(TfLiteTarget target);
}

/// <summary>The reading half of the table.</summary>
public interface ITfLiteOp<TSelf> : ITfLiteOp
    where TSelf : IOp
{
    static abstract BuiltinOperator Code { get; }

    /// <summary>The newest version whose meaning the op covers; a newer one is kept as an opaque node.</summary>
    static abstract int MaximumVersion { get; }

    /// <exception cref="OpRuleException">The options ask for something that the op does not know.</exception>
    static abstract TSelf Read(TfLiteSource source);
}

/// <summary>How one node is written.</summary>
/// <param name="Options">Options of either union, or <see langword="null"/> where the operator has none.</param>
public sealed record TfLiteEncoding(int Version, IOperatorOptions? Options = null);

/// <summary>What writing an op may look at.</summary>
/// <param name="Operands">Types of the inputs (with quantization), constants, and the output types as declared.</param>
/// <param name="GraphNames">Names of the graphs of the module; a subgraph index is a position in it.</param>
public sealed record TfLiteTarget(OpOperands Operands, IReadOnlyList<string> GraphNames)
{
    public TensorType Output(int index = 0) => Operands.Declared[index];

    /// <exception cref="OpRuleException">There is no such graph.</exception>
    public int GraphIndex(string name)
    {
        for (int i = 0; i < GraphNames.Count; i++)
        {
            if (GraphNames[i] == name)
            {
                return i;
            }
        }

        throw new OpRuleException("a control-flow operator names a graph that does not exist") { Found = name };
    }
}

/// <summary>What reading an op may look at.</summary>
/// <param name="Operator">The record with its options.</param>
/// <param name="GraphNames">Names of the graphs of the module, by subgraph index.</param>
public sealed record TfLiteSource(OperatorRecord Operator, IReadOnlyList<string> GraphNames)
{
    /// <summary>Options of the expected kind; all defaults when the operator carries none.</summary>
    public T Options<T>()
        where T : class, IOperatorOptions, new() => Operator.Require<T>();

    /// <exception cref="OpRuleException">There is no such subgraph.</exception>
    public string GraphName(int index) => (uint)index < (uint)GraphNames.Count
        ? GraphNames[index]
        : throw new OpRuleException("a control-flow operator names a subgraph that does not exist")
        {
            Found = $"{index}",
            Expected = $"0 to {GraphNames.Count - 1}",
        };
}
