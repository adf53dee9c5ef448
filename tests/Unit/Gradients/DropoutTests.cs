using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Gradients;

public class DropoutTests
{
    private const int Length = 50_001;

    /// <summary>Known answers of Random123 for philox4x32 with 10 rounds.</summary>
    [Theory]
    [InlineData(0ul, 0ul, 0ul, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x85a308d3243f6a88ul, 0x0370734413198a2eul, 0x299f31d0a4093822ul, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Generator_gives_the_known_answers(ulong low, ulong high, ulong key, uint w0, uint w1, uint w2, uint w3) =>
        Assert.Equal((w0, w1, w2, w3), Philox.Next(low, high, key));

    [Theory]
    [InlineData(0.1f)]
    [InlineData(0.5f)]
    [InlineData(0.9f)]
    public void As_many_elements_are_dropped_as_the_rate_says_and_the_others_are_scaled(float rate)
    {
        (float[] y, _) = Run(new Dropout(rate), DType.I64, seed: 7);
        int dropped = y.Count(v => v == 0);
        double deviation = Math.Sqrt(Length * rate * (1 - rate));
        Assert.InRange(dropped, (rate * Length) - (5 * deviation), (rate * Length) + (5 * deviation));
        Assert.All(y, v => Assert.True(v == 0 || v == 3 * (1 / (1 - rate))));
    }

    [Fact]
    public void The_gradient_passes_where_the_value_passed()
    {
        (float[] y, float[] gradient) = Run(new Dropout(0.4f, Stream: 2), DType.I32, seed: -5);
        Assert.Equal(y.Select(v => v / 3), gradient);
    }

    [Fact]
    public void Threads_do_not_change_the_choice()
    {
        (float[] y, _) = Run(new Dropout(0.3f), DType.I64, seed: 11);
        Assert.Equal(y, Run(new Dropout(0.3f), DType.I64, seed: 11, threads: 2).Y);
        Assert.Equal(y, Run(new Dropout(0.3f), DType.I64, seed: 11, threads: 5).Y);
    }

    [Fact]
    public void Seeds_and_streams_choose_independently()
    {
        float[] Chosen(int stream, long seed) => Run(new Dropout(0.5f, stream), DType.I64, seed).Y;
        float[] y = Chosen(0, 1);
        foreach (float[] other in (float[][])[Chosen(0, 2), Chosen(1, 1), Chosen(0, 1L << 32)])
        {
            int same = y.Zip(other).Count(p => p.First == p.Second);
            Assert.InRange(same, (Length / 2) - 600, (Length / 2) + 600);
        }
    }

    [Fact]
    public void Rate_0_changes_nothing() => Assert.All(Run(new Dropout(0), DType.I32, seed: 1).Y, v => Assert.Equal(3, v));

    [Theory]
    [InlineData(1f, 0)]
    [InlineData(-0.1f, 0)]
    [InlineData(float.NaN, 0)]
    [InlineData(0.5f, -1)]
    public void Rates_and_streams_out_of_range_are_refused(float rate, int stream) => Assert.Throws<OpRuleException>(() =>
        new Dropout(rate, stream).InferTypes(new(new TensorType(DType.F32, [3]), new TensorType(DType.I64, Shape.Scalar))));

    private static (float[] Y, float[] Gradient) Run(Dropout op, DType seedType, long seed, int threads = 1)
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [Length]));
        Value seedValue = builder.Input("seed", new(seedType, Shape.Scalar));
        Value y = builder.Add(op, [x, seedValue], "y").Output;
        Value axes = GraphBuilder.Constant(TensorData.FromInts([1], [0]), "axes");
        Value loss = builder.Add(new Sum(KeepDims: false), [y, axes], "loss").Output;
        builder.Output(y);
        builder.Output(Optc.Ops.Gradients.Differentiation.Add(builder, loss, [x])[0]!);
        using Interpreter interpreter = new(GraphBuilder.Module([builder.Build()]), options: new() { Threads = threads });
        interpreter.Input<float>(0).Fill(3);
        if (seedType is DType.I64)
        {
            interpreter.Input<long>(1)[0] = seed;
        }
        else
        {
            interpreter.Input<int>(1)[0] = (int)seed;
        }

        interpreter.Run();
        return (interpreter.Output<float>(0).ToArray(), interpreter.Output<float>(1).ToArray());
    }
}
