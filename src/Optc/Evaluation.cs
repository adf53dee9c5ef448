using System.Collections.Immutable;
using Optc.Data;
using Optc.Ir;
using Optc.Passes.Quantize;
using Optc.Runtime;

namespace Optc;

/// <summary>The score of a model on labelled data.</summary>
/// <param name="Metric">Name of the metric.</param>
/// <param name="Value">Its value.</param>
/// <param name="Samples">Number of samples.</param>
public sealed record Evaluation(string Metric, double Value, int Samples)
{
    private const int BlockOfSamples = 256;

    /// <summary>Which classes were taken for which, when that was asked for.</summary>
    public ConfusionMatrix? Confusion { get; init; }

    /// <summary>Runs every sample; the result does not depend on the number of threads.</summary>
    internal static Evaluation Run(Module module, Dataset data, Metric metric, WorkOptions options, bool confusion = false)
    {
        DataColumn labels = data.Labels ?? throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "the data have no labels")
        {
            At = [data.Source],
            Found = string.Join(", ", data.Columns.Select(c => $"'{c.Name}'")),
            Expected = "an array 'y', or the name of another one",
            Hint = "--y NAME",
        });
        return Run(
            module,
            data.For(module).Samples().Zip(labels.Rows().Select(RealValues.Of)),
            data.Count,
            data.Source,
            metric,
            options,
            confusion ? data.ClassNames : null);
    }

    /// <param name="samples">Inputs and label of each sample.</param>
    /// <param name="count">How many there are, for progress.</param>
    /// <param name="source">Where they come from, for messages.</param>
    /// <param name="confusion">Asks for a confusion matrix of classes of these names; empty for classes without names.</param>
    internal static Evaluation Run(
        Module module,
        IEnumerable<(CalibrationSample Inputs, double[] Label)> samples,
        int count,
        string source,
        Metric metric,
        WorkOptions options,
        ImmutableArray<string>? confusion = null)
    {
        using SampleRunner runner = new(module, options);
        List<(double, double)> scores = [];
        List<(int Actual, int Predicted)> classes = [];
        int classCount = 0;
        foreach ((CalibrationSample Inputs, double[] Label)[] block in samples.Chunk(BlockOfSamples))
        {
            (double, double)[] results = new (double, double)[block.Length];
            (int Actual, int Predicted)[] pairs = new (int, int)[confusion is null ? 0 : block.Length];
            runner.Run([.. block.Select(b => b.Inputs)], (interpreter, i) =>
            {
                try
                {
                    float[] output = Scores(interpreter, block[i].Inputs.Index);
                    results[i] = metric.Score(output, block[i].Label);
                    if (confusion is not null)
                    {
                        pairs[i] = (Optc.Metric.ClassOf(block[i].Label, output.Length), Optc.Metric.PredictedClass(output));
                        Volatile.Write(ref classCount, Math.Max(output.Length, 2));
                    }
                }
                catch (OpRuleException problem)
                {
                    throw Refused(problem, $"sample {block[i].Inputs.Index}");
                }
            });
            scores.AddRange(results);
            classes.AddRange(pairs);
            options.Progress?.Report(new("evaluating", scores.Count, count));
        }

        try
        {
            return scores.Count > 0
                ? new(metric.Name, metric.Combine(scores), scores.Count)
                {
                    Confusion = confusion is { } names ? ConfusionMatrix.Of(classes, classCount, names) : null,
                }
                : throw new OpRuleException("there is no sample to evaluate");
        }
        catch (OpRuleException problem)
        {
            throw Refused(problem, source);
        }

        DiagnosticException Refused(OpRuleException problem, string place) => new(new Diagnostic(DiagnosticId.DataMismatch, problem.Message)
        {
            At = place == source ? [place] : [source, place],
            Found = problem.Found,
            Expected = problem.Expected,
        });
    }

    private static float[] Scores(Interpreter interpreter, long sample)
    {
        float[] scores = RealValues.Of(interpreter.OutputType(0), interpreter.Output(0));
        return System.Numerics.Tensors.TensorPrimitives.IsFiniteAll<float>(scores)
            ? scores
            : throw new DiagnosticException(new Diagnostic(DiagnosticId.RunFailed, "the model computes something that is no finite number")
            {
                At = [$"sample {sample}", $"output '{interpreter.Graph.Outputs[0].Name}'"],
                Found = "NaN or infinity",
                Hint = "check the data and their preprocessing",
            });
    }
}
