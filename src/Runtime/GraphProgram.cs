using Optc.Ir;

namespace Optc.Runtime;

/// <summary>A graph that is ready to run: steps in order, and the place of every value.</summary>
internal sealed class GraphProgram(
    Session session,
    Graph graph,
    IReadOnlyList<Step> steps,
    IReadOnlyDictionary<Value, ValueBuffer> buffers,
    IReadOnlyList<ValueBuffer> variables,
    long arenaBytes)
{
    // An array, because the enumerator of an interface would be an allocation in each run.
    private readonly Step[] _steps = [.. steps];

    public IReadOnlyList<ValueBuffer> Inputs { get; } = [.. graph.Inputs.Select(v => buffers[v])];

    public IReadOnlyList<ValueBuffer> Outputs { get; } = [.. graph.Outputs.Select(v => buffers[v])];

    /// <summary>Bytes planned for activations and scratch.</summary>
    public long ArenaBytes => arenaBytes;

    public ValueBuffer? Buffer(Value value) => buffers.GetValueOrDefault(value);

    public void ResetState()
    {
        foreach (ValueBuffer variable in variables)
        {
            GraphCompiler.Initialise(variable);
        }
    }

    public void Run(Action<Node>? observer)
    {
        // A graph without steps may be the body of a loop that never ends.
        session.Cancellation.ThrowIfCancellationRequested();
        foreach (Step step in _steps)
        {
            session.Cancellation.ThrowIfCancellationRequested();
            try
            {
                step.Run();
            }
            catch (OpRuleException problem)
            {
                throw new DiagnosticException(new Diagnostic(DiagnosticId.RunFailed, problem.Message)
                {
                    At = [$"graph '{graph.Name}'", step.Node.ToString()],
                    Found = problem.Found,
                    Expected = problem.Expected,
                });
            }

            observer?.Invoke(step.Node);
        }
    }
}
