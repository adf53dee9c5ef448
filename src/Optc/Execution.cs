using System.Collections.Immutable;
using Optc.Ir;
using Optc.Passes.Quantize;
using Optc.Runtime;

namespace Optc;

/// <summary>A model made ready to run many times; state is kept from run to run. For one thread at a time.</summary>
public sealed class Execution : IDisposable
{
    private readonly Model _model;
    private readonly Interpreter _interpreter;
    private readonly SampleReader _reader;
    private readonly CancellationToken _cancellation;
    private long _runs;

    /// <param name="signature">The entry point; the main graph when left out.</param>
    /// <exception cref="DiagnosticException">There is no such signature, or the model cannot be executed.</exception>
    public Execution(Model model, string? signature = null, WorkOptions? options = null)
    {
        options ??= WorkOptions.Default;
        Module module = model.Module;
        Signature? entry = signature is null
            ? module.Signatures.FirstOrDefault(s => s.Graph == module.Main)
            : module.Signatures.FirstOrDefault(s => s.Key == signature) ?? throw new DiagnosticException(
                new Diagnostic(DiagnosticId.InvalidOption, "the model has no such signature")
                {
                    At = [model.Name],
                    Found = $"'{signature}'",
                    Expected = module.Signatures.IsEmpty ? "none: this model has no signatures" : string.Join(" or ", module.Signatures.Select(s => $"'{s.Key}'")),
                });
        _cancellation = options.Cancellation;
        _model = model;
        _interpreter = model.Located(() => new Interpreter(module, entry?.Graph, options.ForOneThread with { Threads = options.Threads }));
        _reader = new(module, _interpreter, "invocation");
        Graph graph = _interpreter.Graph;
        InputNames = [.. graph.Inputs.Select(v => entry?.Inputs.FirstOrDefault(i => i.Value == v).Name ?? v.Name)];
        OutputNames = [.. graph.Outputs.Select(v => entry?.Outputs.FirstOrDefault(o => o.Value == v).Name ?? v.Name)];
    }

    /// <summary>Names of the inputs in order: those of the signature, else of the tensors.</summary>
    public ImmutableArray<string> InputNames { get; }

    /// <summary>Names of the outputs in order: those of the signature, else of the tensors.</summary>
    public ImmutableArray<string> OutputNames { get; }

    /// <summary>Bytes planned for activations and scratch.</summary>
    public long ArenaBytes => _interpreter.ArenaBytes;

    public TensorType InputType(int index) => _interpreter.InputType(index);

    /// <summary>Runs once.</summary>
    /// <param name="inputs">By name, or without a name in order; see <see cref="SampleReader"/> for the types that fit.</param>
    /// <returns>Copies of the outputs, in order.</returns>
    /// <exception cref="DiagnosticException">The inputs do not fit, or an operator met values for which it is not defined.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ImmutableArray<TensorData> Run(ImmutableArray<(string? Name, TensorData Data)> inputs)
    {
        _reader.Fill(_runs++, [.. inputs.Select(i => new CalibrationTensor(i.Name, i.Data))]);
        _model.Located(() =>
        {
            _interpreter.Run(_cancellation);
            return true;
        });
        return
        [
            .. Enumerable.Range(0, _interpreter.OutputCount).Select(i =>
                new TensorData(_interpreter.OutputType(i).DType, _interpreter.OutputType(i).Shape, _interpreter.Output(i).ToArray())),
        ];
    }

    /// <summary>Runs once for each slice of the first axis of the inputs, which is time, from a fresh state.</summary>
    /// <param name="inputs">By name, or without a name in order; [steps, ...] each, all with the same number of steps.</param>
    /// <returns>The outputs in order, [steps, ...].</returns>
    /// <exception cref="DiagnosticException">
    /// The inputs do not fit, are no sequences of one length, or an output changes its shape from step to step.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ImmutableArray<TensorData> RunSequence(ImmutableArray<(string? Name, TensorData Data)> inputs)
    {
        int[] lengths = [.. inputs.Select(i => i.Data.Shape.Rank == 0 ? 0 : i.Data.Shape[0])];
        if (lengths is [] or [0, ..] || lengths.Distinct().Count() > 1)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "the inputs are no sequences of one length")
            {
                Found = $"shapes {string.Join(", ", inputs.Select(i => i.Data.Shape))}",
                Expected = "an axis for time in front, of the same length for every input",
            });
        }

        Reset();
        List<ImmutableArray<TensorData>> steps = [];
        for (int step = 0; step < lengths[0]; step++)
        {
            steps.Add(Run([.. inputs.Select(i => (i.Name, Dataset.SliceOf(i.Data, step)))]));
        }

        return [.. Enumerable.Range(0, _interpreter.OutputCount).Select(o => Stack(OutputNames[o], [.. steps.Select(s => s[o])]))];
    }

    /// <summary>Puts variables back to their initial content.</summary>
    public void Reset() => _interpreter.Reset();

    private static TensorData Stack(string name, TensorData[] slices)
    {
        if (slices.FirstOrDefault(s => !s.Shape.Equals(slices[0].Shape)) is { } odd)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.RunFailed, "an output changes its shape from step to step, so the steps do not stack")
            {
                At = [$"output '{name}'"],
                Found = $"{slices[0].Shape} and {odd.Shape}",
            });
        }

        byte[] all = new byte[checked(slices.Length * slices[0].Bytes.Length)];
        for (int i = 0; i < slices.Length; i++)
        {
            slices[i].Bytes.CopyTo(all.AsMemory(i * slices[0].Bytes.Length));
        }

        return new(slices[0].DType, [slices.Length, .. slices[0].Shape.Dims], all);
    }

    public void Dispose() => _interpreter.Dispose();
}
