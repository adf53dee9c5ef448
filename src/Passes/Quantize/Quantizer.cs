using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Quantization;
using Optc.Runtime;

namespace Optc.Passes.Quantize;

/// <summary>Post-training quantization: a float model in, a quantized one out.</summary>
public static class Quantizer
{
    /// <summary>A quantized copy with a report of what was done; the given module stays as it is.</summary>
    /// <param name="module">Float, or quantized in parts, which are left alone. Only its main graph is quantized.</param>
    /// <param name="data">Needed by static recipes, ignored by the others.</param>
    /// <param name="context">Threads, progress and cancellation.</param>
    /// <param name="known">Ranges of values by name, as training found them; data are needed for the others only.</param>
    /// <remarks>
    /// Weights that lie on a grid (see <see cref="WeightStructure"/>) keep its scales and codes.
    /// Names and order of inputs and outputs, signatures and metadata stay. Layers that cannot be quantized stay float, with
    /// conversions around them and the reason in the report. The same module, recipe and data give the same result, whatever
    /// the number of threads or the order of the samples.
    /// </remarks>
    /// <exception cref="DiagnosticException">
    /// The recipe is not sound, a rule matches nothing, data are missing or do not fit, the model cannot be executed, or
    /// layers stay float although the recipe requires integers.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static (Module Module, QuantizationReport Report) Quantize(
        Module module,
        QuantizationRecipe recipe,
        ICalibrationSource? data = null,
        PassContext? context = null,
        IReadOnlyDictionary<string, ValueRange>? known = null)
    {
        context ??= new();
        Module prepared = Prepare(module, recipe, context);
        StructureGuard? before = context.Verify ? StructureGuard.Of(prepared) : null;
        (Module result, QuantizationReport report) = recipe.Mode is QuantizationMode.Static
            ? QuantizeStatic(prepared, recipe, data, context, known).Result
            : (prepared, new WeightRewriter(prepared, recipe).Rewrite());
        if (recipe.RequireInteger && !report.IsInteger)
        {
            throw new DiagnosticException([.. report.WithStatus(LayerStatus.Float).Select(NotInteger)]);
        }

        if (context.Verify)
        {
            Verifier.ThrowIfBroken(result);
            before!.ThrowIfLost(result, $"quantization '{recipe.Name}'");
        }

        return (result, report);
    }

    /// <summary>The grids that a static recipe gives the values of a model, for training to know what integers will compute.</summary>
    /// <param name="module">Not changed; values are those of its prepared form.</param>
    /// <exception cref="DiagnosticException">See <see cref="Quantize"/>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static ImmutableArray<ActivationGrid> PlanActivations(
        Module module,
        QuantizationRecipe recipe,
        ICalibrationSource? data,
        PassContext? context = null,
        IReadOnlyDictionary<string, ValueRange>? known = null)
    {
        context ??= new();
        return QuantizeStatic(Prepare(module, recipe, context), recipe, data, context, known).Scales.Activations;
    }

    private static Module Prepare(Module module, QuantizationRecipe recipe, PassContext context)
    {
        recipe.Check();
        Module prepared = recipe.Prepare ? Pipelines.PrepareForQuantization.Run(module, context) : module.Clone();
        LayerRules.RequireUse(recipe, prepared.Main, module.Main);
        return prepared;
    }

    private static ((Module Module, QuantizationReport Report) Result, ScalePlan Scales) QuantizeStatic(
        Module module, QuantizationRecipe recipe, ICalibrationSource? data, PassContext context, IReadOnlyDictionary<string, ValueRange>? known)
    {
        known ??= ImmutableDictionary<string, ValueRange>.Empty;
        Dictionary<Node, string> refused = [];
        LayerPlanner planner = new(module, recipe, refused);
        ImmutableArray<LayerPlan> plans = planner.Plan(module.Main);
        Dictionary<Value, RangeEstimator> watched = Watched(module.Main, plans, recipe);
        foreach (Value value in watched.Keys.Where(v => known.ContainsKey(v.Name)).ToArray())
        {
            watched.Remove(value);
        }

        if (data is null && (watched.Count > 0 || known.Count == 0))
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.NoCalibrationData, "there are no calibration data for a static recipe")
            {
                At = [$"recipe '{recipe.Name}'"],
                Expected = "inputs that are typical for the model",
                Hint = $"the recipes '{QuantizationRecipe.DynamicRange.Name}' and '{QuantizationRecipe.Float16.Name}' need none",
            });
        }

        IReadOnlyDictionary<Value, ValueStatistics> seen = watched.Count == 0
            ? ImmutableDictionary<Value, ValueStatistics>.Empty
            : new Calibrator(module, watched) { Threads = context.Threads, Progress = context.Progress }.Run(data!, context.Cancellation);
        Dictionary<(Value, DType), ValueRange> ranges = [];
        ValueRange RangeOf(Value value, DType type)
        {
            if (!ranges.TryGetValue((value, type), out ValueRange range))
            {
                range = FloatConstants.Of(value) is { } constant ? Extremes(constant)
                    : known.TryGetValue(value.Name, out ValueRange given) ? given
                    : seen.TryGetValue(value, out ValueStatistics? statistics) && statistics.IsSeen ? statistics.Estimator.Estimate(statistics, type)
                    : ValueRange.Empty;
                ranges.Add((value, type), range);
            }

            return range;
        }

        while (true)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            context.Progress?.Report(new("quantizing"));
            try
            {
                ScalePlan scales = new(module.Main, plans, recipe, RangeOf);
                StaticRewriter rewriter = new(module, recipe, scales);
                (Module Module, QuantizationReport Report) result = rewriter.Rewrite(plans);
                RequireKernels(result.Module, rewriter.Origins, plans);
                return (result, scales);
            }
            catch (LayerRefusal refusal)
            {
                refused.Add(refusal.Node, refusal.Message);
                plans = planner.Plan(module.Main);
            }
        }
    }

    /// <summary>Prepares the result for execution, so that a layer whose grids its kernel refuses is found here.</summary>
    private static void RequireKernels(Module result, IReadOnlyDictionary<Node, Node> origins, ImmutableArray<LayerPlan> plans)
    {
        try
        {
            new Interpreter(result).Dispose();
        }
        catch (DiagnosticException problem) when (problem.Diagnostics is [{ Id: var id, At: [_, var place, ..] } diagnostic]
            && id == DiagnosticId.OperandType
            && origins.FirstOrDefault(o => o.Key.ToString() == place && plans.Any(p => p.Node == o.Value && p.IsQuantized)).Value is { } source)
        {
            throw new LayerRefusal(source, diagnostic.Found is null ? diagnostic.Message : $"{diagnostic.Message}: {diagnostic.Found}");
        }
    }

    /// <summary>The values whose ranges will be asked for, with the estimators of the layers that compute them.</summary>
    private static Dictionary<Value, RangeEstimator> Watched(Graph graph, ImmutableArray<LayerPlan> plans, QuantizationRecipe recipe)
    {
        Dictionary<Node, LayerSettings> settings = plans.ToDictionary(p => p.Node, p => p.Settings);
        Dictionary<Value, RangeEstimator> watched = [];
        void Watch(Value value, RangeEstimator? estimator = null)
        {
            if (value.Type.DType is DType.F32 && FloatConstants.Of(value) is null)
            {
                watched.TryAdd(value, estimator ?? (value.Producer is { } producer
                    ? settings[producer].Estimator
                    : LayerRules.For(recipe, value).Estimator));
            }
        }

        foreach (Value value in recipe.InputType is DType.F32 ? [] : graph.Inputs)
        {
            Watch(value);
        }

        foreach (LayerPlan plan in plans.Where(p => p.IsQuantized))
        {
            for (int i = 0; i < Math.Min(plan.Rule!.Inputs.Length, plan.Node.Inputs.Length); i++)
            {
                if (plan.Node.Inputs[i] is { } value && plan.Rule.Inputs[i] is ActivationRule or SharedRule or FixedRule or WideRule)
                {
                    Watch(value, value.IsVariable ? plan.Settings.Estimator : null);
                }
            }

            foreach (Value value in plan.Node.Outputs)
            {
                Watch(value);
            }
        }

        foreach (Value value in recipe.OutputType is DType.F32 ? [] : graph.Outputs)
        {
            Watch(value);
        }

        return watched;
    }

    private static ValueRange Extremes(TensorData constant)
    {
        ReadOnlySpan<float> values = constant.AsFloats();
        return values.IsEmpty
            ? ValueRange.Empty
            : new(System.Numerics.Tensors.TensorPrimitives.Min(values), System.Numerics.Tensors.TensorPrimitives.Max(values));
    }

    private static Diagnostic NotInteger(LayerReport layer) => new(DiagnosticId.NotQuantizable, "a layer stays float although integers are required")
    {
        At = [$"{layer.Op} '{layer.Name}'"],
        Found = layer.Reason,
        Hint = "without the requirement, conversions are put around such layers",
    };
}
