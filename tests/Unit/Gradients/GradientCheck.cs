using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Gradients;
using Optc.Runtime;
using Xunit;

namespace Optc.Tests.Unit.Gradients;

/// <summary>Compares the gradient that a graph computes with central differences in double precision.</summary>
internal static class GradientCheck
{
    // Central differences of step h are wrong by h^2 f'''/6 + 1e-16/h; the gradient itself is computed in float32.
    private const double Step = 1e-4;
    private const double Tolerance = 2e-4;

    /// <summary>
    /// Checks the gradient of <c>sum(r * y)</c>, r random, over all results y with regard to all inputs.
    /// </summary>
    /// <param name="seed">Makes shapes, attributes and values; printed when the check fails.</param>
    /// <param name="build">Adds inputs and ops and returns both ends. Inputs are f32.</param>
    /// <param name="draw">Value of an input element; -1 to 1 when left out.</param>
    public static void Verify(
        int seed,
        Func<GraphBuilder, Random, (ImmutableArray<Value> Inputs, ImmutableArray<Value> Results)> build,
        Func<Random, double>? draw = null)
    {
        Random random = new(seed);
        GraphBuilder builder = new("main");
        (ImmutableArray<Value> inputs, ImmutableArray<Value> results) = build(builder, random);
        ImmutableArray<Node> forward = [.. builder.Nodes];
        double[][] factors = [.. results.Select(r => Numbers(random, r, x => (x.NextDouble() * 2) - 1))];
        Dictionary<Value, double[]> point = inputs.ToDictionary(v => v, v => Numbers(random, v, draw ?? (x => (x.NextDouble() * 2) - 1)));

        Value loss = Loss(builder, results, factors);
        ImmutableArray<Value?> gradients = Differentiation.Add(builder, loss, inputs);
        float[][] computed = Evaluate(builder, inputs, gradients, point);

        double Reference(Dictionary<Value, double[]> at)
        {
            Dictionary<Value, double[]> values = DoubleReference.Run(forward, at);
            return results.Select((r, i) => values[r].Zip(factors[i], (y, f) => y * f).Sum()).Sum();
        }

        for (int i = 0; i < inputs.Length; i++)
        {
            double[] x = point[inputs[i]];
            double[] expected = new double[x.Length];
            for (int k = 0; k < x.Length; k++)
            {
                double before = x[k];
                x[k] = before + Step;
                double above = Reference(point);
                x[k] = before - Step;
                double below = Reference(point);
                x[k] = before;
                expected[k] = (above - below) / (2 * Step);
            }

            double scale = Math.Max(1, expected.Max(Math.Abs));
            for (int k = 0; k < x.Length; k++)
            {
                Assert.True(
                    Math.Abs(computed[i][k] - expected[k]) <= Tolerance * scale,
                    $"seed {seed}, {string.Join(", ", forward)}: input {i} {inputs[i].Type.Shape}, element {k}: {computed[i][k]:R}, expected {expected[k]:R}");
            }
        }
    }

    /// <summary>Gradients of a scalar at a point where it has a kink, or none, so that differences tell nothing.</summary>
    /// <param name="build">Adds inputs and ops and returns both ends; the result has one element.</param>
    /// <param name="point">Elements of each input.</param>
    public static float[][] Gradients(
        Func<GraphBuilder, (ImmutableArray<Value> Inputs, Value Loss)> build, params double[][] point)
    {
        GraphBuilder builder = new("main");
        (ImmutableArray<Value> inputs, Value loss) = build(builder);
        ImmutableArray<Value?> gradients = Differentiation.Add(builder, loss, inputs);
        return Evaluate(builder, inputs, gradients, inputs.Select((v, i) => (v, i)).ToDictionary(p => p.v, p => point[p.i]));
    }

    private static double[] Numbers(Random random, Value value, Func<Random, double> draw) =>
        [.. Enumerable.Range(0, (int)value.Type.ElementCount).Select(_ => (double)(float)draw(random))];

    private static Value Loss(GraphBuilder builder, ImmutableArray<Value> results, double[][] factors)
    {
        Value? loss = null;
        for (int i = 0; i < results.Length; i++)
        {
            Value factor = GraphBuilder.Constant(TensorData.FromFloats(results[i].Type.Shape, [.. factors[i].Select(f => (float)f)]), "factor");
            factors[i] = [.. factors[i].Select(f => (double)(float)f)];
            Value product = builder.Add(new Mul(), [results[i], factor], "product").Output;
            Value axes = GraphBuilder.Constant(TensorData.FromInts([product.Type.Shape.Rank], [.. Enumerable.Range(0, product.Type.Shape.Rank)]), "axes");
            Value sum = builder.Add(new Sum(KeepDims: false), [product, axes], "sum").Output;
            loss = loss is null ? sum : builder.Add(new Add(), [loss, sum], "loss").Output;
        }

        return loss!;
    }

    private static float[][] Evaluate(GraphBuilder builder, ImmutableArray<Value> inputs, ImmutableArray<Value?> gradients, Dictionary<Value, double[]> point)
    {
        foreach (Value? gradient in gradients)
        {
            if (gradient is not null)
            {
                builder.Output(gradient);
            }
        }

        Module module = GraphBuilder.Module([builder.Build()]);
        Verifier.ThrowIfBroken(module);
        using Interpreter interpreter = new(module);
        for (int i = 0; i < inputs.Length; i++)
        {
            Span<float> target = interpreter.Input<float>(i);
            double[] values = point[inputs[i]];
            for (int k = 0; k < values.Length; k++)
            {
                target[k] = (float)values[k];
            }
        }

        interpreter.Run();
        int next = 0;
        return
        [
            .. gradients.Select((gradient, i) => gradient is null
                ? new float[inputs[i].Type.ElementCount]
                : interpreter.Output<float>(next++).ToArray()),
        ];
    }
}
