using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Gradients;

namespace Optc.Runtime.Training;

/// <summary>The graph of one training step: forward, loss, gradients, update of shared variables.</summary>
/// <remarks>
/// Inputs: those of the model with the batch of the step, <c>target</c>, <c>sample_weight</c> (if asked for), <c>rate</c>
/// and <c>step</c>. Outputs: <c>loss</c> [], the mean of the samples' losses, and the outputs of the model. All state is
/// in resource variables, which graphs for other batch sizes share.
/// </remarks>
public sealed class TrainingGraph
{
    private const string BatchInput = "target";

    private TrainingGraph(
        Module module,
        ImmutableArray<TrainedVariable> variables,
        ImmutableArray<FormedWeight> forms,
        ImmutableArray<NormalizationPair> normalizations,
        ImmutableArray<(string Name, Shape Shape)> state)
    {
        Module = module;
        Variables = variables;
        Forms = forms;
        Normalizations = normalizations;
        State = state;
    }

    /// <summary>One graph with signature <c>train</c>.</summary>
    public Module Module { get; }

    /// <summary>What is trained: constants of the model, then what forms add to them.</summary>
    public ImmutableArray<TrainedVariable> Variables { get; }

    /// <summary>Weights that layers see in another form.</summary>
    public ImmutableArray<FormedWeight> Forms { get; }

    /// <summary>Layers that normalize over the batch; frozen ones keep their constants.</summary>
    internal ImmutableArray<NormalizationPair> Normalizations { get; }

    /// <summary>Every resource variable with its shape: weights, moving averages, slots of the optimizer.</summary>
    public ImmutableArray<(string Name, Shape Shape)> State { get; }

    /// <summary>State that belongs to the model: all but what the optimizer keeps of its steps.</summary>
    internal IEnumerable<string> Kept =>
    [
        .. Normalizations.SelectMany(n => new[] { n.Mean, n.Variance }),
        .. Forms.SelectMany(f => f.State).Select(s => s.Item1),
        .. State.Select(s => s.Name).Where(n => _kept.Any(k => n.EndsWith(k, StringComparison.Ordinal))),
    ];

    private static readonly string[] _kept = ["/mask", "/average", "/zero", "/low_end", "/high_end"];

    /// <summary>Makes the step for a batch size.</summary>
    /// <param name="model">A float model with one output. Not changed.</param>
    /// <param name="batch">Samples of a step.</param>
    /// <exception cref="DiagnosticException">
    /// The model is not float, has no variable to train, operators without gradient, or an output that the loss cannot judge;
    /// or a rule for layers matches none.
    /// </exception>
    public static TrainingGraph Of(Module model, int batch, TrainingOptions options) => Build(model, batch, options, whole: true);

    /// <summary>
    /// The first half of a step that is taken in pieces: adds the gradients of some samples to variables that
    /// <see cref="Apply"/> uses and clears. Input <c>share</c>, one part of the samples of the whole batch, takes the place of
    /// <c>rate</c> and <c>step</c>; the output <c>loss</c> is the part of the mean loss.
    /// </summary>
    /// <inheritdoc cref="Of"/>
    internal static TrainingGraph Accumulate(Module model, int batch, TrainingOptions options) => Build(model, batch, options, whole: false);

    /// <summary>The second half of a step that is taken in pieces. Inputs: <c>rate</c> and <c>step</c>.</summary>
    internal static Module Apply(Module model, TrainingOptions options)
    {
        GraphBuilder builder = new("apply");
        Expressions e = new(builder, "apply");
        (ImmutableArray<TrainedVariable> variables, _, ImmutableArray<NormalizationPair> normalizations) = TrainedVariables.Find(model.Main, options);
        ImmutableArray<TrainedVariable> trained = [.. variables.Where(v => v.Rate != 0)];
        Dictionary<Value, Value> weights = trained.ToDictionary(v => v.Source, v => e.Read(v.Name, v.Shape));
        ImmutableArray<Value?> gradients = [.. trained.Select(v => e.Read(GradientOf(v.Name), v.Shape))];
        Value rate = builder.Input("rate", new(DType.F32, []));
        Value step = builder.Input("step", new(DType.F32, []));
        Update(e, options, trained, gradients, weights, rate, step, []);
        AverageStatistics(e, options, normalizations, []);
        foreach (TrainedVariable variable in trained)
        {
            e.Assign(GradientOf(variable.Name), GraphBuilder.Constant(
                TensorData.FromFloats(variable.Shape, new float[variable.Shape.ElementCount]), "zeros"));
        }

        Module module = GraphBuilder.Module([builder.Build()]);
        Verifier.ThrowIfBroken(module);
        return module;
    }

    private static TrainingGraph Build(Module model, int batch, TrainingOptions options, bool whole)
    {
        Graph source = model.Main;
        RequireFloat(source);
        (ImmutableArray<TrainedVariable> variables, ImmutableArray<FormedWeight> forms, ImmutableArray<NormalizationPair> normalizations) = TrainedVariables.Find(source, options);
        GraphBuilder builder = new("train");
        Expressions e = new(builder, "train");
        List<(string, Shape)> state =
        [
            .. variables.Select(v => (v.Name, v.Shape)),
            .. forms.SelectMany(f => f.State),
            .. options.Activations.Values.SelectMany(ActivationGrids.State),
            .. normalizations.SelectMany(n => new (string, Shape)[] { (n.Mean, [n.Channels]), (n.Variance, [n.Channels]) }),
        ];
        Dictionary<Value, Value> weights = variables.ToDictionary(v => v.Source, v => e.Read(v.Name, v.Shape));
        Dictionary<Value, Value> seen = new(weights);
        foreach (FormedWeight formed in forms)
        {
            Expressions at = e.Named(formed.Latent.Name);
            Value? mask = options.Masked?.Invoke(formed.Latent) == true && formed.Latent.Rate != 0 ? at.Read(MaskOf(formed.Latent.Name), formed.Latent.Shape) : null;
            seen[formed.Latent.Source] = formed.Effective(at, v => weights[v.Source], mask);
        }

        ActivationGrids grids = new(e, options.Activations, weights, variables);
        ForwardCopy copy = new(source, builder, batch, seen, normalizations, options.FuseBlocks, options.FreezeStatistics, grids);
        Value output = copy.Run(OutputFor(source, options.Loss));
        (Value target, Value loss) = BuildLoss(e.Named("loss"), output, options);
        loss = options.Teacher is null ? loss : Distil(e.Named("teacher"), source, copy, output, loss, options);
        Value? sampleWeight = options.SampleWeights ? builder.Input("sample_weight", new(DType.F32, [batch])) : null;
        Value weighted = sampleWeight is null ? loss : e.Named("loss").Multiply(loss, sampleWeight);
        Value sum = e.Named("loss").SumAll(weighted);
        Value mean = whole
            ? e.Named("loss").Multiply(sum, 1f / batch)
            : e.Named("loss").Multiply(sum, builder.Input("share", new(DType.F32, [])));

        ImmutableArray<TrainedVariable> trained = [.. variables.Where(v => v.Rate != 0)];
        ImmutableArray<Value?> gradients = Differentiation.Add(builder, mean, [.. trained.Select(v => weights[v.Source])]);
        if (whole)
        {
            Value rate = builder.Input("rate", new(DType.F32, []));
            Value step = builder.Input("step", new(DType.F32, []));
            Update(e, options, trained, gradients, weights, rate, step, state);
        }
        else
        {
            Accumulate(e, trained, gradients);
        }

        copy.UpdateStatistics(e, options.StatisticsMomentum);
        grids.UpdateExtremes();
        if (whole)
        {
            AverageStatistics(e, options, normalizations, state);
        }

        builder.Output(mean);
        builder.Output(output);
        Graph graph = builder.Build();
        Module module = GraphBuilder.Module(
            [graph],
            [new("train", graph, [.. graph.Inputs.Select(v => (v.Name, v))], [("loss", mean), ("output", output)])]);
        Verifier.ThrowIfBroken(module);
        return new(module, variables, forms, normalizations, [.. state.Distinct()]);

        (Value Target, Value Loss) BuildLoss(Expressions at, Value result, TrainingOptions how)
        {
            try
            {
                Value expected = builder.Input(BatchInput, how.Loss.TargetType(result.Type));
                return (expected, how.Loss.Build(at, result, expected));
            }
            catch (OpRuleException problem)
            {
                throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, problem.Message)
                {
                    At = [$"output '{result.Name}'"],
                    Found = problem.Found,
                    Expected = problem.Expected,
                });
            }
        }
    }

    private static Value Distil(Expressions e, Graph source, ForwardCopy copy, Value output, Value loss, TrainingOptions options)
    {
        Teacher teacher = options.Teacher!;
        Graph model = teacher.Model.Main;
        if (!options.Loss.TakesLogitsOfSoftmax
            || teacher.Weight is not (>= 0 and <= 1)
            || teacher.Temperature is not (> 0 and < float.PositiveInfinity)
            || !model.Inputs.Select(i => i.Type.DType).SequenceEqual(source.Inputs.Select(i => i.Type.DType)))
        {
            throw Misfit($"weight {teacher.Weight:R}, temperature {teacher.Temperature:R}, inputs {string.Join(", ", model.Inputs.Select(i => i.Type))}");
        }

        Dictionary<Value, Value> inputs = model.Inputs.Zip(source.Inputs, (theirs, ours) => (theirs, copy[ours])).ToDictionary(p => p.theirs, p => p.Item2);
        Value scores = new ForwardCopy(model, e.Graph, output.Type.Shape[0], inputs, []).Run(OutputFor(model, options.Loss));
        if (scores.Type.ElementCount != output.Type.ElementCount)
        {
            throw Misfit($"scores {scores.Type.Shape} beside {output.Type.Shape}");
        }

        Shape rows = [output.Type.Shape[0], checked((int)(output.Type.ElementCount / output.Type.Shape[0]))];
        Value theirs = e.Add(new LogSoftmax(), e.Multiply(e.Reshape(scores, rows), 1 / teacher.Temperature));
        Value ours = e.Add(new LogSoftmax(), e.Multiply(e.Reshape(output, rows), 1 / teacher.Temperature));
        Value distance = e.SumPerSample(e.Multiply(e.Add(new Exp(), theirs), e.Minus(theirs, ours)));
        return e.Plus(
            e.Multiply(loss, 1 - teacher.Weight), e.Multiply(distance, teacher.Weight * teacher.Temperature * teacher.Temperature));

        static DiagnosticException Misfit(string found) => new(new Diagnostic(DiagnosticId.InvalidOption, "the teacher does not fit the model")
        {
            Found = found,
            Expected = "a classifier of the same inputs and classes, a weight of 0 to 1, a temperature above 0, and a loss over classes",
        });
    }

    private static void Accumulate(Expressions e, ImmutableArray<TrainedVariable> variables, ImmutableArray<Value?> gradients)
    {
        foreach ((TrainedVariable variable, Value? gradient) in variables.Zip(gradients))
        {
            Expressions at = e.Named(variable.Name);
            Value before = at.Read(GradientOf(variable.Name), variable.Shape);
            at.Assign(GradientOf(variable.Name), gradient is null ? before : at.Plus(before, gradient));
        }
    }

    private static void Update(
        Expressions e,
        TrainingOptions options,
        ImmutableArray<TrainedVariable> variables,
        ImmutableArray<Value?> gradients,
        Dictionary<Value, Value> weights,
        Value rate,
        Value step,
        List<(string, Shape)> state)
    {
        (TrainedVariable Variable, Value Gradient)[] pairs =
        [
            .. variables.Zip(gradients).Where(p => p.Second is not null).Select(p =>
            {
                Value masked = Mask(e.Named(p.First.Name), p.First, p.Second!, options, state);
                return (p.First, options.ProjectGradient?.Invoke(e.Named(p.First.Name), p.First, masked) ?? masked);
            }),
        ];
        Value? shrink = options.ClipNorm is { } limit && pairs.Length > 0 ? Shrink(e.Named("clip"), [.. pairs.Select(p => p.Gradient)], limit) : null;
        foreach ((TrainedVariable variable, Value gradient) in pairs)
        {
            Expressions at = e.Named(variable.Name);
            Value value = weights[variable.Source];
            Value next = options.Optimizer.Update(
                at,
                variable.Name,
                value,
                shrink is null ? gradient : at.Multiply(gradient, shrink),
                at.Multiply(rate, variable.Rate),
                step,
                (name, shape) => state.Add((name, shape)));
            next = Mask(at, variable, next, options, state);
            Value kept = options.Project?.Invoke(at, variable, next) ?? next;
            at.Assign(variable.Name, kept);
            if (options.MovingAverage is { } past)
            {
                string average = AverageOf(variable.Name);
                state.Add((average, variable.Shape));
                Value blended = at.Blend(past, at.Read(average, variable.Shape), kept);
                at.Assign(average, options.Project?.Invoke(at, variable, blended) ?? blended);
            }
        }
    }

    /// <summary>
    /// Statistics of averaged weights: those of the last few batches belong to the weights of these batches, not to the
    /// average of many more.
    /// </summary>
    private static void AverageStatistics(
        Expressions e, TrainingOptions options, ImmutableArray<NormalizationPair> normalizations, List<(string, Shape)> state)
    {
        if (options.MovingAverage is not { } past)
        {
            return;
        }

        foreach (NormalizationPair pair in normalizations)
        {
            Expressions at = e.Named(pair.Name);
            foreach (string variable in (ReadOnlySpan<string>)[pair.Mean, pair.Variance])
            {
                string average = AverageOf(variable);
                state.Add((average, [pair.Channels]));
                at.Assign(average, at.Blend(past, at.Read(average, [pair.Channels]), at.Read(variable, [pair.Channels])));
            }
        }
    }

    private static Value Mask(Expressions e, TrainedVariable variable, Value value, TrainingOptions options, List<(string, Shape)> state)
    {
        if (options.Masked?.Invoke(variable) != true)
        {
            return value;
        }

        state.Add((MaskOf(variable.Name), variable.Shape));
        return e.Multiply(value, e.Read(MaskOf(variable.Name), variable.Shape));
    }

    /// <summary>The variable that holds the mask of another.</summary>
    internal static string MaskOf(string variable) => $"{variable}/mask";

    /// <summary>The variable that holds the gradient of another while a step is taken in pieces; zero between steps.</summary>
    internal static string GradientOf(string variable) => $"{variable}/gradient_sum";

    /// <summary>The variable that holds the moving average of another.</summary>
    internal static string AverageOf(string variable) => $"{variable}/average";

    /// <summary><c>limit / max(|g|, limit)</c>, g all gradients as one vector.</summary>
    private static Value Shrink(Expressions e, ImmutableArray<Value> gradients, float limit)
    {
        Value squares = gradients.Select(g => e.SumAll(e.Square(g))).Aggregate(e.Plus);
        return e.Divide(e.Scalar(limit), e.Add(new Maximum(), e.SquareRoot(squares), e.Scalar(limit)));
    }

    /// <summary>The value that the loss judges: before a final SOFTMAX or LOGISTIC, when the loss contains it.</summary>
    internal static Value OutputFor(Graph source, Loss loss)
    {
        if (source.Outputs is not [var output])
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.UnsupportedFeature, "only models with one output can be trained")
            {
                Found = $"{source.Outputs.Count} outputs",
            });
        }

        return output.Producer switch
        {
            { Op: Softmax { Beta: 1 } } final when loss.TakesLogitsOfSoftmax => final.Inputs[0]!,
            { Op: Logistic } final when loss.TakesLogitsOfLogistic => final.Inputs[0]!,
            _ => output,
        };
    }

    private static void RequireFloat(Graph source)
    {
        ImmutableArray<Node> others =
        [
            .. source.Nodes.Where(n => n.Outputs.Any(o => o.Type.Quant is not null) || (n.Op is not IUnrollable && n.Inputs.Any(v => v is { IsVariable: true }))),
        ];
        if (!others.IsEmpty)
        {
            // One sentence for the whole model: a quantized one has nothing but such operators.
            throw new DiagnosticException(new Diagnostic(DiagnosticId.NotDifferentiable, "only float models without state can be trained")
            {
                At = [$"operator {others[0]}"],
                Found = $"{(others[0].Outputs.IsEmpty ? "state" : others[0].Outputs[0].Type.ToString())}{(others.Length == 1 ? "" : $", the first of {others.Length} such operators")}",
                Hint = "start from the float model; quantization comes after training",
            });
        }
    }
}
