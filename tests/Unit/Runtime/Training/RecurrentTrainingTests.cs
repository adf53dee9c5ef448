using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Runtime;
using Optc.Runtime.Training;
using Xunit;

namespace Optc.Tests.Unit.Runtime.Training;

/// <summary>Recurrent layers are trained through their steps and exported whole.</summary>
public class RecurrentTrainingTests
{
    private const int Batch = 12;
    private const int Time = 5;
    private const int Cells = 4;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_recurrent_layer_learns_and_is_exported_as_the_layer_it_was(bool isLstm)
    {
        using Trainer trainer = new(Sequences(isLstm), Batch, new() { Optimizer = Optimizer.Adam(), Loss = Loss.MeanSquaredError });
        (float[] x, float[] y) = RunningSums(seed: 3);
        float first = trainer.Step(Batch, [Bytes(x), Bytes(y)], default, 0.03);
        float last = first;
        for (int i = 0; i < 200; i++)
        {
            last = trainer.Step(Batch, [Bytes(x), Bytes(y)], default, 0.03);
        }

        Assert.InRange(last, 0, first / 10);
        Module model = trainer.Export();
        trainer.Step(Batch, [Bytes(x), Bytes(y)], default, 0);
        float expected = trainer.Outputs(Batch)[0];
        Assert.Contains(model.Main.Nodes, n => n.Op is UnidirectionalSequenceLstm or UnidirectionalSequenceRnn);
        using Interpreter interpreter = new(model);
        x.AsSpan(0, Time).CopyTo(interpreter.Input<float>(0));
        interpreter.Run();
        Assert.Equal(expected, interpreter.Output<float>(0)[0], 1e-5);
    }

    private static ReadOnlyMemory<byte> Bytes(float[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    /// <summary>Sequences <c>[1, T, 1]</c> to a number: a recurrent layer, its last step, a dense layer.</summary>
    private static Module Sequences(bool isLstm)
    {
        Random random = new(1);
        Value Weights(string name, params int[] shape)
        {
            Shape dims = Shape.Of([.. shape]);
            return GraphBuilder.Constant(
                TensorData.FromFloats(dims, [.. Enumerable.Range(0, (int)dims.ElementCount).Select(_ => random.NextSingle() - 0.5f)]), name);
        }

        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, Time, 1]));
        Value h = GraphBuilder.Variable("h", new(DType.F32, [1, Cells]));
        Value?[] operands = [x, Weights("w", Cells, 1), Weights("r", Cells, Cells), Weights("b", Cells), h];
        IOp op = new UnidirectionalSequenceRnn(TimeMajor: false, FusedActivation.Tanh);
        if (isLstm)
        {
            operands = new Value?[24];
            operands[0] = x;
            for (int gate = 0; gate < 4; gate++)
            {
                operands[1 + gate] = Weights($"w{gate}", Cells, 1);
                operands[5 + gate] = Weights($"r{gate}", Cells, Cells);
                operands[12 + gate] = Weights($"b{gate}", Cells);
            }

            operands[18] = h;
            operands[19] = GraphBuilder.Variable("c", new(DType.F32, [1, Cells]));
            op = new UnidirectionalSequenceLstm(FusedActivation.Tanh);
        }

        Value all = builder.Add(op, [.. operands], "layer").Output;
        Value Ints(params int[] values) => GraphBuilder.Constant(TensorData.FromInts([values.Length], values), "ints");
        Value last = builder.Add(new StridedSlice(1, 1, 0, 0, 2), [all, Ints(0, -1), Ints(0, 0), Ints(1, 1)], "last").Output;
        builder.Output(builder.Add(new FullyConnected(), [last, Weights("dense", 1, Cells), Weights("bias", 1)], "sum").Output);
        return GraphBuilder.Module([builder.Build()]);
    }

    private static (float[] X, float[] Y) RunningSums(int seed)
    {
        Random random = new(seed);
        float[] x = [.. Enumerable.Range(0, Batch * Time).Select(_ => random.NextSingle() - 0.5f)];
        return (x, [.. x.Chunk(Time).Select(sequence => sequence.Sum())]);
    }
}
