using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops.Kernels;
using Optc.Runtime;

namespace Optc.Passes.Shrink;

/// <summary>One node alone, which the interpreter runs.</summary>
internal sealed class NodeKernel : IDisposable
{
    private readonly Interpreter _interpreter;

    private NodeKernel(Interpreter interpreter) => _interpreter = interpreter;

    /// <summary>The node under types that may differ from those in its graph.</summary>
    /// <param name="retype">Type of an operand or result.</param>
    /// <param name="op">What to run, if not the op of the node.</param>
    /// <returns><see langword="null"/> when the interpreter has no such kernel.</returns>
    public static NodeKernel? TryCreate(Node node, Func<Value, TensorType> retype, RoundingProfile rounding, IOp? op = null)
    {
        GraphBuilder builder = new("node");
        Value?[] inputs = new Value?[node.Inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i] = node.Inputs[i] is not { } value ? null : Operand(builder, value, retype(value), i);
        }

        ImmutableArray<Value> outputs = [.. node.Outputs.Select((v, i) => GraphBuilder.Result($"y{i}", retype(v)))];
        try
        {
            builder.Add(op ?? node.Op, [.. inputs], outputs, "node");
            foreach (Value output in outputs)
            {
                builder.Output(output);
            }

            return new(new(GraphBuilder.Module([builder.Build()]), options: new() { Rounding = rounding }));
        }
        catch (Exception problem) when (problem is DiagnosticException or OpRuleException)
        {
            return null;
        }
    }

    /// <summary>Results for 8-bit operands.</summary>
    public int[][] Run(ReadOnlySpan<int[]> inputs)
    {
        for (int i = 0; i < inputs.Length; i++)
        {
            Span<byte> to = _interpreter.Input(i);
            for (int k = 0; k < to.Length; k++)
            {
                to[k] = unchecked((byte)inputs[i][k]);
            }
        }

        _interpreter.Run();
        int[][] outputs = new int[_interpreter.OutputCount][];
        for (int i = 0; i < outputs.Length; i++)
        {
            bool isSigned = _interpreter.OutputType(i).DType is DType.I8;
            outputs[i] = Array.ConvertAll(_interpreter.Output(i).ToArray(), b => isSigned ? (sbyte)b : (int)b);
        }

        return outputs;
    }

    /// <summary>The first result for float operands.</summary>
    public float[] Run(ReadOnlySpan<float[]> inputs)
    {
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i].CopyTo(_interpreter.Input<float>(i));
        }

        _interpreter.Run();
        return MemoryMarshal.Cast<byte, float>(_interpreter.Output(0)).ToArray();
    }

    public void Dispose() => _interpreter.Dispose();

    private static Value Operand(GraphBuilder builder, Value value, TensorType type, int index)
    {
        if (value.Constant is not { } constant)
        {
            return builder.Input($"x{index}", type);
        }

        return type.DType == constant.DType
            ? GraphBuilder.Constant(constant, $"c{index}", type.Quant)
            : GraphBuilder.Constant(TensorData.FromFloats(constant.Shape, Reals(constant.ToDense(), value.Type)), $"c{index}");
    }

    private static float[] Reals(TensorData data, TensorType type)
    {
        (float scale, int zero) = (type.Scale, type.ZeroPoint);
        return data.DType is DType.I8
            ? Array.ConvertAll(data.Span<sbyte>().ToArray(), q => scale * (q - zero))
            : Array.ConvertAll(data.Span<byte>().ToArray(), q => scale * (q - zero));
    }
}
