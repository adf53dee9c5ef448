using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Runtime.Training;
using Xunit;

namespace Optc.Tests.Unit.Runtime.Training;

public class TrainerTests
{
    public static TheoryData<Optimizer> Optimizers =>
    [
        Optimizer.Sgd(), Optimizer.Sgd(0.9f), Optimizer.Sgd(0.9f, nesterov: true), Optimizer.Adam(), Optimizer.AdamW(0.1f), Optimizer.RmsProp(),
        Optimizer.RmsProp(0.9f, 0.5f), Optimizer.Sgd() with { WeightDecay = 0.1f }, Optimizer.Adam() with { WeightDecay = 0.01f },
    ];

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void An_optimizer_follows_its_formula(Optimizer optimizer)
    {
        // One weight w, model w x, loss (w x - t)^2: the gradient is 2 x (w x - t).
        using Trainer trainer = new(Scale(0.7f), 1, new() { Loss = Loss.MeanSquaredError, Optimizer = optimizer });
        ScalarOptimizer plain = new(optimizer.ToString());
        double w = 0.7f;
        for (int step = 1; step <= 12; step++)
        {
            float x = 1 + (step % 3);
            const float t = 0.3f;
            float loss = trainer.Step(1, [Bytes(x), Bytes(t)], default, 0.05);
            Assert.Equal(((w * x) - t) * ((w * x) - t), loss, 1e-4);
            w = plain.Step(w, 2 * x * ((w * x) - t), 0.05, step);
            Assert.Equal(w, Weight(trainer), 1e-4);
        }
    }

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void An_optimizer_that_begins_anew_steps_as_a_new_one(Optimizer optimizer)
    {
        TrainingOptions options = new() { Loss = Loss.MeanSquaredError, Optimizer = optimizer };
        using Trainer late = new(Scale(0.7f), 1, options);
        for (int step = 0; step < 40; step++)
        {
            late.Step(1, [Bytes(1f), Bytes(0.3f)], default, 0.05);
        }

        late.ResetOptimizer();
        using Trainer resumed = new(Scale(0.7f), 1, options);
        resumed.LoadState(late.StepCount, late.SaveState().ToDictionary(s => s.Name, s => s.Content));
        using Trainer fresh = new(Scale(Weight(late)), 1, options);
        for (int step = 0; step < 12; step++)
        {
            foreach (Trainer trainer in new[] { late, resumed, fresh })
            {
                trainer.Step(1, [Bytes(1f + step), Bytes(2f)], default, 0.05);
            }

            Assert.Equal(Weight(fresh), Weight(late));
            Assert.Equal(Weight(fresh), Weight(resumed));
        }

        Assert.Equal(52, late.StepCount);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(8)]
    public void Gradients_are_those_of_a_step_and_change_nothing(int? piece)
    {
        // A step of plain descent is the rate times the gradient.
        using Trainer trainer = new(Classifier(1), 20, new() { Optimizer = Optimizer.Sgd(), MicroBatch = piece });
        (float[] x, int[] y) = Clusters(20, seed: 5);
        float[][] before = [.. trainer.Variables.Select(v => trainer.Content(v).ToArray())];

        IReadOnlyDictionary<string, float[]> gradients = trainer.Gradients(20, [Bytes(x), Bytes(y)], default);
        IReadOnlyDictionary<string, float[]> again = trainer.Gradients(20, [Bytes(x), Bytes(y)], default);

        Assert.All(trainer.Variables.Zip(before), p => Assert.Equal(p.Second, trainer.Content(p.First).ToArray()));
        Assert.All(gradients, g => Assert.Equal(g.Value, again[g.Key]));
        trainer.Step(20, [Bytes(x), Bytes(y)], default, 0.5);
        foreach ((TrainedVariable variable, float[] old) in trainer.Variables.Zip(before))
        {
            Assert.Contains(gradients[variable.Name], g => g != 0);
            Assert.All(old.Zip(gradients[variable.Name], trainer.Content(variable).ToArray()), w => Assert.Equal(w.First - (0.5f * w.Second), w.Third, 1e-5));
        }
    }

    [Fact]
    public void A_classifier_learns_what_can_be_told_apart()
    {
        using Trainer trainer = new(Classifier(1), 20, new() { Optimizer = Optimizer.Adam() });
        (float[] x, int[] y) = Clusters(20, seed: 5);
        float first = trainer.Step(20, [Bytes(x), Bytes(y)], default, 0.05);
        float last = first;
        for (int i = 0; i < 150; i++)
        {
            last = trainer.Step(20, [Bytes(x), Bytes(y)], default, 0.05);
        }

        Assert.InRange(last, 0, first / 20);
    }

    [Fact]
    public void What_is_exported_computes_what_was_trained()
    {
        using Trainer trainer = new(Classifier(1), 20, new());
        (float[] x, int[] y) = Clusters(20, seed: 5);
        for (int i = 0; i < 5; i++)
        {
            trainer.Step(20, [Bytes(x), Bytes(y)], default, 0.05);
        }

        Module model = trainer.Export();
        trainer.Step(20, [Bytes(x), Bytes(y)], default, 0.05);
        float[] logits = trainer.Outputs(20)[..3].ToArray();

        using Optc.Runtime.Interpreter interpreter = new(model);
        x.AsSpan(0, 4).CopyTo(interpreter.Input<float>(0));
        interpreter.Run();
        double[] exponentials = [.. logits.Select(l => Math.Exp(l))];
        for (int c = 0; c < 3; c++)
        {
            Assert.Equal(exponentials[c] / exponentials.Sum(), interpreter.Output<float>(0)[c], 1e-5);
        }
    }

    [Fact]
    public void A_run_that_is_resumed_ends_with_the_same_bits()
    {
        TrainingOptions options = new() { Optimizer = Optimizer.Adam(), MovingAverage = 0.9f, ClipNorm = 1 };
        (float[] x, int[] y) = Clusters(20, seed: 5);
        using Trainer whole = new(Classifier(1), 20, options);
        using Trainer first = new(Classifier(1), 20, options);
        using Trainer second = new(Classifier(1), 20, options);
        for (int i = 0; i < 10; i++)
        {
            whole.Step(20, [Bytes(x), Bytes(y)], default, 0.05);
            (i < 4 ? first : second).Step(20, [Bytes(x), Bytes(y)], default, 0.05);
            if (i == 3)
            {
                second.LoadState(first.StepCount, first.SaveState().ToDictionary(s => s.Name, s => s.Content));
            }
        }

        Assert.Equal(whole.SaveState().Select(s => s.Content.Bytes.ToArray()), second.SaveState().Select(s => s.Content.Bytes.ToArray()));
    }

    [Fact]
    public void A_last_smaller_batch_shares_the_weights()
    {
        using Trainer trainer = new(Classifier(1), 20, new() { Optimizer = Optimizer.Sgd() });
        (float[] x, int[] y) = Clusters(20, seed: 5);
        trainer.Step(20, [Bytes(x), Bytes(y)], default, 0.5);
        float before = trainer.Step(7, [Bytes(x.AsSpan(0, 28)), Bytes(y.AsSpan(0, 7))], default, 0.5);
        float after = trainer.Step(7, [Bytes(x.AsSpan(0, 28)), Bytes(y.AsSpan(0, 7))], default, 0.5);

        Assert.True(after < before);
        Assert.Equal(3, trainer.StepCount);
    }

    [Fact]
    public void A_batch_in_pieces_takes_the_same_steps_in_less_memory()
    {
        TrainingOptions options = new() { Optimizer = Optimizer.Sgd(0.9f), ClipNorm = 1, SampleWeights = true };
        (float[] x, int[] y) = Clusters(20, seed: 5);
        float[] weights = [.. Enumerable.Range(0, 20).Select(i => i / 10f)];
        using Trainer whole = new(Classifier(1), 20, options);
        using Trainer pieces = new(Classifier(1), 20, options with { MicroBatch = 8 });
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(
                whole.Step(20, [Bytes(x), Bytes(y)], weights, 0.1), pieces.Step(20, [Bytes(x), Bytes(y)], weights, 0.1), 1e-5);
        }

        Assert.All(Weights(whole).Zip(Weights(pieces)), p => Assert.Equal(p.First, p.Second, 1e-5));
        Assert.True(pieces.ArenaBytes < whole.ArenaBytes);
    }

    [Fact]
    public void A_teacher_adds_the_divergence_of_its_scores()
    {
        (float[] x, int[] y) = Clusters(4, seed: 5);
        const float temperature = 2;
        using Trainer plain = new(Classifier(1), 4, new());
        using Trainer teacher = new(Classifier(2), 4, new());
        using Trainer pupil = new(Classifier(1), 4, new() { Teacher = new(Classifier(2), 0.25f, temperature) });
        float labels = plain.Step(4, [Bytes(x), Bytes(y)], default, 0);
        teacher.Step(4, [Bytes(x), Bytes(y)], default, 0);

        double divergence = 0;
        for (int i = 0; i < 4; i++)
        {
            double[] p = Probabilities(teacher.Outputs(4).Slice(i * 3, 3));
            double[] q = Probabilities(plain.Outputs(4).Slice(i * 3, 3));
            divergence += p.Zip(q, (a, b) => a * Math.Log(a / b)).Sum() / 4;
        }

        Assert.Equal(
            (0.75 * labels) + (0.25 * temperature * temperature * divergence), pupil.Step(4, [Bytes(x), Bytes(y)], default, 0), 1e-5);

        static double[] Probabilities(ReadOnlySpan<float> logits)
        {
            double[] e = [.. logits.ToArray().Select(l => Math.Exp(l / temperature))];
            return [.. e.Select(v => v / e.Sum())];
        }
    }

    [Fact]
    public void A_pupil_becomes_like_its_teacher_without_labels()
    {
        (float[] x, int[] y) = Clusters(20, seed: 5);
        using Trainer pupil = new(Classifier(1), 20, new() { Teacher = new(Classifier(2), 1) });
        float first = pupil.Step(20, [Bytes(x), Bytes(y)], default, 0.02);
        float last = first;
        for (int i = 0; i < 100; i++)
        {
            last = pupil.Step(20, [Bytes(x), Bytes(y)], default, 0.02);
        }

        Assert.InRange(last, 0, first / 20);
    }

    [Fact]
    public void A_teacher_of_other_classes_is_refused() =>
        Assert.Throws<DiagnosticException>(() => new Trainer(Classifier(1), 4, new() { Teacher = new(Scale(1)) }));

    [Fact]
    public void Frozen_layers_keep_their_bits_and_others_do_not()
    {
        using Trainer trainer = new(Classifier(1), 20, new() { Rates = [new("hidden", 0)] });
        (float[] x, int[] y) = Clusters(20, seed: 5);
        Dictionary<string, byte[]> before = trainer.SaveState().ToDictionary(s => s.Name, s => s.Content.Bytes.ToArray());
        trainer.Step(20, [Bytes(x), Bytes(y)], default, 0.05);

        foreach ((string name, TensorData content) in trainer.SaveState().Where(s => trainer.Variables.Any(v => v.Name == s.Name)))
        {
            Assert.Equal(name.StartsWith("hidden", StringComparison.Ordinal), before[name].AsSpan().SequenceEqual(content.Bytes.Span));
        }
    }

    [Fact]
    public void Gradients_are_shortened_together()
    {
        // Without momentum the step is rate times the shortened gradient, whose length is the limit.
        using Trainer trainer = new(Classifier(1), 20, new() { Optimizer = Optimizer.Sgd(), ClipNorm = 0.01f });
        (float[] x, int[] y) = Clusters(20, seed: 5);
        float[] before = Weights(trainer);
        trainer.Step(20, [Bytes(x), Bytes(y)], default, 1);
        double length = Math.Sqrt(before.Zip(Weights(trainer), (a, b) => ((double)a - b) * ((double)a - b)).Sum());

        Assert.Equal(0.01, length, 1e-5);
    }

    [Fact]
    public void Weights_of_samples_scale_their_losses_and_may_be_negative()
    {
        using Trainer trainer = new(Scale(1), 2, new() { Loss = Loss.MeanSquaredError, Optimizer = Optimizer.Sgd(), SampleWeights = true });

        float loss = trainer.Step(2, [Bytes(2f, 1f), Bytes(0f, 0f)], new float[] { 0.5f, -1 }, 0.1);

        Assert.Equal(((0.5f * 4) - 1) / 2, loss, 1e-6);
        Assert.Equal(1 - (0.1 * ((0.5 * 2 * 2 * 2) - 2) / 2), Weight(trainer), 1e-5);
    }

    [Fact]
    public void A_projection_is_all_that_is_ever_stored()
    {
        using Trainer trainer = new(Classifier(1), 20, new()
        {
            MovingAverage = 0.5f,
            Project = (e, variable, next) => variable.Operand == "w" ? e.Multiply(next, Mask(variable.Shape)) : next,
        });
        (float[] x, int[] y) = Clusters(20, seed: 5);
        trainer.Step(20, [Bytes(x), Bytes(y)], default, 0.05);

        foreach ((_, TensorData content) in trainer.SaveState().Where(s => s.Name.EndsWith("/w", StringComparison.Ordinal)))
        {
            ReadOnlySpan<float> w = content.AsFloats();
            for (int i = 0; i < w.Length; i++)
            {
                Assert.Equal(i % 2 == 0, w[i] == 0);
            }
        }

        static Value Mask(Shape shape) => GraphBuilder.Constant(
            TensorData.FromFloats(shape, [.. Enumerable.Range(0, (int)shape.ElementCount).Select(i => i % 2 == 0 ? 0f : 1f)]), "mask");
    }

    [Fact]
    public void A_rate_that_is_too_large_ends_with_a_diagnostic()
    {
        using Trainer trainer = new(Scale(1), 1, new() { Loss = Loss.MeanSquaredError, Optimizer = Optimizer.Sgd() });

        DiagnosticException problem = Assert.Throws<DiagnosticException>(() =>
        {
            for (int i = 0; i < 200; i++)
            {
                trainer.Step(1, [Bytes(10f), Bytes(0f)], default, 10);
            }
        });

        Assert.Contains("the loss became", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rule_without_a_layer_is_refused() => Assert.Equal(
        DiagnosticId.RuleMatchesNothing,
        Assert.Throws<DiagnosticException>(() => new Trainer(Classifier(1), 4, new() { Rates = [new("nothing", 0)] })).Diagnostics[0].Id);

    [Fact]
    public void Freezing_everything_is_refused() =>
        Assert.Throws<DiagnosticException>(() => new Trainer(Classifier(1), 4, new() { Rates = [new(".", 0)] }));

    private static float Weight(Trainer trainer) => trainer.Content(trainer.Variables[0])[0];

    private static float[] Weights(Trainer trainer) => [.. trainer.Variables.SelectMany(v => trainer.Content(v).ToArray())];

    private static ReadOnlyMemory<byte> Bytes(params ReadOnlySpan<float> values) => MemoryMarshal.AsBytes(values).ToArray();

    private static ReadOnlyMemory<byte> Bytes(ReadOnlySpan<int> values) => MemoryMarshal.AsBytes(values).ToArray();

    private static Module Scale(float w)
    {
        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, 1]));
        builder.Output(builder.Add(new FullyConnected(), [x, GraphBuilder.Constant(TensorData.FromFloats([1, 1], [w]), "w")], "scale").Output);
        return GraphBuilder.Module([builder.Build()]);
    }

    private static Module Classifier(int seed)
    {
        Random random = new(seed);
        Value Weights(string name, params ReadOnlySpan<int> shape)
        {
            Shape dims = Shape.Create(shape);
            return GraphBuilder.Constant(
                TensorData.FromFloats(dims, [.. Enumerable.Range(0, (int)dims.ElementCount).Select(_ => (random.NextSingle() - 0.5f) * 1.5f)]), name);
        }

        GraphBuilder builder = new("main");
        Value x = builder.Input("x", new(DType.F32, [1, 4]));
        Value hidden = builder.Add(new FullyConnected(FusedActivation.Relu), [x, Weights("w1", 8, 4), Weights("b1", 8)], "hidden").Output;
        Value logits = builder.Add(new FullyConnected(), [hidden, Weights("w2", 3, 8), Weights("b2", 3)], "logits").Output;
        builder.Output(builder.Add(new Softmax(1), [logits], "probabilities").Output);
        return GraphBuilder.Module([builder.Build()]);
    }

    private static (float[] X, int[] Y) Clusters(int count, int seed)
    {
        Random random = new(seed);
        int[] y = [.. Enumerable.Range(0, count).Select(i => i % 3)];
        return ([.. y.SelectMany(c => Enumerable.Range(0, 4).Select(k => (k == c ? 1.5f : 0) + (random.NextSingle() * 0.3f)))], y);
    }

    /// <summary>The formulas once more, for one number in double precision.</summary>
    private sealed class ScalarOptimizer(string description)
    {
        private double _first;
        private double _second;

        public double Step(double w, double g, double rate, int step)
        {
            g += Number("WeightDecay") * w;
            double momentum = Number("Momentum");
            if (description.StartsWith("Sgd", StringComparison.Ordinal))
            {
                _first = (momentum * _first) + g;
                return w - (rate * (description.Contains("Nesterov = True", StringComparison.Ordinal) ? g + (momentum * _first) : _first));
            }

            if (description.StartsWith("Rms", StringComparison.Ordinal))
            {
                _second = (Number("Rho") * _second) + ((1 - Number("Rho")) * g * g);
                double direction = g / (Math.Sqrt(_second) + Number("Epsilon"));
                _first = (momentum * _first) + direction;
                return w - (rate * _first);
            }

            (double b1, double b2) = (Number("Beta1"), Number("Beta2"));
            w -= rate * Number(" Decay") * w;
            _first = (b1 * _first) + ((1 - b1) * g);
            _second = (b2 * _second) + ((1 - b2) * g * g);
            double mean = _first / (1 - Math.Pow(b1, step));
            double square = _second / (1 - Math.Pow(b2, step));
            return w - (rate * mean / (Math.Sqrt(square) + Number("Epsilon")));
        }

        private double Number(string property)
        {
            int at = description.IndexOf(property + " = ", StringComparison.Ordinal);
            string text = at < 0 ? "0" : description[(at + property.Length + 3)..].Split(',', ' ', '}')[0];
            return double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
        }
    }
}
