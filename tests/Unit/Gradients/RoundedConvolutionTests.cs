using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Gradients;

/// <summary>A block that rounds what it reads against normalization, rounding and convolution one after another.</summary>
public class RoundedConvolutionTests
{
    private const float Epsilon = 0.05f;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 24)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Rounding_in_a_block_is_rounding_before_it(int seed)
    {
        Case made = new(seed);
        float[][] expected = made.Run(Form.Composed, threads: 1);
        float[][] found = made.Run(Form.Fused, threads: 1);
        for (int i = 0; i < expected.Length; i++)
        {
            if (made.IsExact(i))
            {
                Assert.Equal(expected[i], found[i]);
                continue;
            }

            double tolerance = 2e-5 * Math.Max(1, expected[i].Max(Math.Abs));
            Assert.All(expected[i].Zip(found[i]), p => Assert.Equal(p.First, p.Second, tolerance));
        }

        foreach (int threads in (ReadOnlySpan<int>)[2, 64])
        {
            Assert.Equal(found, made.Run(Form.Fused, threads));
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_block_without_statistics_differs_in_nothing_else(int seed)
    {
        Case made = new(seed) { UsesStatistics = false };
        Assert.Equal(made.Run(Form.Fused, threads: 1), made.Run(Form.WithoutStatistics, threads: 1));
    }

    [Fact]
    public void A_range_of_integers_needs_a_step()
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, 3, 3, 2]));
        Value w = builder.Input("w", new(DType.F32, [2, 1, 1, 2]));
        Assert.Throws<OpRuleException>(() => builder.Add(new NormalizedConvolution(1, 1, PaddingMode.Same, Low: -8, High: 7), [x, w], "y"));
    }

    private enum Form
    {
        Composed,
        Fused,
        WithoutStatistics,
    }

    private sealed class Case
    {
        private readonly int _seed;
        private readonly bool _normalizes;
        private readonly bool _ofInput;
        private readonly FusedActivation _activation;
        private readonly (int Low, int High, float LogScale, float Zero) _grid;
        private readonly NormalizedConvolution _op;
        private readonly Shape _x;
        private readonly Shape _w;

        public Case(int seed)
        {
            Random random = new(seed);
            _seed = seed;
            _normalizes = random.Next(3) != 0;
            _ofInput = _normalizes || random.Next(2) == 0;
            _activation = !_normalizes ? FusedActivation.None : random.Next(3) switch { 0 => FusedActivation.None, 1 => FusedActivation.Relu, _ => FusedActivation.Relu6 };
            bool fine = random.Next(2) == 0;
            _grid = fine ? (-128, 127, -4.5f, random.Next(-128, 10)) : (-8, 7, -1.5f, random.Next(-8, 4));
            bool depthwise = random.Next(2) == 0;
            int channels = random.Next(1, 12);
            (int h, int w) = (random.Next(1, 4), random.Next(1, 4));
            _x = [random.Next(1, 7), random.Next(8, 30), random.Next(8, 30), channels];
            _w = depthwise ? [1, h, w, channels] : [random.Next(1, 9), h, w, channels];
            _op = new(random.Next(1, 3), random.Next(1, 3), PaddingMode.Same, depthwise, Epsilon: Epsilon, Activation: _activation);
        }

        public bool UsesStatistics { get; init; } = true;

        /// <summary>Results, gradients of x and w; the others are sums that the two make in another order.</summary>
        public bool IsExact(int output) => output < (UsesStatistics ? 3 : 1) + (_ofInput ? 2 : 1);

        public float[][] Run(Form form, int threads)
        {
            Random random = new(_seed);
            GraphBuilder builder = new("main");
            List<Value> inputs = [];
            Value Input(string name, Shape shape)
            {
                inputs.Add(builder.Input(name, new(DType.F32, shape)));
                return inputs[^1];
            }

            Value x = Input("x", _x);
            Value w = Input("w", _w);
            ImmutableArray<Value?> vectors = _normalizes ? [.. new[] { "gamma", "beta", "mean", "variance" }.Select(n => Input(n, [_x[3]]))] : [];
            Value step = Input("log_scale", []);
            Value zero = GraphBuilder.Constant(TensorData.Scalar(_grid.Zero), "zero");
            Node node;
            if (form is Form.Composed)
            {
                Value seen = _normalizes ? builder.Add(new NormalizeChannels(Epsilon, _activation), [x, .. vectors], "normalized").Output : x;
                seen = builder.Add(new LearnedFakeQuant(_grid.Low, _grid.High), [seen, step, zero], "rounded").Output;
                node = builder.Add(_op with { Activation = FusedActivation.None }, [seen, w], "y");
            }
            else
            {
                NormalizedConvolution op = _op with { Low = _grid.Low, High = _grid.High, Statistics = form is not Form.WithoutStatistics };
                node = builder.Add(op, [x, w, .. _normalizes ? vectors : [null, null, null, null], step, zero], "y");
            }

            ImmutableArray<Value> results = UsesStatistics ? node.Outputs : [node.Outputs[0]];
            Value? loss = null;
            foreach (Value result in results)
            {
                float[] factors = [.. Enumerable.Range(0, (int)result.Type.ElementCount).Select(_ => (random.NextSingle() * 2) - 1)];
                Value product = builder.Add(new Mul(), [result, GraphBuilder.Constant(TensorData.FromFloats(result.Type.Shape, factors), "factor")], "product").Output;
                Value axes = GraphBuilder.Constant(TensorData.FromInts([result.Type.Shape.Rank], [.. Enumerable.Range(0, result.Type.Shape.Rank)]), "axes");
                Value sum = builder.Add(new Sum(KeepDims: false), [product, axes], "sum").Output;
                loss = loss is null ? sum : builder.Add(new Add(), [loss, sum], "loss").Output;
            }

            ImmutableArray<Value> wanted = [.. inputs.Where(v => _ofInput || v != x)];
            foreach (Value output in (ImmutableArray<Value>)[.. results, .. Differentiation.Add(builder, loss!, wanted).Select(g => g!)])
            {
                builder.Output(output);
            }

            Module module = GraphBuilder.Module([builder.Build()]);
            Verifier.ThrowIfBroken(module);
            using Interpreter interpreter = new(module, options: new() { Threads = threads });
            for (int i = 0; i < inputs.Count; i++)
            {
                foreach (ref float value in interpreter.Input<float>(i))
                {
                    value = inputs[i] == step ? _grid.LogScale : inputs[i].Name == "variance" ? 0.5f + random.NextSingle() : (random.NextSingle() * 3) - 1.5f;
                }
            }

            interpreter.Run();
            return [.. Enumerable.Range(0, results.Length + wanted.Length).Select(i => interpreter.Output<float>(i).ToArray())];
        }
    }
}
