using Optc.Ir;
using Optc.Ops.Execution;

namespace Optc.Runtime;

/// <summary>What all graphs of one execution share: threads, resource variables, prepared subgraphs, the memory budget.</summary>
internal sealed class Session(Module module, InterpreterOptions options, ResourceTable? resources = null) : IDisposable
{
    private readonly Dictionary<string, GraphProgram> _programs = [];
    private readonly HashSet<string> _preparing = [];
    private readonly ThreadWorkers _workers = new(options.Threads);
    private long _charged;

    public InterpreterOptions Options => options;

    public Workers Workers => _workers;

    public ResourceTable Resources { get; } = resources ?? new();

    /// <summary>Bytes of all arenas and folded constants so far.</summary>
    public long MemoryInUse => _charged;

    public CancellationToken Cancellation { get; set; }

    public Graph? FindGraph(string name) => module.FindGraph(name);

    public GraphProgram Program(Graph graph)
    {
        if (_programs.TryGetValue(graph.Name, out GraphProgram? program))
        {
            return program;
        }

        if (!_preparing.Add(graph.Name))
        {
            throw new OpRuleException("a graph calls itself") { Found = graph.Name };
        }

        program = new GraphCompiler(this, graph).Compile();
        _programs.Add(graph.Name, program);
        return program;
    }

    public Subroutine Subroutine(string name) => new ProgramSubroutine(Program(
        FindGraph(name) ?? throw new OpRuleException("a control-flow operator names a graph that does not exist") { Found = name }));

    /// <summary>Counts memory against the limit.</summary>
    /// <exception cref="DiagnosticException">The limit is passed.</exception>
    public void Charge(long bytes)
    {
        _charged = checked(_charged + bytes);
        if (_charged > options.MemoryLimit)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.MemoryLimit, "running this model takes more memory than is allowed")
            {
                Found = $"{_charged} bytes",
                Expected = $"at most {options.MemoryLimit} bytes",
                Hint = "check the shapes with 'optc inspect', or raise the limit",
            });
        }
    }

    public void Reset()
    {
        Resources.Reset();
        foreach (GraphProgram program in _programs.Values)
        {
            program.ResetState();
        }
    }

    public void Dispose() => _workers.Dispose();

    private sealed class ProgramSubroutine(GraphProgram program) : Subroutine
    {
        public override int InputCount => program.Inputs.Count;

        public override int OutputCount => program.Outputs.Count;

        public override TensorType Input(int index) => program.Inputs[index].Type;

        public override TensorType Output(int index) => program.Outputs[index].Type;

        public override Span<byte> InputBytes(int index) => program.Inputs[index].Write();

        public override ReadOnlySpan<byte> OutputBytes(int index) => program.Outputs[index].Read();

        public override void Run() => program.Run(observer: null);
    }
}
