using Optc.Ir;

using Optc.Ops.Execution;

namespace Optc.Backends.TfLiteMicro;

/// <summary>An estimate of the tensor arena that TFLite Micro's interpreter needs for a model.</summary>
/// <param name="Activations">Bytes of the planned, reused part: activations and scratch of kernels.</param>
/// <param name="Persistent">Bytes that stay allocated: tables of nodes and tensors, data of kernels, variables.</param>
public sealed record ArenaEstimate(long Activations, long Persistent)
{
    private const int Alignment = 16;

    // Sizes of the interpreter's own structures on a 64-bit host, fitted to the arenas that TFLite Micro reports for the
    // models of docs/results/arena.md so that none is underestimated; a 32-bit target needs about half of the persistent part.
    private const int FixedBytes = 464;
    private const int BytesPerNode = 80;
    private const int BytesPerTensor = 48;
    private const int BytesPerEnd = 112;

    /// <summary>The recommended size: the sum, rounded up to 16 bytes.</summary>
    public long Total => Align(Activations + Persistent);

    /// <summary>Plans the main graph of a module; graphs that it calls are counted where they are called.</summary>
    public static ArenaEstimate Of(Module module)
    {
        long persistent = FixedBytes;
        foreach (Graph graph in module.Graphs)
        {
            persistent += PersistentBytes(graph);
        }

        return new(PlannedBytes(module, module.Main, depth: 0), persistent);
    }

    private static long PersistentBytes(Graph graph)
    {
        long bytes = BytesPerEnd * Math.Max(0, graph.Inputs.Count + graph.Outputs.Count - 2);
        foreach (Value value in graph.Values())
        {
            bytes += BytesPerTensor + (value.IsVariable ? Align(SizeOf(value.Type)) : 0);
        }

        foreach (Node node in graph.Nodes)
        {
            bytes += BytesPerNode + KernelFootprint.PersistentBytes(node);
        }

        return bytes;
    }

    // Largest first at the lowest free offset, as TFLite Micro's greedy planner does. Graph inputs live from the start,
    // graph outputs to the end.
    private static long PlannedBytes(Module module, Graph graph, int depth)
    {
        const int maximumDepth = 8;
        Dictionary<Value, (int First, int Last)> lives = [];
        foreach (Value input in graph.Inputs)
        {
            lives[input] = (0, 0);
        }

        List<ArenaRequest> requests = [];
        for (int step = 0; step < graph.Nodes.Count; step++)
        {
            Node node = graph.Nodes[step];
            foreach (Value value in node.Inputs.OfType<Value>().Concat(node.Outputs))
            {
                if (value.Constant is null && !value.IsVariable)
                {
                    lives[value] = (lives.TryGetValue(value, out (int First, int Last) life) ? life.First : step, step);
                }
            }

            foreach (long scratch in KernelFootprint.ScratchBytes(node))
            {
                requests.Add(new(Align(scratch), step, step));
            }

            foreach (string callee in KernelFootprint.CalledGraphs(node))
            {
                if (depth < maximumDepth && module.FindGraph(callee) is { } called)
                {
                    requests.Add(new(PlannedBytes(module, called, depth + 1), step, step));
                }
            }
        }

        foreach (Value output in graph.Outputs)
        {
            if (lives.TryGetValue(output, out (int First, int Last) life))
            {
                lives[output] = (life.First, graph.Nodes.Count);
            }
        }

        requests.AddRange(lives.Select(l => new ArenaRequest(Align(SizeOf(l.Key.Type)), l.Value.First, l.Value.Last)));

        // Which of two equal sizes is placed first depends on tensor numbers; the worse of both orders is reported.
        ArenaPlanner.Plan(requests, Alignment, out long forward);
        ArenaPlanner.Plan([.. requests.Select(r => r with { First = -r.Last, Last = -r.First })], Alignment, out long backward);
        return Math.Max(forward, backward);
    }

    /// <summary>Bytes of a value; dimensions that are not known count as 1, as the interpreter allocates them.</summary>
    internal static long SizeOf(TensorType type) =>
        type.DType.ByteCount(Shape.Of([.. type.Shape.Dims.Select(d => Math.Abs(d))]).ElementCount);

    private static long Align(long bytes) => checked((bytes + Alignment - 1) / Alignment * Alignment);
}
