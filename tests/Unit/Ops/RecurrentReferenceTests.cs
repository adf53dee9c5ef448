using System.Collections.Immutable;
using Optc.Formats.Npy;
using Optc.Frontend;
using Optc.Ir;
using Optc.Ops;
using Optc.Runtime;
using Optc.Tests.Snapshots;
using Xunit;

namespace Optc.Tests.Unit.Ops;

/// <summary>Recurrent ops of third-party models, alone, against the bytes that the TFLite Micro kernels computed.</summary>
public sealed class RecurrentReferenceTests
{
    [SharedTheory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Int8_lstm_gives_the_bytes_of_the_reference(int sample)
    {
        string folder = Path.Combine(SharedFolder.Path, "models", "micro_speech_lstm_taps");
        Module model = FrontendSet.Read(File.ReadAllBytes(Path.Combine(folder, "micro_speech_lstm_taps.tflite")), "lstm");
        Node node = Assert.Single(model.Main.Nodes, n => n.Op is UnidirectionalSequenceLstm);
        Assert.Same(model.Main.Inputs[0], node.Inputs[0]);
        using Interpreter interpreter = Alone(node);
        Npy(folder, $"s{sample}_in0").CopyTo(interpreter.Input(0));
        interpreter.Run();

        int tap = model.Main.Outputs.ToList().IndexOf(node.Output);
        Assert.True(interpreter.Output(0).SequenceEqual(Npy(folder, $"s{sample}_out{tap}")), $"sample {sample}");
    }

    [SharedTheory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Int8_svdf_gives_the_bytes_of_the_reference(int sample)
    {
        string folder = Path.Combine(SharedFolder.Path, "models", "keyword_scrambled_taps");
        Module model = FrontendSet.Read(File.ReadAllBytes(Path.Combine(folder, "keyword_scrambled_taps.tflite")), "svdf");
        List<Value> taps = [.. model.Main.Outputs];
        ImmutableArray<Node> nodes = [.. model.Main.Nodes.Where(n => n.Op is Svdf && taps.Contains(n.Inputs[0]!) && taps.Contains(n.Output))];
        Assert.NotEmpty(nodes);
        foreach (Node node in nodes)
        {
            ReadOnlySpan<byte> inputs = Npy(folder, $"s{sample}_out{taps.IndexOf(node.Inputs[0]!)}");
            ReadOnlySpan<byte> outputs = Npy(folder, $"s{sample}_out{taps.IndexOf(node.Output)}");
            using Interpreter interpreter = Alone(node);
            int size = interpreter.Input(0).Length;
            int results = interpreter.Output(0).Length;
            int steps = inputs.Length / size;
            Assert.True(steps > 1);
            for (int step = 0; step < steps; step++)
            {
                inputs.Slice(step * size, size).CopyTo(interpreter.Input(0));
                interpreter.Run();
                Assert.True(interpreter.Output(0).SequenceEqual(outputs.Slice(step * results, results)), $"'{node.Name}', sample {sample}, step {step}");
            }
        }
    }

    private static Interpreter Alone(Node node)
    {
        GraphBuilder builder = new("alone");
        Value x = builder.Input("x", node.Inputs[0]!.Type);
        ImmutableArray<Value?> operands = [x, .. node.Inputs[1..].Select(v => v switch
        {
            null => null,
            { IsVariable: true } => GraphBuilder.Variable(v.Name, v.Type),
            _ => GraphBuilder.Constant(v.Constant!, v.Name, v.Type.Quant),
        })];
        builder.Output(builder.Add(node.Op, operands, [GraphBuilder.Result("y", node.Output.Type)], node.Name).Output);
        return new(GraphBuilder.Module([builder.Build()]));
    }

    private static ReadOnlySpan<byte> Npy(string folder, string name) => NpyFile.Read(File.ReadAllBytes(Path.Combine(folder, name + ".npy"))).Data.Span;
}
