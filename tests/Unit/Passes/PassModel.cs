using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Passes;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Passes;

/// <summary>A small graph in the making, and what a rule does to it.</summary>
internal sealed class PassModel
{
    private readonly GraphBuilder _builder = new("main");
    private readonly List<(string, Value)> _outputs = [];
    private readonly List<(string, Value)> _inputs = [];

    public Value Input(string name, params ReadOnlySpan<int> shape) => Input(name, new TensorType(DType.F32, Shape.Create(shape)));

    public Value Input(string name, TensorType type)
    {
        Value value = _builder.Input(name, type);
        _inputs.Add((name, value));
        return value;
    }

    public static Value Floats(string name, Shape shape, params ReadOnlySpan<float> values) =>
        GraphBuilder.Constant(TensorData.FromFloats(shape, values), name);

    public static Value Ints(string name, params ReadOnlySpan<int> values) =>
        GraphBuilder.Constant(TensorData.FromInts([values.Length], values), name);

    public static Value Paddings(string name, params ReadOnlySpan<int> values) =>
        GraphBuilder.Constant(TensorData.FromInts([values.Length / 2, 2], values), name);

    /// <summary>Numbers from -1 to 1.</summary>
    public static Value Random(string name, int seed, params ReadOnlySpan<int> shape)
    {
        Shape dims = Shape.Create(shape);
        return Floats(name, dims, Numbers(new(seed), (int)dims.ElementCount));
    }

    /// <summary>8-bit weights without -128, one scale.</summary>
    public static Value Bytes(string name, int seed, float scale, params ReadOnlySpan<int> shape)
    {
        Random random = new(seed);
        Shape dims = Shape.Create(shape);
        sbyte[] values = new sbyte[dims.ElementCount];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (sbyte)random.Next(-127, 128);
        }

        return GraphBuilder.Constant(TensorData.From<sbyte>(DType.I8, dims, values), name, new(scale, 0));
    }

    public static Value Variable(string name, params ReadOnlySpan<int> shape) =>
        GraphBuilder.Variable(name, new(DType.F32, Shape.Create(shape)));

    public Value Add(string name, IOp op, params ImmutableArray<Value?> operands) => _builder.Add(op, operands, name).Outputs[0];

    public Value AddQuantized(string name, IOp op, QuantParams quant, params ImmutableArray<Value?> operands) =>
        _builder.Add(op, operands, name, quant).Outputs[0];

    public Value AddTyped(string name, IOp op, TensorType type, params ImmutableArray<Value?> operands) =>
        _builder.Add(op, operands, [GraphBuilder.Result(name, type)], name).Output;

    public Node AddNode(string name, IOp op, params ImmutableArray<Value?> operands) => _builder.Add(op, operands, name);

    public PassModel Output(params ReadOnlySpan<Value> values)
    {
        foreach (Value value in values)
        {
            _builder.Output(value);
            _outputs.Add((value.Name, value));
        }

        return this;
    }

    public Module Build()
    {
        Graph graph = _builder.Build();
        Module module = GraphBuilder.Module([graph], [new Signature("serve", graph, [.. _inputs], [.. _outputs])]);
        Verifier.ThrowIfBroken(module);
        return module;
    }

    /// <summary>Applies a rule to one node; it must fire and leave the results as they are.</summary>
    /// <param name="tolerance">Largest difference, relative to the largest result; 0 asks for the same bits.</param>
    public static Module Fires(IRewriteRule rule, Module module, string layer, double tolerance = 0)
    {
        Module changed = module.Clone();
        Node node = Find(changed, layer);
        Assert.True(rule.Concerns(node.Op), $"{rule.Name} is not concerned with {node}");
        GraphPatch patch = new();
        Rewrite rewrite = rule.Apply(changed.Main, node, patch);
        Assert.True(rewrite.Changed, $"declined: {rewrite.Reason}");
        patch.ApplyTo(changed, changed.Main, node);
        SameInterface(module, changed);
        Same(module, changed, tolerance, rule.Name);
        return changed;
    }

    /// <summary>The reason for which a rule leaves a node alone, and the graph untouched.</summary>
    public static string Declines(IRewriteRule rule, Module module, string layer)
    {
        Node node = Find(module, layer);
        Assert.True(rule.Concerns(node.Op), $"{rule.Name} is not concerned with {node}");
        GraphPatch patch = new();
        Rewrite rewrite = rule.Apply(module.Main, node, patch);
        Assert.False(rewrite.Changed);
        patch.Discard();
        Verifier.ThrowIfBroken(module);
        return rewrite.Reason!;
    }

    public static Node Find(Module module, string layer) => module.Main.Nodes.Single(n => n.Name == layer);

    /// <summary>The nodes in order, by the names of their ops.</summary>
    public static string Ops(Module module) => string.Join(" ", module.Main.Nodes.Select(n => n.Op.Schema.Name));

    /// <summary>Checks that both are well formed and have inputs, outputs and signatures of the same names and types.</summary>
    public static void SameInterface(Module before, Module after)
    {
        Verifier.ThrowIfBroken(after);
        Assert.Equal(before.Main.Inputs.Select(v => (v.Name, v.Type)), after.Main.Inputs.Select(v => (v.Name, v.Type)));
        Assert.Equal(before.Main.Outputs.Select(v => (v.Name, v.Type)), after.Main.Outputs.Select(v => (v.Name, v.Type)));
        foreach ((Signature old, Signature now) in before.Signatures.Zip(after.Signatures))
        {
            Assert.Equal(old.Outputs.Select(o => o.Name), now.Outputs.Select(o => o.Name));
            Assert.All(now.Outputs, o => Assert.Contains(o.Value, now.Graph.Outputs));
            Assert.All(now.Inputs, i => Assert.Contains(i.Value, now.Graph.Inputs));
        }
    }

    /// <summary>Checks that both give the same results for random inputs; a NaN equals a NaN.</summary>
    public static void Same(Module before, Module after, double tolerance, string what)
    {
        (byte[][] expected, byte[][] actual) = (Run(before), Run(after));
        for (int i = 0; i < expected.Length; i++)
        {
            if (tolerance == 0 || before.Main.Outputs[i].Type.DType is not DType.F32)
            {
                Assert.True(expected[i].AsSpan().SequenceEqual(actual[i]), $"output {i} has other bits, {what}");
                continue;
            }

            ReadOnlySpan<float> old = MemoryMarshal.Cast<byte, float>(expected[i]);
            ReadOnlySpan<float> now = MemoryMarshal.Cast<byte, float>(actual[i]);
            Assert.Equal(old.Length, now.Length);
            double largest = 0;
            double scale = 1e-3;
            for (int k = 0; k < old.Length; k++)
            {
                largest = Math.Max(largest, Math.Abs((double)old[k] - now[k]));
                scale = Math.Max(scale, Math.Abs(old[k]));
            }

            Assert.True(largest <= tolerance * scale, $"output {i} is off by {largest:0.0e0} of {scale:0.0e0}, {what}");
        }
    }

    public static byte[][] Run(Module module, int seed = 7)
    {
        using Interpreter interpreter = new(module);
        Random random = new(seed);
        for (int i = 0; i < interpreter.InputCount; i++)
        {
            TensorType type = interpreter.InputType(i);
            if (type.DType is DType.F32)
            {
                float[] numbers = Numbers(random, (int)type.ElementCount, 2);
                numbers[0] = -0f;
                numbers.CopyTo(interpreter.Input<float>(i));
            }
            else
            {
                random.NextBytes(interpreter.Input(i));
            }
        }

        interpreter.Run();
        return [.. Enumerable.Range(0, interpreter.OutputCount).Select(i => interpreter.Output(i).ToArray())];
    }

    public static float[] Numbers(Random random, int count, float scale = 1)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = ((random.NextSingle() * 2) - 1) * scale;
        }

        return values;
    }
}
