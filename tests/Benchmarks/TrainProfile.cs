using System.Diagnostics;
using System.Globalization;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Execution;
using Optc.Runtime;
using Optc.Runtime.Training;

namespace Optc.Tests.Benchmarks;

/// <summary>Where the time of a training step goes: every node with one and with two threads, in turns.</summary>
internal static class TrainProfile
{
    private const int WarmUp = 10;
    private const double Worthwhile = 100;

    /// <param name="filter">A part of the name of a model.</param>
    /// <param name="repeats">Steps that count; the best time of each node is told.</param>
    /// <param name="aware">Rounds weights and what convolutions read, on grids whose steps are trained.</param>
    public static void Print(string filter, int repeats, bool aware)
    {
        foreach (TrainingCase example in TrainingCase.All.Where(c => c.Name.Contains(filter, StringComparison.Ordinal)))
        {
            using Profiled one = new(example, aware, threads: 1);
            using Profiled two = new(example, aware, threads: 2);
            for (int i = 0; i < WarmUp + repeats; i++)
            {
                one.Step(counts: i >= WarmUp);
                two.Step(counts: i >= WarmUp);
            }

            Console.WriteLine($"## {example.Name}, batch {example.Labels.Length}");
            Console.WriteLine();
            Console.WriteLine("| operator | layer | nodes | us, one thread | us, two threads | ratio |");
            Console.WriteLine("|---|---|---:|---:|---:|---:|");
            (Node Node, double One, double Two)[] rows = [.. one.Best.Zip(two.Best, (a, b) => (a.Node, a.Microseconds, b.Microseconds))];
            (string Name, int Count, double One, double Two)[] groups =
            [
                .. rows.GroupBy(r => $"{r.Node.Op.Title} | {(r.One >= Worthwhile ? r.Node.Name : "others")}")
                    .Select(g => (g.Key, g.Count(), g.Sum(r => r.One), g.Sum(r => r.Two)))
                    .OrderByDescending(g => g.Item3),
            ];
            foreach ((string name, int count, double oneThread, double twoThreads) in groups)
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"| {name} | {count} | {oneThread:0} | {twoThreads:0} | {oneThread / twoThreads:0.00} |"));
            }

            (double first, double second) = (rows.Sum(r => r.One), rows.Sum(r => r.Two));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| all | | {rows.Length} | {first:0} | {second:0} | {first / second:0.00} |"));
            Console.WriteLine();
        }
    }

    private static TrainingOptions Aware(Graph model) => new()
    {
        Forms = v => v is { Operand: "w", Shape.Rank: 4 } ? new GridForm { Axis = v.Shape[0] == 1 ? 3 : 0 } : null,
        Activations = model.Inputs.Concat(model.Nodes.Where(n => n.Op is Add && n.Output.Type.Shape.Rank == 4).Select(n => n.Output))
            .ToDictionary(v => v, v => new ActivationForm($"grid/{v.Name}", -3, 0, sbyte.MinValue, sbyte.MaxValue)),
    };

    private sealed class Profiled : IDisposable
    {
        private readonly Interpreter _interpreter;
        private readonly List<(Node Node, long Ticks)> _best = [];
        private long _last;
        private int _next;
        private bool _counts;

        public Profiled(TrainingCase example, bool aware, int threads)
        {
            TrainingGraph graph = TrainingGraph.Of(example.Model, example.Labels.Length, aware ? Aware(example.Model.Main) : new());
            ResourceTable resources = new();
            foreach ((string name, Shape shape) in graph.State)
            {
                resources.Declare(resources.Handle("", name), new(DType.F32, shape));
            }

            foreach (TrainedVariable variable in graph.Variables)
            {
                variable.Source.Constant!.ToDense().Bytes.Span.CopyTo(resources.Content(resources.Handle("", variable.Name)));
            }

            _interpreter = new(graph.Module, graph.Module.Main, new() { Threads = threads }, resources) { NodeDone = Done };
            for (int i = 0; i < example.Inputs.Length; i++)
            {
                example.Inputs[i].Span.CopyTo(_interpreter.Input(i));
            }

            (_interpreter.Input<float>(2)[0], _interpreter.Input<float>(3)[0]) = (1e-3f, 100);
        }

        public IEnumerable<(Node Node, double Microseconds)> Best => _best.Select(b => (b.Node, b.Ticks * 1e6 / Stopwatch.Frequency));

        public void Step(bool counts)
        {
            (_counts, _next) = (counts, 0);
            _last = Stopwatch.GetTimestamp();
            _interpreter.Run();
        }

        public void Dispose() => _interpreter.Dispose();

        private void Done(Node node)
        {
            long ticks = Stopwatch.GetTimestamp() - _last;
            if (_counts && _next == _best.Count)
            {
                _best.Add((node, ticks));
            }
            else if (_counts)
            {
                _best[_next] = (node, Math.Min(_best[_next].Ticks, ticks));
            }

            _next++;
            _last = Stopwatch.GetTimestamp();
        }
    }
}
