using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Kernels;
using Optc.Passes.Quantize;
using Optc.Runtime;

namespace Optc.Report;

/// <summary>Makes a <see cref="Comparison"/>: each thread runs both models on the next sample, sums are added in order.</summary>
internal sealed class Comparer : IDisposable
{
    private const int SamplesPerThread = 4;

    private readonly RoundingProfile _roundingA;
    private readonly RoundingProfile _roundingB;
    private readonly WorkOptions _options;
    private readonly ThreadWorkers _workers;
    private readonly List<Runner> _runners = [];
    private readonly ImmutableArray<Pair> _pairs;
    private readonly ImmutableArray<UnmatchedEntry> _unmatched;

    public Comparer(Module a, Module b, ComparisonOptions comparison, WorkOptions options)
    {
        _options = options;
        _roundingA = comparison.RoundingA ?? options.Rounding;
        _roundingB = comparison.RoundingB ?? options.Rounding;
        ImmutableArray<Pair> outputs = Outputs(a.Main, b.Main);
        (ImmutableArray<Pair> layers, _unmatched) = comparison.PerLayer ? Layers(a.Main, b.Main) : ([], []);
        _pairs = [.. outputs, .. layers];
        _workers = new(options.Threads);
        try
        {
            for (int i = 0; i < options.Threads; i++)
            {
                _runners.Add(new(a, b, comparison.PerLayer, options, _roundingA, _roundingB));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Comparison Run(ICalibrationSource source)
    {
        Difference[] sums = [.. _pairs.Select(_ => Difference.None)];
        long samples = 0;
        foreach (CalibrationSample[] block in source.Samples().Chunk(_options.Threads * SamplesPerThread))
        {
            foreach (Difference[] sample in Run(block))
            {
                for (int i = 0; i < sums.Length; i++)
                {
                    sums[i] = sums[i].Plus(sample[i]);
                }
            }

            samples += block.Length;
            _options.Progress?.Report(new("comparing", samples, source.Count));
        }

        if (samples == 0)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "there is no sample to compare the models on"));
        }

        ImmutableArray<DifferenceEntry> entries = [.. _pairs.Select((p, i) => sums[i].ToEntry(p.Name, p.B.Producer?.Op.Title, p.A.Type, p.B.Type))];
        int outputs = _pairs.Count(p => p.IsOutput);
        return new(samples, NameOf(_roundingA), NameOf(_roundingB), entries[..outputs], entries[outputs..], _unmatched);
    }

    public void Dispose()
    {
        _runners.ForEach(r => r.Dispose());
        _workers.Dispose();
    }

    private Difference[][] Run(CalibrationSample[] block)
    {
        Difference[][] results = new Difference[block.Length][];
        Exception?[] failures = new Exception?[block.Length];
        _workers.Run(block.Length, (i, worker) =>
        {
            try
            {
                results[i] = _runners[worker].Run(block[i], _pairs, _options.Cancellation);
            }
            catch (Exception problem) when (problem is DiagnosticException or OperationCanceledException)
            {
                failures[i] = problem;
            }
        });
        if (Array.Find(failures, f => f is not null) is { } first)
        {
            ExceptionDispatchInfo.Throw(first);
        }

        return results;
    }

    private static ImmutableArray<Pair> Outputs(Graph a, Graph b)
    {
        if (a.Outputs.Count != b.Outputs.Count)
        {
            throw Mismatch("the models have different numbers of outputs", Count(b), Count(a));
        }

        foreach ((Value left, Value right) in a.Outputs.Zip(b.Outputs))
        {
            if (ReasonAgainst(left, right) is { } reason)
            {
                throw Mismatch($"the outputs '{left.Name}' and '{right.Name}' cannot be compared: {reason}", right.Type.ToString(), left.Type.ToString());
            }
        }

        return [.. a.Outputs.Zip(b.Outputs, (left, right) => new Pair(left, right, IsOutput: true))];

        static string Count(Graph graph) => string.Create(CultureInfo.InvariantCulture, $"{graph.Outputs.Count} outputs");
    }

    /// <summary>Pairs of values with equal names, in the order of the second graph, and what is left over of both.</summary>
    /// <remarks>
    /// A name that several values share (none at all, often) pairs them in order when both graphs have as many. Outputs that
    /// have a name of their own in each graph are pairs too, as converters and quantizers give new names to these. Of what has no
    /// partner, results of equal ops and shapes are pairs in their order where both graphs have as many: integer files keep no inner names.
    /// </remarks>
    private static (ImmutableArray<Pair> Pairs, ImmutableArray<UnmatchedEntry> Unmatched) Layers(Graph a, Graph b)
    {
        ILookup<string, Value> ofA = a.Nodes.SelectMany(n => n.Outputs).ToLookup(v => v.Name);
        ILookup<string, Value> ofB = b.Nodes.SelectMany(n => n.Outputs).ToLookup(v => v.Name);
        Dictionary<Value, Value> renamed = [];
        foreach ((Value left, Value right) in a.Outputs.Zip(b.Outputs))
        {
            if (left.Producer is not null && right.Producer is not null && !ofA.Contains(right.Name) && !ofB.Contains(left.Name))
            {
                renamed.TryAdd(right, left);
            }
        }

        HashSet<Value> byPlace = PairByPlace(a, b, ofA, ofB, renamed);
        Dictionary<string, int> next = [];
        ImmutableArray<Pair>.Builder pairs = ImmutableArray.CreateBuilder<Pair>();
        ImmutableArray<UnmatchedEntry>.Builder unmatched = ImmutableArray.CreateBuilder<UnmatchedEntry>();
        HashSet<Value> found = [];
        foreach (Value value in b.Nodes.SelectMany(n => n.Outputs))
        {
            int occurrence = next.GetValueOrDefault(value.Name);
            next[value.Name] = occurrence + 1;
            bool isRenamed = renamed.TryGetValue(value, out Value? partner) && !found.Contains(partner);
            partner = isRenamed ? partner : ofA[value.Name].ElementAtOrDefault(occurrence);
            string? reason = (isRenamed ? null : ReasonAgainst(ofA, ofB, value.Name)) ?? ReasonAgainst(partner!, value);
            if (reason is not null)
            {
                unmatched.Add(new("b", value.Name, value.Producer!.Op.Title, reason));
            }
            else
            {
                found.Add(partner!);
                pairs.Add(new(partner!, value, IsOutput: false) { Name = byPlace.Contains(value) ? partner!.Name : value.Name });
            }
        }

        foreach (Value value in a.Nodes.SelectMany(n => n.Outputs).Where(v => !found.Contains(v)))
        {
            string reason = ReasonAgainst(ofB, ofA, value.Name) ?? "as said of b";
            unmatched.Add(new("a", value.Name, value.Producer!.Op.Title, reason));
        }

        return (pairs.ToImmutable(), unmatched.ToImmutable());
    }

    private static HashSet<Value> PairByPlace(Graph a, Graph b, ILookup<string, Value> ofA, ILookup<string, Value> ofB, Dictionary<Value, Value> renamed)
    {
        HashSet<Value> taken = [.. renamed.Values];
        HashSet<Value> pairs = [];
        ILookup<(string, string, Shape), Value> left = Alone(a, ofB, taken.Contains);
        foreach (IGrouping<(string, string, Shape), Value> right in Alone(b, ofA, renamed.ContainsKey))
        {
            ImmutableArray<Value> partners = [.. left[right.Key]];
            if (partners.Length == right.Count())
            {
                foreach ((Value value, Value partner) in right.Zip(partners))
                {
                    renamed.Add(value, partner);
                    pairs.Add(value);
                }
            }
        }

        return pairs;

        static ILookup<(string, string, Shape), Value> Alone(Graph graph, ILookup<string, Value> others, Func<Value, bool> isPaired) =>
            graph.Nodes.SelectMany(n => n.Outputs).Where(v => !others.Contains(v.Name) && !isPaired(v)).ToLookup(v => (v.Producer!.Op.Title, AttributeWriter.TextOf(v.Producer.Op), v.Type.Shape));
    }

    private static string? ReasonAgainst(ILookup<string, Value> others, ILookup<string, Value> own, string name) =>
        !others.Contains(name) ? "no value of this name"
        : others[name].Count() != own[name].Count() ? "the name is not unique"
        : null;

    private static string? ReasonAgainst(Value a, Value b) =>
        !Difference.HasRealValues(a.Type.DType) || !Difference.HasRealValues(b.Type.DType) ? "the type has no real values"
        : !a.Type.Shape.IsCompatibleWith(b.Type.Shape) ? "the shapes differ"
        : null;

    private static string NameOf(RoundingProfile profile) => profile switch
    {
        RoundingProfile.Tflm => "tflm",
        RoundingProfile.Xnnpack => "xnnpack",
        _ => throw new UnreachableException(),
    };

    private static DiagnosticException Mismatch(string message, string found, string expected) =>
        new(new Diagnostic(DiagnosticId.DataMismatch, message) { Found = found, Expected = expected });

    private readonly record struct Pair(Value A, Value B, bool IsOutput)
    {
        public string Name { get; init; } = B.Name;
    }

    /// <summary>An interpreter for each model.</summary>
    private sealed class Runner : IDisposable
    {
        private readonly Interpreter _a;
        private readonly Interpreter _b;
        private readonly SampleReader _readerA;
        private readonly SampleReader _readerB;

        public Runner(Module a, Module b, bool keep, WorkOptions options, RoundingProfile roundingA, RoundingProfile roundingB)
        {
            InterpreterOptions one = options.ForOneThread with { KeepIntermediates = keep };
            _a = Prepare(a, one with { Rounding = roundingA }, "the first model");
            try
            {
                _b = Prepare(b, one with { Rounding = roundingB }, "the second model");
            }
            catch
            {
                _a.Dispose();
                throw;
            }

            (_readerA, _readerB) = (new(a, _a), new(b, _b));
        }

        private static Interpreter Prepare(Module module, InterpreterOptions options, string which)
        {
            try
            {
                return new(module, module.Main, options);
            }
            catch (DiagnosticException problem)
            {
                throw new DiagnosticException([.. problem.Diagnostics.Select(d => d.Inside(which))]);
            }
        }

        public Difference[] Run(CalibrationSample sample, ImmutableArray<Pair> pairs, CancellationToken cancellation)
        {
            Difference[] sums = [.. pairs.Select(_ => Difference.None)];
            _a.Reset();
            _b.Reset();
            foreach (ImmutableArray<CalibrationTensor> step in sample.Steps)
            {
                _readerA.Fill(sample.Index, step);
                _readerB.Fill(sample.Index, step);
                _a.Run(cancellation);
                _b.Run(cancellation);
                for (int i = 0; i < sums.Length; i++)
                {
                    sums[i] = sums[i].Plus(Compare(pairs[i], sample.Index));
                }
            }

            return sums;
        }

        public void Dispose()
        {
            _a.Dispose();
            _b.Dispose();
        }

        private Difference Compare(Pair pair, long sample)
        {
            (TensorType typeA, TensorType typeB) = (_a.TypeOf(pair.A), _b.TypeOf(pair.B));
            return typeA.ElementCount == typeB.ElementCount
                ? Difference.Of(typeA, _a.Bytes(pair.A), typeB, _b.Bytes(pair.B), pair.IsOutput)
                : throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, $"the values '{pair.B.Name}' of both models differ in shape")
                {
                    At = [string.Create(CultureInfo.InvariantCulture, $"sample {sample}")],
                    Found = typeB.Shape.ToString(),
                    Expected = typeA.Shape.ToString(),
                });
        }
    }
}
