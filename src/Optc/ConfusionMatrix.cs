using System.Collections.Immutable;
using System.Globalization;
using Optc.Ir;

namespace Optc;

/// <summary>How many samples of each class were taken for each class: rows are true classes, columns predicted ones.</summary>
public sealed class ConfusionMatrix
{
    private const int MostClasses = 4096;

    private readonly int[] _counts;

    private ConfusionMatrix(int[] counts, ImmutableArray<string> classNames) => (_counts, ClassNames) = (counts, classNames);

    /// <summary>Names of the classes; their numbers, from 0 on, where the data have no names.</summary>
    public ImmutableArray<string> ClassNames { get; }

    public int ClassCount => ClassNames.Length;

    /// <summary>Number of samples.</summary>
    public int Samples => _counts.Sum();

    /// <summary>Samples whose class was found.</summary>
    public int Correct => Enumerable.Range(0, ClassCount).Sum(c => this[c, c]);

    /// <summary>Mean recall of the classes that have samples: the accuracy if all classes were equally frequent.</summary>
    public double BalancedAccuracy => Enumerable.Range(0, ClassCount).Select(RecallOf).OfType<double>().Average();

    /// <summary>Samples of one class that were taken for another one, or for itself.</summary>
    public int this[int actual, int predicted] => _counts[(actual * ClassCount) + predicted];

    /// <summary>Samples of a class.</summary>
    public int SamplesOf(int actual) => Enumerable.Range(0, ClassCount).Sum(predicted => this[actual, predicted]);

    /// <summary>Samples that were taken for a class.</summary>
    public int PredictionsOf(int predicted) => Enumerable.Range(0, ClassCount).Sum(actual => this[actual, predicted]);

    /// <summary>Part of the samples of a class that were taken for it: the accuracy of this class; <see langword="null"/> without samples.</summary>
    public double? RecallOf(int actual) => Part(this[actual, actual], SamplesOf(actual));

    /// <summary>Part of the samples taken for a class that are of it; <see langword="null"/> when none were.</summary>
    public double? PrecisionOf(int predicted) => Part(this[predicted, predicted], PredictionsOf(predicted));

    /// <summary>Counts samples.</summary>
    /// <param name="samples">True and predicted class of each, below <paramref name="classCount"/>.</param>
    /// <param name="classNames">As many, or none.</param>
    /// <exception cref="OpRuleException">More classes than a matrix of them makes sense for.</exception>
    internal static ConfusionMatrix Of(IEnumerable<(int Actual, int Predicted)> samples, int classCount, ImmutableArray<string> classNames)
    {
        if (classCount > MostClasses)
        {
            throw new OpRuleException("there are too many classes for a confusion matrix") { Found = $"{classCount}", Expected = $"{MostClasses} at most" };
        }

        int[] counts = new int[classCount * classCount];
        foreach ((int actual, int predicted) in samples)
        {
            counts[(actual * classCount) + predicted]++;
        }

        return new(
            counts,
            classNames.Length == classCount ? classNames : [.. Enumerable.Range(0, classCount).Select(c => c.ToString(CultureInfo.InvariantCulture))]);
    }

    private static double? Part(int some, int all) => all == 0 ? null : (double)some / all;
}
