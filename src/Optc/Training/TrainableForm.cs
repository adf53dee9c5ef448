using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Passes;
using Optc.Passes.Quantize;
using Optc.Runtime;
using Optc.Runtime.Training;

namespace Optc.Training;

/// <summary>A model as training with structure wants it: everything folded that integers will fold, and batch normalization live again.</summary>
internal static class TrainableForm
{
    /// <summary>The model, perhaps in another form that computes the same within rounding.</summary>
    /// <param name="samples">Data from which means and variances are taken, evenly spaced.</param>
    /// <param name="count">How many of them.</param>
    /// <exception cref="DiagnosticException">The model cannot be executed, or the data do not fit.</exception>
    public static Module Of(Module module, TrainingData samples, int count, WorkOptions work)
    {
        if (HasRealCodebook(module.Main))
        {
            // Folding would give each channel values of its own.
            return module;
        }

        Module prepared = StatisticsRecord.Attach(Pipelines.PrepareForQuantization.Run(module, work.ForPasses), []);
        ImmutableArray<(string Layer, Value Value)> layers = LiveNormalization.Insert(prepared);
        return layers.IsEmpty ? prepared : StatisticsRecord.Attach(prepared, Measure(prepared, layers, samples, count, work));
    }

    /// <summary>Evenly spaced samples as calibration data.</summary>
    public static CalibrationData Calibration(TrainingData samples, int count) => new(Samples(samples, count), Math.Min(count, samples.Count));

    private static bool HasRealCodebook(Graph graph) =>
        graph.Nodes.SelectMany(n => n.Inputs).Any(v => v?.Constant?.Structure is { Codebook: not null, Grid: null });

    private static IEnumerable<CalibrationSample> Samples(TrainingData data, int count)
    {
        int[] order = data.Samples.ToArray();
        int taken = Math.Min(count, order.Length);
        for (int i = 0; i < taken; i++)
        {
            int sample = order[(int)((long)i * order.Length / taken)];
            CalibrationTensor[] inputs = new CalibrationTensor[data.InputShapes.Length];
            for (int k = 0; k < inputs.Length; k++)
            {
                float[] x = new float[data.InputShapes[k].ElementCount];
                data.ReadInput(k, sample, x);
                inputs[k] = new(null, TensorData.FromFloats(Shape.Of([1, .. data.InputShapes[k].Dims]), x));
            }

            yield return new(i, [[.. inputs]]);
        }
    }

    private static ImmutableDictionary<string, ChannelStatistics> Measure(
        Module module, ImmutableArray<(string Layer, Value Value)> layers, TrainingData data, int count, WorkOptions work)
    {
        Dictionary<Node, (string Layer, double[] Sums, double[] Squares)> moments = layers.ToDictionary(
            l => l.Value.Producer!,
            l => (l.Layer, new double[l.Value.Type.Shape[-1]], new double[l.Value.Type.Shape[-1]]));
        Dictionary<string, long> rows = layers.ToDictionary(l => l.Layer, _ => 0L);
        using Interpreter interpreter = new(module, module.Main, work.ForOneThread);
        SampleReader reader = new(module, interpreter, "training sample");
        interpreter.NodeDone = node =>
        {
            if (moments.TryGetValue(node, out (string Layer, double[] Sums, double[] Squares) own))
            {
                ReadOnlySpan<float> y = MemoryMarshal.Cast<byte, float>(interpreter.Bytes(node.Output));
                for (int i = 0; i < y.Length; i++)
                {
                    int c = i % own.Sums.Length;
                    own.Sums[c] += y[i];
                    own.Squares[c] += (double)y[i] * y[i];
                }

                rows[own.Layer] += y.Length / own.Sums.Length;
            }
        };
        foreach (CalibrationSample sample in Samples(data, count))
        {
            work.Cancellation.ThrowIfCancellationRequested();
            interpreter.Reset();
            reader.Fill(sample.Index, sample.Steps[0]);
            interpreter.Run(work.Cancellation);
        }

        return moments.Values.ToImmutableDictionary(
            m => m.Layer,
            m => new ChannelStatistics(
                [.. m.Sums.Select(s => (float)(s / rows[m.Layer]))],
                [.. m.Squares.Select((s, c) => (float)Math.Max(0, (s / rows[m.Layer]) - (m.Sums[c] / rows[m.Layer] * m.Sums[c] / rows[m.Layer])))]));
    }
}
