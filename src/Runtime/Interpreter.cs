using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops.Execution;

namespace Optc.Runtime;

/// <summary>Executes a graph: float32 as the reference within rounding, integers as the named profile to the last bit.</summary>
/// <remarks>
/// Prepared once: types are inferred, constants computed, memory planned, weights packed. A run then allocates nothing,
/// unless the shape of a value depends on data. State (variable tensors, resources) is kept from run to run.
/// </remarks>
public sealed class Interpreter : IDisposable
{
    private readonly Session _session;
    private readonly GraphProgram _program;

    /// <param name="graph">The entry point; the module's main graph when left out.</param>
    /// <param name="resources">Resource variables to use, shared with other interpreters; its own when left out.</param>
    /// <exception cref="DiagnosticException">The model cannot be executed; every operator in the way is named.</exception>
    public Interpreter(Module module, Graph? graph = null, InterpreterOptions? options = null, ResourceTable? resources = null)
    {
        Graph = graph ?? module.Main;
        _session = new(module, options ?? InterpreterOptions.Default, resources);
        try
        {
            _program = _session.Program(Graph);
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    public Graph Graph { get; }

    /// <summary>Bytes planned for activations and scratch of the entry graph.</summary>
    public long ArenaBytes => _program.ArenaBytes;

    public int InputCount => _program.Inputs.Count;

    public int OutputCount => _program.Outputs.Count;

    /// <summary>Called after each node; values of that node can be read by <see cref="Bytes"/> until the next node runs.</summary>
    public Action<Node>? NodeDone { get; set; }

    public TensorType InputType(int index) => _program.Inputs[index].Type;

    /// <summary>Type of an output; a shape that depends on data is that of the latest run.</summary>
    public TensorType OutputType(int index) => _program.Outputs[index].Type;

    /// <summary>Memory of an input, to be filled before <see cref="Run"/>. It is not changed by a run.</summary>
    public Span<byte> Input(int index) => _program.Inputs[index].Write();

    public Span<T> Input<T>(int index)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Input(index));

    /// <summary>Content of an output after <see cref="Run"/>, valid until the next run.</summary>
    public ReadOnlySpan<byte> Output(int index) => _program.Outputs[index].Read();

    public ReadOnlySpan<T> Output<T>(int index)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Output(index));

    /// <summary>Content of any value of the graph: inside <see cref="NodeDone"/>, or after a run that keeps intermediates.</summary>
    /// <exception cref="ArgumentException">The value has no memory in this graph.</exception>
    public ReadOnlySpan<byte> Bytes(Value value) => (_program.Buffer(value)
        ?? throw new ArgumentException($"'{value.Name}' is no value of this graph.", nameof(value))).Read();

    /// <summary>True when the value has bytes while the graph runs.</summary>
    public bool Holds(Value value) => _program.Buffer(value) is not null;

    /// <summary>Type of a value with its concrete shape.</summary>
    public TensorType TypeOf(Value value) => (_program.Buffer(value)
        ?? throw new ArgumentException($"'{value.Name}' is no value of this graph.", nameof(value))).Type;

    /// <exception cref="DiagnosticException">An operator met values for which it is not defined.</exception>
    /// <exception cref="OperationCanceledException">Cancelled between two nodes.</exception>
    public void Run(CancellationToken cancellation = default)
    {
        _session.Cancellation = cancellation;
        _program.Run(NodeDone);
    }

    /// <summary>Puts variables back to their initial content.</summary>
    public void Reset() => _session.Reset();

    public void Dispose() => _session.Dispose();
}
