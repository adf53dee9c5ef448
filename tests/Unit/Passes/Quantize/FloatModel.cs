using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes.Quantize;
using Optc.Runtime;

namespace Optc.Tests.Unit.Passes.Quantize;

/// <summary>A small float model in the making, with data and ways to look at what quantization made of it.</summary>
internal sealed class FloatModel
{
    private readonly GraphBuilder _builder = new("main");
    private readonly List<(string, Value)> _inputs = [];
    private readonly List<(string, Value)> _outputs = [];
    private Graph? _graph;

    public Value Input(string name, params ReadOnlySpan<int> shape)
    {
        Value value = _builder.Input(name, new(DType.F32, Shape.Create(shape)));
        _inputs.Add(($"the {name}", value));
        return value;
    }

    public static Value Constant(string name, Shape shape, params ReadOnlySpan<float> values) =>
        GraphBuilder.Constant(TensorData.FromFloats(shape, values), name);

    public static Value Ints(string name, params ReadOnlySpan<int> values) =>
        GraphBuilder.Constant(TensorData.FromInts([values.Length], values), name);

    /// <summary>Weights or other numbers from -1 to 1.</summary>
    public static Value Random(string name, int seed, params ReadOnlySpan<int> shape)
    {
        Shape dims = Shape.Create(shape);
        return Constant(name, dims, Numbers(seed, (int)dims.ElementCount));
    }

    public static float[] Numbers(int seed, int count, float scale = 1)
    {
        Random random = new(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = ((random.NextSingle() * 2) - 1) * scale;
        }

        return values;
    }

    public Value Add(string name, IOp op, params ImmutableArray<Value?> operands) => _builder.Add(op, operands, name).Outputs[0];

    /// <summary>A layer whose result has a type that no operand decides.</summary>
    public Value AddTyped(string name, IOp op, Value operand, TensorType result) =>
        _builder.Add(op, [operand], [GraphBuilder.Result(name, result)], name).Output;

    public Value Dense(string name, Value x, int seed, int inputs, int outputs, FusedActivation activation = FusedActivation.None) => Add(
        name, new FullyConnected(activation), x, Random($"{name}/w", seed, outputs, inputs), Random($"{name}/b", seed + 1, outputs));

    public Value Conv(string name, Value x, int seed, int inputs, int outputs, FusedActivation activation = FusedActivation.None) => Add(
        name,
        new Conv2D(1, 1, PaddingMode.Same, activation),
        x,
        Random($"{name}/w", seed, outputs, 3, 3, inputs),
        Random($"{name}/b", seed + 1, outputs));

    public FloatModel Output(Value value)
    {
        _builder.Output(value);
        _outputs.Add(($"the {value.Name}", value));
        return this;
    }

    public Module Build()
    {
        _graph ??= _builder.Build();
        Module module = GraphBuilder.Module(
            [_graph], [new Signature("serve", _graph, [.. _inputs], [.. _outputs])], [("note", new byte[] { 1 })], "a model");
        Verifier.ThrowIfBroken(module);
        return module;
    }

    /// <summary>Samples of numbers from -1 to 1 for every input.</summary>
    public static CalibrationData Data(Module module, int count = 16, int seed = 100) => new([.. Enumerable.Range(0, count).Select(i => CalibrationSample.Of(
        i, [.. module.Main.Inputs.Select((v, k) => TensorData.FromFloats(v.Type.Shape, Numbers(seed + (i * 10) + k, (int)v.Type.ElementCount)))]))]);

    public static (Module Module, QuantizationReport Report) Quantize(Module module, QuantizationRecipe? recipe = null) =>
        Quantizer.Quantize(module, recipe ?? QuantizationRecipe.StaticInt8, Data(module));

    /// <summary>Outputs as real numbers for real inputs, quantized and dequantized by the types of the interface.</summary>
    public static float[][] Run(Module module, params ReadOnlySpan<float[]> inputs)
    {
        using Interpreter interpreter = new(module);
        for (int i = 0; i < inputs.Length; i++)
        {
            TensorType type = interpreter.InputType(i);
            TensorData data = TensorData.FromFloats(type.Shape, inputs[i]);
            (type.DType switch
            {
                DType.F32 => data,
                DType.U8 => Flipped(AffineGrid.Quantize(data, DType.I8, new(type.Scale, type.ZeroPoint - 128))),
                _ => AffineGrid.Quantize(data, type.DType, type.Quant!),
            }).Bytes.Span.CopyTo(interpreter.Input(i));
        }

        interpreter.Run();
        float[][] outputs = new float[interpreter.OutputCount][];
        for (int i = 0; i < outputs.Length; i++)
        {
            TensorType type = interpreter.OutputType(i);
            TensorData data = new(type.DType is DType.U8 ? DType.I8 : type.DType, type.Shape, interpreter.Output(i).ToArray());
            outputs[i] = type.DType switch
            {
                DType.F32 => data.AsFloats().ToArray(),
                DType.U8 => AffineGrid.Dequantize(Flipped(data), new(type.Scale, type.ZeroPoint - 128)),
                _ => AffineGrid.Dequantize(data, type.Quant!),
            };
        }

        return outputs;
    }

    /// <summary>The nodes in order, by the names of their ops.</summary>
    public static string Ops(Module module) => string.Join(" ", module.Main.Nodes.Select(n => n.Op.Schema.Name));

    public static Value Find(Module module, string name) => module.Main.Values().First(v => v.Name == name);

    public static Node Layer(Module module, string name) => module.Main.Nodes.First(n => n.Name == name);

    private static TensorData Flipped(TensorData data)
    {
        byte[] bytes = data.Bytes.ToArray();
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 0x80;
        }

        return new(data.DType, data.Shape, bytes);
    }
}
