using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Passes.Quantize;

/// <summary>Inputs that are typical for a model. Enumerated once.</summary>
public interface ICalibrationSource
{
    /// <summary>Number of samples, if it is known; for progress only.</summary>
    int? Count { get; }

    /// <summary>The samples in any order; never two threads at once ask for the next one.</summary>
    IEnumerable<CalibrationSample> Samples();
}

/// <summary>A value for one input of the model.</summary>
/// <param name="Name">Name of the input, by signature or graph; <see langword="null"/> for the next input in order.</param>
/// <param name="Data">
/// As many elements as one invocation takes, and its shape, which may leave out leading dimensions of 1. For a float
/// input any real or integer type, which is converted; else exactly the type of the input.
/// </param>
public sealed record CalibrationTensor(string? Name, TensorData Data);

/// <summary>One invocation of a model, or several in a row from a fresh state.</summary>
/// <param name="Index">
/// Which sample of the data set it is. Statistics that depend on an order take that of the indices, so that a shuffled set
/// gives the same result.
/// </param>
/// <param name="Steps">Inputs of each invocation, at least one; more than one only means something for models with state.</param>
public sealed record CalibrationSample(long Index, ImmutableArray<ImmutableArray<CalibrationTensor>> Steps)
{
    /// <summary>One invocation with its inputs in order.</summary>
    public static CalibrationSample Of(long index, params ReadOnlySpan<TensorData> inputs)
    {
        ImmutableArray<CalibrationTensor>.Builder step = ImmutableArray.CreateBuilder<CalibrationTensor>(inputs.Length);
        foreach (TensorData input in inputs)
        {
            step.Add(new(null, input));
        }

        return new(index, [step.MoveToImmutable()]);
    }
}
