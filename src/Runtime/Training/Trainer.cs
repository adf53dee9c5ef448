using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Runtime.Training;

/// <summary>Trains a model step by step. For one thread at a time.</summary>
/// <remarks>
/// A graph is made for each batch size that occurs; all share the variables. The same model, options and batches give
/// the same weights, whatever the number of threads.
/// </remarks>
public sealed class Trainer : IDisposable
{
    private readonly Module _model;
    private readonly InterpreterOptions _execution;
    private readonly TrainingState _state = new();
    private readonly Dictionary<int, Interpreter> _steps = [];
    private readonly Dictionary<int, Interpreter> _pieces = [];
    private readonly int _batch;
    private readonly int _inputs;
    private TrainingOptions _options;
    private TrainingGraph _graph;
    private Interpreter? _apply;

    /// <param name="model">A float model with one output. Not changed.</param>
    /// <param name="batch">Samples of most steps.</param>
    /// <param name="execution">Threads and memory limit.</param>
    /// <exception cref="DiagnosticException">See <see cref="TrainingGraph.Of"/>.</exception>
    public Trainer(Module model, int batch, TrainingOptions options, InterpreterOptions? execution = null)
    {
        _model = model;
        _options = options;
        _execution = execution ?? InterpreterOptions.Default;
        _inputs = model.Main.Inputs.Count;
        _batch = batch;
        _graph = TrainingGraph.Of(model, batch, options);
        _state.Declare(_graph, _options);
        Prepare();
    }

    /// <summary>
    /// Goes on with other options, and with everything that the variables hold: what was there keeps its content, what is new
    /// begins as in a new run.
    /// </summary>
    /// <exception cref="DiagnosticException">See <see cref="TrainingGraph.Of"/>.</exception>
    public void Change(TrainingOptions options)
    {
        (_options, _graph) = (options, TrainingGraph.Of(_model, _batch, options));
        foreach (Interpreter interpreter in _steps.Values.Concat(_pieces.Values))
        {
            interpreter.Dispose();
        }

        _apply?.Dispose();
        _apply = null;
        _steps.Clear();
        _pieces.Clear();
        _state.Declare(_graph, _options);
        Prepare();
    }

    /// <summary>Makes the optimizer begin anew: it drops what it keeps of its steps, and counts them from here.</summary>
    public void ResetOptimizer() => _state.ResetOptimizer(_graph, StepCount);

    /// <summary>Replaces the content of a variable or of other state, row-major.</summary>
    /// <param name="name">Of <see cref="TrainedVariable.Name"/>, or as forms document it.</param>
    /// <exception cref="ArgumentException">There is none of that name and size.</exception>
    public void Set(string name, ReadOnlySpan<float> content) => _state.Set(name, content);

    /// <summary>What a variable or other state holds now, row-major.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public ReadOnlySpan<float> Get(string name) => _state.Get(name);

    /// <summary>Weights that layers see in another form.</summary>
    public ImmutableArray<FormedWeight> Forms => _graph.Forms;

    /// <summary>The grid that a group of activations has now.</summary>
    public (float LogScale, float Zero) GridOf(ActivationForm form) => ActivationGrids.Now(form, name => Get(name)[0]);

    /// <summary>Steps taken so far.</summary>
    public long StepCount { get; private set; }

    /// <summary>Number of the next step since the optimizer began, from 1.</summary>
    private long OptimizerStep => StepCount - _state.OptimizerBegin + 1;

    public ImmutableArray<TrainedVariable> Variables => _graph.Variables;

    /// <summary>Bytes planned for the values of a step of the largest batch.</summary>
    public long ArenaBytes => _steps.Values.Concat(_pieces.Values).Max(i => i.ArenaBytes);

    /// <summary>What a variable holds now, row-major.</summary>
    public ReadOnlySpan<float> Content(TrainedVariable variable) => _state.Get(variable.Name);

    /// <summary>The mask of a variable: 1 where it stays, 0 where it is zero.</summary>
    /// <exception cref="ArgumentException">The variable has no mask.</exception>
    public ReadOnlySpan<float> MaskOf(TrainedVariable variable) => Get(TrainingGraph.MaskOf(variable.Name));

    /// <summary>Changes the mask of a variable and drops what it masks: the values, their average, and what the optimizer keeps of them.</summary>
    /// <param name="mask">One entry for each element; <see langword="true"/> where it stays.</param>
    /// <exception cref="ArgumentException">The variable has no mask, or one of another size.</exception>
    public void SetMask(TrainedVariable variable, ReadOnlySpan<bool> mask) => _state.SetMask(_graph, variable, mask);

    /// <summary>One step on a batch.</summary>
    /// <param name="inputs">Bytes of each input of the model for all samples, then of the targets.</param>
    /// <param name="weights">A weight for each sample, when the options ask for them.</param>
    /// <param name="rate">Learning rate.</param>
    /// <returns>Mean loss of the batch before the step.</returns>
    /// <exception cref="DiagnosticException">The loss is no finite number; the first layer whose result is none is named.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the variables may be half updated.</exception>
    public float Step(
        int batch, ImmutableArray<ReadOnlyMemory<byte>> inputs, ReadOnlyMemory<float> weights, double rate, CancellationToken cancellation = default)
    {
        float loss = _options.MicroBatch is { } piece && piece < batch
            ? StepInPieces(batch, piece, inputs, weights, rate, cancellation)
            : StepAtOnce(batch, inputs, weights, rate, cancellation);
        StepCount++;
        return float.IsFinite(loss) ? loss : throw Diverged($"the loss became {(float.IsNaN(loss) ? "NaN" : "infinite")}");
    }

    private float StepAtOnce(
        int batch, ImmutableArray<ReadOnlyMemory<byte>> inputs, ReadOnlyMemory<float> weights, double rate, CancellationToken cancellation)
    {
        Interpreter interpreter = StepFor(batch);
        int next = Fill(interpreter, inputs, weights, first: 0, batch, batch);
        interpreter.Input<float>(next)[0] = (float)rate;
        interpreter.Input<float>(next + 1)[0] = OptimizerStep;
        interpreter.Run(cancellation);
        return interpreter.Output<float>(0)[0];
    }

    private float StepInPieces(
        int batch, int piece, ImmutableArray<ReadOnlyMemory<byte>> inputs, ReadOnlyMemory<float> weights, double rate, CancellationToken cancellation)
    {
        float loss = AddGradients(batch, piece, inputs, weights, cancellation);
        if (_apply is null)
        {
            Module module = TrainingGraph.Apply(_model, _options);
            _apply = new(module, module.Main, _execution, _state.Resources);
        }

        _apply.Input<float>(0)[0] = (float)rate;
        _apply.Input<float>(1)[0] = OptimizerStep;
        _apply.Run(cancellation);
        return loss;
    }

    /// <summary>Gradients of the mean loss of a batch with regard to what is trained, by the names of the variables. Changes nothing.</summary>
    /// <remarks>Of weights that have a form, with regard to what is kept of them between steps; masks do not apply.</remarks>
    /// <inheritdoc cref="Step"/>
    public IReadOnlyDictionary<string, float[]> Gradients(
        int batch, ImmutableArray<ReadOnlyMemory<byte>> inputs, ReadOnlyMemory<float> weights, CancellationToken cancellation = default)
    {
        // Statistics of normalizations move with every forward run.
        Dictionary<string, TensorData> before = _state.Save().ToDictionary(s => s.Name, s => s.Content);
        AddGradients(batch, Math.Min(_options.MicroBatch ?? batch, batch), inputs, weights, cancellation);
        _state.Load(before);
        return _graph.Variables.Where(v => v.Rate != 0).ToDictionary(v => v.Name, v => _state.TakeGradient(v.Name));
    }

    /// <summary>Adds the gradients of a batch to what there is, piece by piece, and returns the mean loss.</summary>
    private float AddGradients(
        int batch, int piece, ImmutableArray<ReadOnlyMemory<byte>> inputs, ReadOnlyMemory<float> weights, CancellationToken cancellation)
    {
        float loss = 0;
        for (int first = 0; first < batch; first += piece)
        {
            int count = Math.Min(piece, batch - first);
            Interpreter interpreter = PieceFor(count);
            int next = Fill(interpreter, inputs, weights, first, count, batch);
            interpreter.Input<float>(next)[0] = 1f / batch;
            interpreter.Run(cancellation);
            loss += interpreter.Output<float>(0)[0];
        }

        return loss;
    }

    /// <summary>Fills in some of the samples of a batch and returns the number of the next input.</summary>
    private int Fill(
        Interpreter interpreter, ImmutableArray<ReadOnlyMemory<byte>> inputs, ReadOnlyMemory<float> weights, int first, int count, int batch)
    {
        for (int i = 0; i <= _inputs; i++)
        {
            int size = inputs[i].Length / batch;
            inputs[i].Span.Slice(first * size, count * size).CopyTo(interpreter.Input(i));
        }

        if (!_options.SampleWeights)
        {
            return _inputs + 1;
        }

        weights.Span.Slice(first, count).CopyTo(interpreter.Input<float>(_inputs + 1));
        return _inputs + 2;
    }

    /// <summary>What the model computed for the last batch, before the step: scores [N, ...], logits where the loss takes them.</summary>
    public ReadOnlySpan<float> Outputs(int batch) => StepFor(batch).Output<float>(1);

    /// <summary>The model with the weights as they are now: their moving averages, when the options ask for those.</summary>
    public Module Export()
    {
        Module result = _model.Clone();
        Dictionary<Value, Value> replacements = [];
        ImmutableArray<Value> before = [.. _model.Main.Values()];
        ImmutableArray<Value> after = [.. result.Main.Values()];
        Dictionary<Value, Value> copies = before.Zip(after).ToDictionary(p => p.First, p => p.Second);
        HashSet<Value> normalizing = [.. _graph.Normalizations.SelectMany(p => new[] { p.Factors, p.Offsets })];
        Dictionary<Value, FormedWeight> forms = _graph.Forms.ToDictionary(f => f.Latent.Source);
        foreach (TrainedVariable variable in _graph.Variables.Where(v => copies.ContainsKey(v.Source) && !normalizing.Contains(v.Source)))
        {
            Put(variable.Source, forms.TryGetValue(variable.Source, out FormedWeight? formed)
                ? StructuredWeights.Of(formed, Get, MaskFor(variable))
                : StructuredWeights.Of(variable.Shape, Final(variable.Name, variable.Rate), MaskFor(variable)));
        }

        foreach (NormalizationPair pair in _graph.Normalizations)
        {
            (float[] factors, float[] offsets) = NormalizationPair.Finish(
                Final(pair.Gamma), Final(pair.Beta), Final(pair.Mean), Final(pair.Variance));
            Put(pair.Factors, TensorData.FromFloats([pair.Channels], factors));
            Put(pair.Offsets, TensorData.FromFloats([pair.Channels], offsets));
        }

        void Put(Value source, TensorData content) => replacements.Add(copies[source], GraphPatch.Constant(content, source.Name));

        foreach (Node node in result.Main.Nodes.ToArray())
        {
            GraphPatch patch = new();
            bool changed = false;
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                if (node.Inputs[i] is { } operand && replacements.TryGetValue(operand, out Value? trained))
                {
                    patch.SetInput(node, i, trained);
                    changed = true;
                }
            }

            if (changed)
            {
                patch.ApplyTo(result, result.Main, node);
            }
        }

        return result;
    }

    /// <summary>Mean and variance of every layer that normalizes over the batch, by its name, as <see cref="Export"/> uses them.</summary>
    public ImmutableDictionary<string, ChannelStatistics> Statistics => _graph.Normalizations.ToImmutableDictionary(
        p => p.Name,
        p => new ChannelStatistics([.. Final(p.Mean)], [.. Final(p.Variance)]));

    /// <summary>Everything that a later run needs to go on from here, bit for bit: variables in a fixed order.</summary>
    public ImmutableArray<(string Name, TensorData Content)> SaveState() =>
        _state.Save();

    /// <summary>Puts back what <see cref="SaveState"/> gave.</summary>
    /// <exception cref="DiagnosticException">The state is that of another model or other options.</exception>
    public void LoadState(long stepCount, IReadOnlyDictionary<string, TensorData> state)
    {
        _state.Load(state);
        StepCount = stepCount;
    }

    public void Dispose()
    {
        foreach (Interpreter interpreter in _steps.Values.Concat(_pieces.Values))
        {
            interpreter.Dispose();
        }

        _apply?.Dispose();
    }

    private void Prepare()
    {
        if (_options.MicroBatch is not { } piece || piece >= _batch)
        {
            _steps.Add(_batch, new(_graph.Module, _graph.Module.Main, _execution, _state.Resources));
        }
        else
        {
            PieceFor(piece);
        }
    }

    /// <summary>The mask of a variable that has one and is trained.</summary>
    private ReadOnlySpan<float> MaskFor(TrainedVariable variable) => _options.Masked?.Invoke(variable) == true && variable.Rate != 0
        ? Get(TrainingGraph.MaskOf(variable.Name))
        : default;

    private Interpreter StepFor(int batch)
    {
        if (!_steps.TryGetValue(batch, out Interpreter? interpreter))
        {
            Module module = TrainingGraph.Of(_model, batch, _options).Module;
            interpreter = new(module, module.Main, _execution, _state.Resources);
            _steps.Add(batch, interpreter);
        }

        return interpreter;
    }

    private Interpreter PieceFor(int count)
    {
        if (!_pieces.TryGetValue(count, out Interpreter? interpreter))
        {
            Module module = TrainingGraph.Accumulate(_model, count, _options).Module;
            interpreter = new(module, module.Main, _execution, _state.Resources);
            _pieces.Add(count, interpreter);
        }

        return interpreter;
    }

    /// <summary>What is exported of a variable whose layer learns at a rate.</summary>
    private ReadOnlySpan<float> Final(string variable, float rate = 1) =>
        _state.Get(_options.MovingAverage is not null && rate != 0 ? TrainingGraph.AverageOf(variable) : variable);

    /// <summary>Refuses weights that are beyond all bounds, as the last step may leave them: no loss has seen them yet.</summary>
    /// <exception cref="DiagnosticException">There are some; the layer with the largest is named.</exception>
    public void RequireFinite()
    {
        // Element-wise kernels limit infinite results to the largest number.
        const float bound = 1e30f;
        if (Largest() is (_, not (>= -bound and <= bound)))
        {
            throw Diverged("the weights are no finite numbers any more");
        }
    }

    /// <summary>The variable with the largest element, or the first one with NaN.</summary>
    private (TrainedVariable Variable, float Magnitude) Largest()
    {
        (TrainedVariable Variable, float Magnitude) largest = (_graph.Variables[0], 0);
        foreach (TrainedVariable variable in _graph.Variables)
        {
            float magnitude = Math.Abs(System.Numerics.Tensors.TensorPrimitives.MaxMagnitude(_state.Get(variable.Name)));
            if (float.IsNaN(magnitude))
            {
                return (variable, magnitude);
            }

            largest = magnitude > largest.Magnitude ? (variable, magnitude) : largest;
        }

        return largest;
    }

    private DiagnosticException Diverged(string what)
    {
        // What no training that works comes near.
        const float unusual = 1e6f;
        (TrainedVariable variable, float magnitude) = Largest();
        bool isOrdinary = magnitude < unusual;
        return new(new Diagnostic(DiagnosticId.RunFailed, $"{what} at step {StepCount}")
        {
            At = isOrdinary ? [] : [$"layer '{variable.Layer}'", variable.Operand],
            Found = isOrdinary ? "weights that are finite"
                : float.IsNaN(magnitude) ? "weights that are no numbers"
                : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"weights of up to {magnitude:0E+0}"),
            Hint = "lower the learning rate, shorten gradients, or check the data",
        });
    }
}
