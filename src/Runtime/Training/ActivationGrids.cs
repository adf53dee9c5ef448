using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Gradients;

namespace Optc.Runtime.Training;

/// <summary>Rounds the activations of a training graph to their grids, and moves the grids that follow what they see.</summary>
/// <param name="e">Where to.</param>
/// <param name="forms">By value of the model's graph.</param>
/// <param name="reads">Contents of variables, by their sources.</param>
/// <param name="variables">What is trained.</param>
internal sealed class ActivationGrids(
    Expressions e, IReadOnlyDictionary<Value, ActivationForm> forms, IReadOnlyDictionary<Value, Value> reads, ImmutableArray<TrainedVariable> variables)
{
    private readonly Dictionary<string, (Value LogScale, Value Zero)> _grids = [];
    private readonly Dictionary<string, List<Value>> _seen = [];

    /// <summary>The steps that are trained, one for each group.</summary>
    public static IEnumerable<TrainedVariable> Variables(IEnumerable<ActivationForm> forms) => forms
        .Where(f => f.MovingAverage is null)
        .DistinctBy(f => f.Group)
        .OrderBy(f => f.Group, StringComparer.Ordinal)
        .Select(f => new TrainedVariable(
            NameOf(f), f.Group, "log_scale", GraphBuilder.Constant(TensorData.Scalar(f.LogScale), ""), f.Rate));

    /// <summary>State of a group that is not trained.</summary>
    public static IEnumerable<(string, Shape)> State(ActivationForm form) => form.MovingAverage is null
        ? [(ZeroOf(form), [])]
        : [(LowOf(form), []), (HighOf(form), [])];

    /// <summary>What a group starts with.</summary>
    public static IEnumerable<(string Name, float Content)> Start(ActivationForm form)
    {
        float scale = LearnedFakeQuant.ScaleOf(form.LogScale);
        return form.MovingAverage is null
            ? [(ZeroOf(form), form.Zero)]
            : [(LowOf(form), scale * (form.Low - form.Zero)), (HighOf(form), scale * (form.High - form.Zero))];
    }

    /// <summary>Logarithm of the step and zero of a group, of what its state holds.</summary>
    /// <param name="content">One number of the state.</param>
    public static (float LogScale, float Zero) Now(ActivationForm form, Func<string, float> content)
    {
        if (form.MovingAverage is null)
        {
            return (content(NameOf(form)), content(ZeroOf(form)));
        }

        float scale = (content(HighOf(form)) - content(LowOf(form))) / (form.High - form.Low);
        return (MathF.Log(scale), Math.Clamp(MathF.Round(form.Low - (content(LowOf(form)) / scale)), form.Low, form.High));
    }

    /// <summary>Whether readers see a value rounded.</summary>
    public bool Concerns(Value source) => forms.ContainsKey(source);

    /// <summary>The value as its readers see it.</summary>
    /// <param name="source">A value of the model's graph.</param>
    /// <param name="copy">What stands for it.</param>
    public Value Round(Value source, Value copy)
    {
        if (!forms.TryGetValue(source, out ActivationForm? form))
        {
            return copy;
        }

        if (form.MovingAverage is not null)
        {
            if (!_seen.TryGetValue(form.Group, out List<Value>? seen))
            {
                _seen.Add(form.Group, seen = []);
            }

            seen.Add(copy);
        }

        (Value LogScale, Value Zero) grid = GridOf(form);
        return e.Named(form.Group).Add(form.Op, copy, grid.LogScale, grid.Zero);
    }

    /// <summary>The grid of a value whose readers may round it themselves; null for those without one, and for those whose extremes are followed.</summary>
    public (LearnedFakeQuant Op, Value LogScale, Value Zero)? ForReaders(Value source)
    {
        if (!forms.TryGetValue(source, out ActivationForm? form) || form.MovingAverage is not null)
        {
            return null;
        }

        (Value logScale, Value zero) = GridOf(form);
        return (form.Op, logScale, zero);
    }

    /// <summary>Moves the extremes of every group towards those of the batch.</summary>
    public void UpdateExtremes()
    {
        foreach ((string group, List<Value> seen) in _seen.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            ActivationForm form = forms.Values.First(f => f.Group == group);
            Expressions at = e.Named(group);
            Value low = seen.Select(v => Extreme(at, v, new ReduceMin(KeepDims: false))).Aggregate((a, b) => at.Add(new Minimum(), a, b));
            Value high = seen.Select(v => Extreme(at, v, new ReduceMax(KeepDims: false))).Aggregate((a, b) => at.Add(new Maximum(), a, b));
            Value zero = at.Scalar(0);
            at.Assign(LowOf(form), at.Blend(form.MovingAverage!.Value, at.Read(LowOf(form), []), at.Add(new Minimum(), low, zero)));
            at.Assign(HighOf(form), at.Blend(form.MovingAverage!.Value, at.Read(HighOf(form), []), at.Add(new Maximum(), high, zero)));
        }
    }

    private (Value LogScale, Value Zero) GridOf(ActivationForm form)
    {
        if (!_grids.TryGetValue(form.Group, out (Value LogScale, Value Zero) grid))
        {
            grid = form.MovingAverage is null ? Trained(form) : Moving(form);
            _grids.Add(form.Group, grid);
        }

        return grid;
    }

    private (Value, Value) Trained(ActivationForm form)
    {
        TrainedVariable variable = variables.First(v => v.Name == NameOf(form));
        return (reads[variable.Source], e.Read(ZeroOf(form), []));
    }

    private (Value, Value) Moving(ActivationForm form)
    {
        Expressions at = e.Named(form.Group);
        Value low = at.Read(LowOf(form), []);
        Value scale = at.Multiply(at.Minus(at.Read(HighOf(form), []), low), 1f / (form.High - form.Low));
        Value zero = at.Add(new Round(), at.Minus(at.Scalar(form.Low), at.Divide(low, scale)));
        Value limited = at.Add(new Minimum(), at.Add(new Maximum(), zero, at.Scalar(form.Low)), at.Scalar(form.High));
        return (at.Add(new Log(), scale), limited);
    }

    private static Value Extreme(Expressions at, Value value, IOp reduction) =>
        at.Add(reduction, value, at.Ints([.. Enumerable.Range(0, value.Type.Shape.Rank)]));

    private static string NameOf(ActivationForm form) => $"{form.Group}/log_scale";

    private static string ZeroOf(ActivationForm form) => $"{form.Group}/zero";

    private static string LowOf(ActivationForm form) => $"{form.Group}/low_end";

    private static string HighOf(ActivationForm form) => $"{form.Group}/high_end";
}
