using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Quantize;
using Optc.Runtime.Training;

namespace Optc.Training;

/// <summary>Grids of activations while training: those of the quantizer's plan, so that training rounds where integers will.</summary>
internal static class ActivationPlan
{
    /// <summary>Makes the plan with training samples.</summary>
    /// <returns>For each group the names of its values and where it begins.</returns>
    public static ImmutableArray<(ImmutableArray<string> Values, ActivationForm Form)> Of(
        Module module, QuantizationAware how, TrainingData samples, WorkOptions work)
    {
        ImmutableArray<ActivationGrid> grids = Quantizer.PlanActivations(
            module,
            how.Recipe,
            TrainableForm.Calibration(samples, how.CalibrationSamples),
            work.ForPasses,
            RangeRecord.Read(module, how.Recipe.Activations));
        return
        [
            .. grids.GroupBy(g => g.Group).Select(g => (
                ImmutableArray.CreateRange(g.Select(v => v.Value)),
                FormOf(g.First(), g.Select(v => v.Value).Min(StringComparer.Ordinal)!, how))),
        ];
    }

    /// <summary>The forms of the values of a graph that have one.</summary>
    public static IReadOnlyDictionary<Value, ActivationForm> ByValue(Graph graph, ImmutableArray<(ImmutableArray<string> Values, ActivationForm Form)> groups)
    {
        Dictionary<string, ActivationForm> names = [];
        foreach ((ImmutableArray<string> values, ActivationForm form) in groups)
        {
            foreach (string value in values)
            {
                names.TryAdd(value, form);
            }
        }

        return graph.Values().Where(v => v.Constant is null && v.Type.DType is DType.F32 && names.ContainsKey(v.Name))
            .GroupBy(v => v.Name).Select(g => g.Last())
            .ToDictionary(v => v, v => names[v.Name]);
    }

    /// <summary>The ranges that the grids of a run cover now.</summary>
    public static IReadOnlyDictionary<string, ValueRange> Ranges(ImmutableArray<(ImmutableArray<string> Values, ActivationForm Form)> groups, Trainer trainer)
    {
        Dictionary<string, ValueRange> ranges = [];
        foreach ((ImmutableArray<string> values, ActivationForm form) in groups)
        {
            (float logScale, float zero) = trainer.GridOf(form);
            double scale = LearnedFakeQuant.ScaleOf(logScale);
            foreach (string value in values)
            {
                ranges.TryAdd(value, new(scale * (form.Low - zero), scale * (form.High - zero)));
            }
        }

        return ranges;
    }

    private static ActivationForm FormOf(ActivationGrid grid, string name, QuantizationAware how)
    {
        (int low, int high) = grid.Type is DType.I8 ? (sbyte.MinValue, sbyte.MaxValue) : (short.MinValue, short.MaxValue);
        return new($"grid/{name}", MathF.Log(grid.Grid.Scale), grid.Grid.ZeroPoint, low, high)
        {
            Rate = grid.IsFixed || how.Ranges is RangeLearning.Fixed ? 0 : how.RangeRate,
            MovingAverage = how.Ranges is RangeLearning.MovingAverage && !grid.IsFixed ? how.Momentum : null,
        };
    }
}
