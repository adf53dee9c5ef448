using System.Buffers.Binary;
using Optc.Certificates;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops.Kernels;
using Optc.Runtime;
using Optc.Tests.Snapshots;
using Optc.Tests.Unit.Formats.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Library.Certificates;

/// <summary>Binds the arithmetic of the checker to that of the interpreter, which others wrote and reference kernels confirm.</summary>
public sealed class BoundsEngineTests
{
    private static readonly BuiltinOperator[] Exact =
    [
        BuiltinOperator.Conv2D, BuiltinOperator.DepthwiseConv2D, BuiltinOperator.FullyConnected, BuiltinOperator.Add, BuiltinOperator.Sub, BuiltinOperator.Mul,
        BuiltinOperator.AveragePool2D, BuiltinOperator.MaxPool2D, BuiltinOperator.Mean, BuiltinOperator.Pad, BuiltinOperator.Reshape, BuiltinOperator.Quantize,
        BuiltinOperator.LeakyRelu, BuiltinOperator.StridedSlice, BuiltinOperator.Concatenation, BuiltinOperator.Transpose,
    ];

    /// <summary>With one input instead of all, bounds are the values themselves.</summary>
    [SharedTheory]
    [MemberData(nameof(ModelFiles.All), MemberType = typeof(ModelFiles))]
    public void Bounds_of_one_input_are_its_values(string name) => Compare(ModelFiles.Load(name), Roundings.Double, RoundingProfile.Tflm, isExact: true);

    /// <summary>Where the formula of a runtime is only known roughly, bounds are wider, and hold.</summary>
    [SharedTheory]
    [MemberData(nameof(ModelFiles.All), MemberType = typeof(ModelFiles))]
    public void Bounds_of_one_input_hold_in_float_rounding(string name) => Compare(ModelFiles.Load(name), Roundings.Float32, RoundingProfile.Xnnpack, isExact: false);

    [SharedTheory]
    [InlineData("models/kws_ref_model/kws_ref_model.tflite", 12)]
    [InlineData("models/vww_96_int8/vww_96_int8.tflite", 30)]
    public void Nearly_every_operator_of_a_network_has_a_rule(string name, int operators) =>
        Assert.InRange(Compare(ModelFiles.Load(name), Roundings.Double, RoundingProfile.Tflm, isExact: true), operators, 100);

    [Fact]
    public void Bounds_of_all_inputs_hold_the_values_of_each()
    {
        for (int seed = 0; seed < 4; seed++)
        {
            byte[] file = new PlantedModel(seed).Original;
            GraphView view = new(TfLiteFile.Read(file), 0, "model");
            BoundsEngine all = new(view, Roundings.Double | Roundings.Single | Roundings.Float32);
            all.Run();
            foreach (RoundingProfile rounding in Enum.GetValues<RoundingProfile>())
            {
                Values(file, rounding, seed, (op, values) =>
                {
                    Bounds bounds = all[view.Operators[op].Outputs[0]]!;
                    Assert.All(values.Select((v, i) => (v, i)), e => Assert.InRange(e.v, bounds.Low[e.i], bounds.High[e.i]));
                });
            }
        }
    }

    /// <returns>Operators of which every value was known.</returns>
    private static int Compare(byte[] file, Roundings roundings, RoundingProfile profile, bool isExact)
    {
        ModelRecord record = TfLiteFile.Read(file);
        GraphView view = new(record, 0, "model");
        if (record.Subgraphs.Length > 1 || view.Graph.Inputs.Any(t => Quantization.Range(view.Tensor(t).Type) is null || view.Tensor(t).Type == TensorElementType.Int16))
        {
            return 0;
        }

        int known = 0;
        for (int seed = 0; seed < 2; seed++)
        {
            known = 0;
            BoundsEngine engine = new(view, roundings);
            Random random = new(seed);
            Dictionary<int, Bounds> inputs = [];
            foreach (int tensor in view.Graph.Inputs)
            {
                byte[] bytes = new byte[view.Count(tensor)];
                random.NextBytes(bytes);
                int[] point = Array.ConvertAll(bytes, b => view.Tensor(tensor).Type == TensorElementType.Int8 ? (sbyte)b : (int)b);
                inputs[tensor] = new(point, point);
            }

            engine.Run(inputs);
            Values(file, profile, seed, (op, values) =>
            {
                int output = view.Operators[op].Outputs[0];
                Bounds bounds = engine[output]!;
                bool mustBeExact = isExact && Exact.Contains(view.Kind(op)) && view.Tensor(output).Type != TensorElementType.Int16
                    && view.Operators[op].Inputs.All(t => t < 0 || !view.IsActivation(t) || IsPoint(engine[t]));
                known += mustBeExact ? 1 : 0;
                for (int i = 0; i < values.Length; i++)
                {
                    if (bounds.Low[i] > values[i] || bounds.High[i] < values[i] || (mustBeExact && bounds.Low[i] != bounds.High[i]))
                    {
                        Assert.Fail($"operator {op} ({view.Kind(op)}), element {i}: {bounds.Low[i]} to {bounds.High[i]}, value {values[i]}");
                    }
                }
            });
        }

        return known;
    }

    private static bool IsPoint(Bounds? bounds) => bounds is not null && bounds.Low.AsSpan().SequenceEqual(bounds.High);

    /// <summary>First result of every operator of 8 or 16 bits, on random bytes.</summary>
    private static void Values(byte[] file, RoundingProfile rounding, int seed, Action<int, int[]> check)
    {
        Module module = Model.Read(file).Module;
        using Interpreter interpreter = new(module, options: new() { Rounding = rounding, KeepIntermediates = true });
        Random random = new(seed);
        for (int i = 0; i < interpreter.InputCount; i++)
        {
            random.NextBytes(interpreter.Input(i));
        }

        interpreter.Run();
        for (int o = 0; o < module.Main.Nodes.Count; o++)
        {
            Value value = module.Main.Nodes[o].Outputs[0];
            if (!interpreter.Holds(value))
            {
                continue;
            }

            byte[] bytes = interpreter.Bytes(value).ToArray();
            int[]? values = value.Type.DType == DType.I8 ? Array.ConvertAll(bytes, b => (int)(sbyte)b)
                : value.Type.DType == DType.U8 ? Array.ConvertAll(bytes, b => (int)b)
                : value.Type.DType == DType.I16 ? [.. Enumerable.Range(0, bytes.Length / 2).Select(i => (int)BinaryPrimitives.ReadInt16LittleEndian(bytes.AsSpan(2 * i)))]
                : null;
            if (values is not null)
            {
                check(o, values);
            }
        }
    }
}
