using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Gradients;

public class UnrolledSequenceTests
{
    private static readonly FusedActivation[] Activations = [FusedActivation.Tanh, FusedActivation.None, FusedActivation.ReluN1To1];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 24)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Gives_what_the_kernel_gives_from_a_state_of_zeros(int seed)
    {
        Random random = new(seed);
        GraphBuilder builder = new("main");
        (IOp op, ImmutableArray<Value?> operands, ImmutableArray<Value> inputs) = Layer(builder, random);
        Value expected = builder.Add(op, operands, "kernel").Output;
        Value unrolled = ((IUnrollable)op).Unroll(builder, [.. operands.Select(v => v is { IsVariable: true } ? null : v)], "unrolled");
        Assert.Equal(expected.Type.Shape, unrolled.Type.Shape);
        builder.Output(expected);
        builder.Output(unrolled);
        using Interpreter interpreter = new(GraphBuilder.Module([builder.Build()]));
        for (int i = 0; i < inputs.Length; i++)
        {
            foreach (ref float value in interpreter.Input<float>(i))
            {
                value = (random.NextSingle() * 2) - 1;
            }
        }

        interpreter.Run();
        Assert.All(
            interpreter.Output<float>(0).ToArray().Zip(interpreter.Output<float>(1).ToArray()),
            pair => Assert.True(Math.Abs(pair.First - pair.Second) < 2e-5f, $"seed {seed}, {op}: {pair.First:R} and {pair.Second:R}"));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Gradient_agrees_with_differences(int seed) => GradientCheck.Verify(seed, (builder, random) =>
    {
        (IOp op, ImmutableArray<Value?> operands, ImmutableArray<Value> inputs) = Layer(builder, random);
        return (inputs, [((IUnrollable)op).Unroll(builder, [.. operands.Select(v => v is { IsVariable: true } ? null : v)], "y")]);
    });

    [Fact]
    public void An_activation_without_gradient_is_refused()
    {
        GraphBuilder builder = new("main");
        Value Operand(params int[] shape) => builder.Input("x", new(DType.F32, Shape.Of([.. shape])));
        UnidirectionalSequenceRnn op = new(TimeMajor: false, FusedActivation.SignBit);
        Assert.Throws<OpRuleException>(() => op.Unroll(builder, [Operand(1, 2, 3), Operand(2, 3), Operand(2, 2), Operand(2), null], "y"));
    }

    private static (IOp Op, ImmutableArray<Value?> Operands, ImmutableArray<Value> Inputs) Layer(GraphBuilder builder, Random random)
    {
        List<Value> inputs = [];
        Value Operand(string name, params int[] shape)
        {
            Value value = builder.Input(name, new(DType.F32, Shape.Of([.. shape])));
            inputs.Add(value);
            return value;
        }

        bool Chance() => random.Next(2) == 0;
        bool timeMajor = Chance();
        (int batch, int time, int depth, int cells) = (random.Next(1, 3), random.Next(1, 4), random.Next(1, 4), random.Next(2, 4));
        FusedActivation activation = Activations[random.Next(Activations.Length)];
        Value x = Operand("x", timeMajor ? time : batch, timeMajor ? batch : time, depth);
        if (random.Next(4) == 0)
        {
            Value state = GraphBuilder.Variable("h", new(DType.F32, [batch, cells]));
            ImmutableArray<Value?> basic = [x, Operand("w", cells, depth), Operand("r", cells, cells), Operand("b", cells), state];
            return (new UnidirectionalSequenceRnn(timeMajor, activation), basic, [.. inputs]);
        }

        bool diagonal = random.Next(4) == 0;
        (bool coupled, bool peepholes, bool projects, bool normalizes) = (Chance(), Chance(), !diagonal && Chance(), Chance());
        int width = projects ? random.Next(1, 4) : cells;
        Value?[] operands = new Value?[24];
        operands[0] = x;
        for (int gate = coupled ? 1 : 0; gate < 4; gate++)
        {
            operands[1 + gate] = Operand($"w{gate}", cells, depth);
            operands[5 + gate] = diagonal ? Operand($"r{gate}", cells) : Operand($"r{gate}", cells, width);
            operands[12 + gate] = Operand($"b{gate}", cells);
            operands[20 + gate] = normalizes ? Operand($"n{gate}", cells) : null;
            if (peepholes && gate != 2)
            {
                operands[gate == 3 ? 11 : 9 + gate] = Operand($"p{gate}", cells);
            }
        }

        if (projects)
        {
            operands[16] = Operand("projection", width, cells);
            operands[17] = Chance() ? Operand("projection_bias", width) : null;
        }

        operands[18] = GraphBuilder.Variable("h", new(DType.F32, [batch, width]));
        operands[19] = GraphBuilder.Variable("c", new(DType.F32, [batch, cells]));
        UnidirectionalSequenceLstm op = new(activation, Chance() ? 0.3f : 0, projects && Chance() ? 0.4f : 0, timeMajor, DiagonalRecurrent: diagonal);
        return (op, [.. operands], [.. inputs]);
    }
}
