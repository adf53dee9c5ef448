using System.Globalization;
using System.Numerics.Tensors;
using Optc.Ir;

namespace Optc;

/// <summary>A number that tells how good the first output of a model is.</summary>
public abstract record Metric(string Name)
{
    /// <summary>Part of the samples whose largest score is at the label; of one score, those on the right side of 0.5.</summary>
    public static Metric Accuracy { get; } = new TopMetric("accuracy", 1);

    /// <summary>Mean of squared differences, over all elements.</summary>
    public static Metric MeanSquaredError { get; } = new ErrorMetric("mse", x => x * x);

    /// <summary>Mean of absolute differences, over all elements.</summary>
    public static Metric MeanAbsoluteError { get; } = new ErrorMetric("mae", Math.Abs);

    /// <summary>
    /// Area under the receiver operating characteristic of two classes: the chance that a sample of class 1 scores higher
    /// than one of class 0, ties counted half (Mann and Whitney 1947).
    /// </summary>
    public static Metric Auc { get; } = new AucMetric();

    /// <summary>False for errors.</summary>
    public virtual bool HigherIsBetter => true;

    /// <summary>True for parts of the samples, from 0 to 1, which reports print in percent.</summary>
    public virtual bool IsShare => false;

    /// <summary>Part of the samples whose label is among the <paramref name="k"/> largest scores.</summary>
    public static Metric Top(int k) => k == 1 ? Accuracy : new TopMetric($"top-{k.ToString(CultureInfo.InvariantCulture)}", k);

    /// <summary>The metric that a name such as <c>accuracy</c>, <c>top-5</c>, <c>auc</c>, <c>mse</c>, <c>mae</c> means.</summary>
    /// <exception cref="DiagnosticException">There is none of that name.</exception>
    public static Metric Parse(string name) => name switch
    {
        "accuracy" => Accuracy,
        "mse" => MeanSquaredError,
        "mae" => MeanAbsoluteError,
        "auc" => Auc,
        _ when name.StartsWith("top-", StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out int k) && k > 0 => Top(k),
        _ => throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, "there is no such metric")
        {
            Found = $"'{name}'",
            Expected = "accuracy, top-K, auc, mse or mae",
        }),
    };

    /// <summary>What one sample contributes: a number, and a second one that only some metrics use.</summary>
    /// <param name="scores">The output in real units.</param>
    /// <param name="label">Real or integer elements.</param>
    /// <exception cref="OpRuleException">The label does not fit the scores.</exception>
    internal abstract (double Value, double Class) Score(ReadOnlySpan<float> scores, ReadOnlySpan<double> label);

    /// <summary>The metric of all samples, in their order.</summary>
    /// <exception cref="OpRuleException">Not defined for these samples.</exception>
    internal virtual double Combine(IReadOnlyList<(double Value, double Class)> samples)
    {
        double sum = 0;
        foreach ((double value, _) in samples)
        {
            sum += value;
        }

        return sum / samples.Count;
    }

    /// <summary>The class that a label means: the number itself, or where the largest of several numbers stands.</summary>
    internal static int ClassOf(ReadOnlySpan<double> label, int classes)
    {
        double index = label.Length == 1 ? label[0]
            : label.Length == classes ? TensorPrimitives.IndexOfMax(label)
            : throw new OpRuleException("a label does not fit the output")
            {
                Found = $"{label.Length} numbers",
                Expected = $"one class, or {classes} scores",
            };
        return index >= 0 && index < Math.Max(classes, 2) && index == Math.Floor(index)
            ? (int)index
            : throw new OpRuleException("a label is not one of the classes")
            {
                Found = index.ToString(CultureInfo.InvariantCulture),
                Expected = $"0 to {Math.Max(classes, 2) - 1}",
            };
    }

    /// <summary>The class that scores speak for: where the largest stands, the first of equal ones; of one score, whether it is above 0.5.</summary>
    internal static int PredictedClass(ReadOnlySpan<float> scores)
    {
        int best = scores.Length == 1 && scores[0] > 0.5f ? 1 : 0;
        for (int i = 1; i < scores.Length; i++)
        {
            best = scores[i] > scores[best] ? i : best;
        }

        return best;
    }

    private sealed record TopMetric(string Name, int K) : Metric(Name)
    {
        public override bool IsShare => true;

        internal override (double Value, double Class) Score(ReadOnlySpan<float> scores, ReadOnlySpan<double> label)
        {
            int wanted = ClassOf(label, scores.Length);
            if (scores.Length == 1)
            {
                return ((scores[0] > 0.5f) == (wanted == 1) ? 1 : 0, wanted);
            }

            // Of equal scores the first wins, as arg-max of every runtime has it.
            int better = 0;
            for (int i = 0; i < scores.Length; i++)
            {
                better += scores[i] > scores[wanted] || (scores[i] == scores[wanted] && i < wanted) ? 1 : 0;
            }

            return (better < K ? 1 : 0, wanted);
        }
    }

    private sealed record ErrorMetric(string Name, Func<double, double> Loss) : Metric(Name)
    {
        public override bool HigherIsBetter => false;

        internal override (double Value, double Class) Score(ReadOnlySpan<float> scores, ReadOnlySpan<double> label)
        {
            if (label.Length != scores.Length)
            {
                throw new OpRuleException("a label does not fit the output") { Found = $"{label.Length} numbers", Expected = $"{scores.Length}" };
            }

            double sum = 0;
            for (int i = 0; i < scores.Length; i++)
            {
                sum += Loss(scores[i] - label[i]);
            }

            return (sum / scores.Length, 0);
        }
    }

    private sealed record AucMetric() : Metric("auc")
    {
        internal override (double Value, double Class) Score(ReadOnlySpan<float> scores, ReadOnlySpan<double> label) => scores.Length switch
        {
            1 => (scores[0], ClassOf(label, 2)),
            2 => ((double)scores[1] - scores[0], ClassOf(label, 2)),
            _ => throw new OpRuleException("the area under the curve is of two classes") { Found = $"{scores.Length} scores", Expected = "1 or 2" },
        };

        internal override double Combine(IReadOnlyList<(double Value, double Class)> samples)
        {
            double[] values = [.. samples.Select(s => s.Value)];
            double[] classes = [.. samples.Select(s => s.Class)];
            Array.Sort(values, classes);
            double positives = classes.Sum();
            double negatives = classes.Length - positives;
            if (positives == 0 || negatives == 0)
            {
                throw new OpRuleException("the area under the curve needs samples of both classes") { Found = $"only class {(positives == 0 ? 0 : 1)}" };
            }

            double ranks = 0;
            for (int start = 0; start < values.Length;)
            {
                int end = start;
                double ones = 0;
                while (end < values.Length && values[end] == values[start])
                {
                    ones += classes[end++];
                }

                ranks += ones * (start + 1 + end) / 2;
                start = end;
            }

            return (ranks - (positives * (positives + 1) / 2)) / (positives * negatives);
        }
    }
}
