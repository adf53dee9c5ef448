using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops.Execution;

namespace Optc.Runtime.Training;

/// <summary>Everything that a training keeps from step to step, by name, in the order in which it was first asked for.</summary>
internal sealed class TrainingState
{
    /// <summary>The step after which the optimizer began anew, which a checkpoint has to tell.</summary>
    private const string Begin = "optimizer/begin";

    private readonly List<(string Name, Shape Shape)> _all = [];

    public TrainingState() => Declare(Begin, []);

    /// <summary>What the graphs of steps read and write.</summary>
    public ResourceTable Resources { get; } = new();

    /// <summary>Steps that were taken before the optimizer began; 0 unless <see cref="ResetOptimizer"/> was called.</summary>
    public long OptimizerBegin => (long)Get(Begin)[0];

    /// <summary>Gives state that a graph is the first to have its initial content.</summary>
    public void Declare(TrainingGraph graph, TrainingOptions options)
    {
        HashSet<string> known = [.. _all.Select(s => s.Name)];
        foreach ((string name, Shape shape) in graph.State.Where(s => !known.Contains(s.Name)))
        {
            Declare(name, shape);
        }

        void Start(string name, ReadOnlySpan<float> content)
        {
            if (!known.Contains(name))
            {
                MemoryMarshal.AsBytes(content).CopyTo(Content(name));
            }
        }

        foreach (TrainedVariable variable in graph.Variables)
        {
            ReadOnlySpan<float> initial = variable.Source.Constant!.ToDense().AsFloats();
            Start(variable.Name, initial);
            if (options.Masked?.Invoke(variable) == true && variable.Rate != 0)
            {
                float[] ones = new float[initial.Length];
                Array.Fill(ones, 1);
                Start(TrainingGraph.MaskOf(variable.Name), ones);
            }

            if (options.MovingAverage is not null && variable.Rate != 0)
            {
                Start(TrainingGraph.AverageOf(variable.Name), initial);
            }
        }

        foreach ((string name, float content) in options.Activations.Values.SelectMany(ActivationGrids.Start))
        {
            Start(name, [content]);
        }

        foreach (NormalizationPair pair in graph.Normalizations)
        {
            (float[] gamma, float[] beta, float[] mean, float[] variance) = pair.Start(options.Statistics.GetValueOrDefault(pair.Name));
            foreach ((string name, float[] content) in new[] { (pair.Gamma, gamma), (pair.Beta, beta), (pair.Mean, mean), (pair.Variance, variance) })
            {
                Start(name, content);
                if (options.MovingAverage is not null)
                {
                    Start(TrainingGraph.AverageOf(name), content);
                }
            }
        }
    }

    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public ReadOnlySpan<float> Get(string name) => _all.Exists(s => s.Name == name)
        ? Floats(name)
        : throw new ArgumentException($"There is no state '{name}'.", nameof(name));

    /// <exception cref="ArgumentException">There is none of that name and size.</exception>
    public void Set(string name, ReadOnlySpan<float> content)
    {
        int length = content.Length;
        if (!_all.Exists(s => s.Name == name && s.Shape.ElementCount == length))
        {
            throw new ArgumentException($"There is no state '{name}' of {length} elements.", nameof(name));
        }

        content.CopyTo(Floats(name));
    }

    /// <inheritdoc cref="Trainer.SetMask"/>
    public void SetMask(TrainingGraph graph, TrainedVariable variable, ReadOnlySpan<bool> mask)
    {
        string name = TrainingGraph.MaskOf(variable.Name);
        if (!graph.State.Any(s => s.Name == name) || mask.Length != variable.Shape.ElementCount)
        {
            throw new ArgumentException($"'{variable.Name}' has no mask of {mask.Length} elements.", nameof(variable));
        }

        HashSet<string> ofForms = [.. graph.Forms.SelectMany(f => f.State).Select(s => s.Item1)];
        foreach ((string state, Shape shape) in graph.State.Where(s => !ofForms.Contains(s.Name)).Where(s => s.Name == variable.Name || s.Name.StartsWith($"{variable.Name}/", StringComparison.Ordinal)))
        {
            if (!shape.Equals(variable.Shape))
            {
                continue;
            }

            Span<float> content = Floats(state);
            for (int i = 0; i < content.Length; i++)
            {
                content[i] = state == name ? (mask[i] ? 1 : 0) : mask[i] ? content[i] : 0;
            }
        }
    }

    /// <summary>Drops what the optimizer keeps of its steps: moments that are zero need the correction of a first step.</summary>
    /// <param name="step">Steps taken so far.</param>
    public void ResetOptimizer(TrainingGraph graph, long step)
    {
        HashSet<string> kept = [.. graph.Variables.Select(v => v.Name), .. graph.Kept];
        foreach ((string name, _) in _all.Where(s => !kept.Contains(s.Name)))
        {
            Content(name).Clear();
        }

        Floats(Begin)[0] = step;
    }

    /// <summary>Takes out what was added up of the gradient of a variable, so that the next sum begins with zeros.</summary>
    public float[] TakeGradient(string variable)
    {
        Span<float> sum = Floats(TrainingGraph.GradientOf(variable));
        float[] gradient = sum.ToArray();
        sum.Clear();
        return gradient;
    }

    public ImmutableArray<(string Name, TensorData Content)> Save() =>
        [.. _all.Select(s => (s.Name, new TensorData(DType.F32, s.Shape, Content(s.Name).ToArray())))];

    /// <exception cref="DiagnosticException">The state is that of another model or other options.</exception>
    public void Load(IReadOnlyDictionary<string, TensorData> state)
    {
        ImmutableArray<string> wrong =
        [
            .. _all.Where(s => !state.TryGetValue(s.Name, out TensorData? found) || !found.Shape.Equals(s.Shape) || found.DType is not DType.F32).Select(s => s.Name),
        ];
        if (!wrong.IsEmpty || state.Count != _all.Count)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "the checkpoint is that of another model or of other options")
            {
                Found = wrong.IsEmpty ? $"{state.Count} variables" : $"nothing that fits '{wrong[0]}'",
                Expected = $"{_all.Count} variables",
            });
        }

        foreach ((string name, _) in _all)
        {
            state[name].Bytes.Span.CopyTo(Content(name));
        }
    }

    private void Declare(string name, Shape shape)
    {
        Resources.Declare(Resources.Handle("", name), new(DType.F32, shape));
        _all.Add((name, shape));
    }

    private Span<byte> Content(string name) => Resources.Content(Resources.Handle("", name));

    private Span<float> Floats(string name) => MemoryMarshal.Cast<byte, float>(Content(name));
}
