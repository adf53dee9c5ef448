using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Runtime;

namespace Optc.Passes.Quantize;

/// <summary>Runs samples through a float model and watches its values.</summary>
/// <remarks>
/// Each thread has an interpreter of its own and takes the next sample when it is done with one. All statistics are
/// independent of the order in which samples come (see <see cref="ValueHistogram"/>, <see cref="ValueStatistics"/>), so
/// neither the number of threads nor the order of the data can change the result. A model with state starts every sample
/// anew.
/// </remarks>
/// <param name="watched">The f32 values to observe, each with what decides on its range.</param>
public sealed class Calibrator(Module module, IReadOnlyDictionary<Value, RangeEstimator> watched)
{
    /// <summary>Threads, at least 1.</summary>
    public int Threads { get; init; } = 1;

    public IProgress<WorkProgress>? Progress { get; init; }

    /// <summary>What was seen of each watched value.</summary>
    /// <exception cref="DiagnosticException">
    /// No samples, samples that do not fit the model, a model that cannot be executed, or a value that is not finite, with the
    /// layer and the sample.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled between two layers.</exception>
    public IReadOnlyDictionary<Value, ValueStatistics> Run(ICalibrationSource source, CancellationToken cancellation = default)
    {
        List<Observer> observers = [];
        try
        {
            for (int i = 0; i < Threads; i++)
            {
                observers.Add(new(module, watched));
            }

            using IEnumerator<CalibrationSample> samples = source.Samples().GetEnumerator();
            Feed feed = new(samples, source.Count, Progress, cancellation);
            using (ThreadWorkers workers = new(Threads))
            {
                workers.Run(Threads, (chunk, _) => feed.Drain(observers[chunk]));
            }

            feed.ThrowIfFailed();
            Dictionary<Value, ValueStatistics> result = observers[0].Statistics;
            foreach (Observer other in observers.Skip(1))
            {
                foreach ((Value value, ValueStatistics seen) in other.Statistics)
                {
                    result[value].Merge(seen);
                }
            }

            observers[0].ObserveConstants();
            return result;
        }
        finally
        {
            observers.ForEach(o => o.Dispose());
        }
    }

    /// <summary>Hands out samples one at a time and keeps the failure of the earliest one.</summary>
    private sealed class Feed(IEnumerator<CalibrationSample> samples, int? count, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        private readonly Lock _gate = new();
        private long _position;
        private (long Position, Exception Problem)? _failure;

        public void Drain(Observer observer)
        {
            while (TryTake(out CalibrationSample? sample, out long position))
            {
                try
                {
                    observer.Run(sample, cancellation);
                }
                catch (Exception problem) when (problem is DiagnosticException or OperationCanceledException)
                {
                    Fail(position, problem);
                }
            }
        }

        public void ThrowIfFailed()
        {
            if (_failure is { } failure)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure.Problem);
            }

            if (_position == 0)
            {
                throw new DiagnosticException(new Diagnostic(DiagnosticId.NoCalibrationData, "there is no calibration sample")
                {
                    Expected = "one sample at least; some hundred typical ones are better",
                });
            }
        }

        private bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out CalibrationSample? sample, out long position)
        {
            lock (_gate)
            {
                (sample, position) = (null, _position);
                if (_failure is not null)
                {
                    return false;
                }

                try
                {
                    cancellation.ThrowIfCancellationRequested();
                    if (!samples.MoveNext())
                    {
                        return false;
                    }
                }
                catch (Exception problem) when (problem is DiagnosticException or OperationCanceledException)
                {
                    _failure = (position, problem);
                    return false;
                }

                _position++;
                sample = samples.Current;
                progress?.Report(new("calibrating", _position, count));
                return true;
            }
        }

        private void Fail(long position, Exception problem)
        {
            lock (_gate)
            {
                // Whatever was handed out earlier runs to its end, so the earliest failure is always found.
                if (_failure is null || position < _failure.Value.Position)
                {
                    _failure = (position, problem);
                }
            }
        }
    }

    /// <summary>One interpreter with the statistics of what it ran.</summary>
    private sealed class Observer : IDisposable
    {
        private readonly Interpreter _interpreter;
        private readonly SampleReader _reader;
        private readonly ImmutableArray<(int Input, Value Value, ValueStatistics Statistics)> _inputs;
        private readonly Dictionary<Node, ImmutableArray<(Value Value, ValueStatistics Statistics)>> _layers = [];
        private readonly HashSet<Node> _executed = [];
        private long _sample;

        public Observer(Module module, IReadOnlyDictionary<Value, RangeEstimator> watched)
        {
            Statistics = watched.ToDictionary(w => w.Key, w => new ValueStatistics(w.Value));
            _interpreter = new(module);
            _reader = new(module, _interpreter, "calibration sample");
            Graph graph = _interpreter.Graph;
            _inputs =
            [
                .. graph.Inputs.Select((v, i) => (i, v)).Where(p => Statistics.ContainsKey(p.v)).Select(p => (p.i, p.v, Statistics[p.v])),
            ];
            foreach (Node node in graph.Nodes)
            {
                IEnumerable<Value> values = node.Outputs.Concat(node.Inputs.OfType<Value>().Where(v => v.IsVariable));
                ImmutableArray<(Value, ValueStatistics)> seen = [.. values.Where(Statistics.ContainsKey).Select(v => (v, Statistics[v]))];
                if (!seen.IsEmpty)
                {
                    _layers.Add(node, seen);
                }
            }

            _interpreter.NodeDone = Observe;
        }

        public Dictionary<Value, ValueStatistics> Statistics { get; }

        public void Run(CalibrationSample sample, CancellationToken cancellation)
        {
            _sample = sample.Index;
            _interpreter.Reset();
            foreach (ImmutableArray<CalibrationTensor> step in sample.Steps)
            {
                _reader.Fill(sample.Index, step);
                foreach ((int input, Value value, ValueStatistics statistics) in _inputs)
                {
                    if (!statistics.TryObserve(_sample, _interpreter.Input<float>(input)))
                    {
                        throw NotFinite(DiagnosticId.DataMismatch, "calibration data are not finite numbers", $"input '{value.Name}'");
                    }
                }

                _interpreter.Run(cancellation);
            }
        }

        /// <summary>Values that were computed before the first run, once and for all.</summary>
        public void ObserveConstants()
        {
            foreach ((Node node, ImmutableArray<(Value Value, ValueStatistics Statistics)> values) in _layers)
            {
                if (!_executed.Contains(node))
                {
                    _sample = -1;
                    Observe(node);
                }
            }
        }

        public void Dispose() => _interpreter.Dispose();

        private void Observe(Node node)
        {
            if (!_layers.TryGetValue(node, out ImmutableArray<(Value Value, ValueStatistics Statistics)> values))
            {
                return;
            }

            _executed.Add(node);
            foreach ((Value value, ValueStatistics statistics) in values)
            {
                if (!statistics.TryObserve(_sample, MemoryMarshal.Cast<byte, float>(_interpreter.Bytes(value))))
                {
                    throw NotFinite(DiagnosticId.RunFailed, "a layer computes something that is no finite number", node.ToString());
                }
            }
        }

        private DiagnosticException NotFinite(DiagnosticId id, string message, string where) => new(new Diagnostic(id, message)
        {
            At = [$"graph '{_interpreter.Graph.Name}'", where, $"calibration sample {_sample}"],
            Found = "NaN or infinity",
            Expected = "finite numbers",
            Hint = "a grid cannot be made for these; check the preprocessing of the data and the model",
        });
    }
}
