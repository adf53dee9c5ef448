using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Ops;

/// <summary>One operator for a step of Adam against the formula in single ones.</summary>
public sealed class AdamUpdateTests
{
    private const float Beta1 = 0.9f;
    private const float Beta2 = 0.999f;
    private const float Epsilon = 1e-8f;

    /// <summary>Sizes with and without a rest, of one chunk and of several; numbers so large that squares pass all limits, and none.</summary>
    [Theory]
    [InlineData(1, 1, 1f)]
    [InlineData(8, 1, 1f)]
    [InlineData(13, 1, 1e-20f)]
    [InlineData(1003, 1, 1e20f)]
    [InlineData(40_000, 1, 1f)]
    [InlineData(40_003, 3, 100f)]
    public void Has_the_bits_of_single_operators(int length, int threads, float magnitude)
    {
        using Run fused = new(length, threads, (e, value, gradient, rate, step) =>
            e.Add(new AdamUpdate(Beta1, Beta2, Epsilon), value, gradient, rate, step, e.Handle("mean"), e.Handle("square")));
        using Run single = new(length, threads: 1, Single);
        Random random = new(length);
        float[] value = [.. Enumerable.Range(0, length).Select(_ => random.NextSingle() - 0.5f)];
        float[] same = value;
        for (int step = 1; step <= 5; step++)
        {
            float[] gradient = [.. Enumerable.Range(0, length).Select(i => i % 7 == 3 ? 0 : magnitude * (random.NextSingle() - 0.5f))];
            value = fused.Step(value, gradient, step);
            same = single.Step(same, gradient, step);
            Assert.Equal(Bits(same), Bits(value));
            Assert.Equal(Bits(single.Moment("mean")), Bits(fused.Moment("mean")));
            Assert.Equal(Bits(single.Moment("square")), Bits(fused.Moment("square")));
        }
    }

    [Fact]
    public void A_gradient_of_another_shape_is_refused()
    {
        OpRuleException problem = Assert.Throws<OpRuleException>(() => new OpCase(new AdamUpdate(Beta1, Beta2, Epsilon))
            .Input<float>(DType.F32, [2], 1, 2).Input<float>(DType.F32, [3], 1, 2, 3)
            .Input<float>(DType.F32, [], 1).Input<float>(DType.F32, [], 1)
            .Input<int>(DType.Resource, [], 0).Input<int>(DType.Resource, [], 1).Infer());
        Assert.Equal("[3] for [2]", problem.Found);
    }

    private static Value Single(Expressions e, Value value, Value gradient, Value rate, Value step)
    {
        Value mean = e.Blend(Beta1, e.Read("mean", value.Type.Shape), gradient);
        Value square = e.Blend(Beta2, e.Read("square", value.Type.Shape), e.Square(gradient));
        e.Assign("mean", mean);
        e.Assign("square", square);
        Value Correction(float beta) => e.Minus(e.Scalar(1), e.Add(new Pow(), e.Scalar(beta), step));
        Value divisor = e.Plus(e.Divide(e.SquareRoot(square), e.SquareRoot(Correction(Beta2))), e.Scalar(Epsilon));
        return e.Minus(value, e.Multiply(e.Divide(mean, divisor), e.Divide(rate, Correction(Beta1))));
    }

    private static int[] Bits(ReadOnlySpan<float> values) => MemoryMarshal.Cast<float, int>(values).ToArray();

    private sealed class Run : IDisposable
    {
        private readonly ResourceTable _resources = new();
        private readonly Interpreter _interpreter;

        public Run(int length, int threads, Func<Expressions, Value, Value, Value, Value, Value> update)
        {
            GraphBuilder builder = new("update");
            Value[] inputs = [.. new[] { "value", "gradient" }.Select(n => builder.Input(n, new(DType.F32, [length]))), .. new[] { "rate", "step" }.Select(n => builder.Input(n, new(DType.F32, [])))];
            builder.Output(update(new(builder, "adam"), inputs[0], inputs[1], inputs[2], inputs[3]));
            Module module = GraphBuilder.Module([builder.Build()]);
            _interpreter = new(module, module.Main, new() { Threads = threads }, _resources);
        }

        public float[] Step(float[] value, float[] gradient, int step)
        {
            value.CopyTo(_interpreter.Input<float>(0));
            gradient.CopyTo(_interpreter.Input<float>(1));
            _interpreter.Input<float>(2)[0] = 0.01f;
            _interpreter.Input<float>(3)[0] = step;
            _interpreter.Run();
            return _interpreter.Output<float>(0).ToArray();
        }

        public float[] Moment(string name) => MemoryMarshal.Cast<byte, float>(_resources.Content(_resources.Handle("", name))).ToArray();

        public void Dispose() => _interpreter.Dispose();
    }
}
