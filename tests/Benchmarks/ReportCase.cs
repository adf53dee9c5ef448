using System.Collections.Immutable;
using Optc.Architectures;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes;
using Optc.Passes.Cluster;
using Optc.Passes.Prune;
using Optc.Passes.Quantize;
using Optc.Report.Compression;
using Optc.Training;

namespace Optc.Tests.Benchmarks;

/// <summary>A compression of an untrained model: real weights, zeros and codes in every stage, scores and curves made up.</summary>
internal static class ReportCase
{
    private const int Calibration = 8;
    private const int Epochs = 12;
    private const double Sparsity = 0.5;
    private const int Clusters = 16;

    /// <param name="architecture">Name, see <see cref="Architecture.All"/>.</param>
    public static CompressionRun Build(string architecture)
    {
        Model baseline = Model.Of(Architecture.Find(architecture).Build(new() { BatchNormalization = false, Seed = 5 }), architecture);
        Model pruned = Map(baseline, "prune", w =>
        {
            bool[] mask = PruningMask.Unstructured(Array.ConvertAll(w, Math.Abs), Sparsity);
            return [.. w.Select((v, i) => mask[i] ? v : 0)];
        });
        Model clustered = Map(pruned, "cluster", w =>
        {
            ImmutableArray<float> codes = ExactClusters.Solve(w, Clusters, pinZero: true);
            return [.. w.Select(v => codes.MinBy(c => Math.Abs(c - v)))];
        });
        Dataset data = Dataset.Of(Samples(baseline.Inputs[0].Type.Shape));
        Model Quantized(Model model) => model.Quantize(QuantizationRecipe.StaticInt8 with { Weights = WeightGranularity.PerTensor }, data);
        ImmutableArray<StageResult> stages =
        [
            new("Baseline") { Float = baseline, Int8 = Quantized(baseline), FloatScore = 0.832, Int8Score = 0.8305 },
            new("Pruned") { Float = pruned, Int8 = Quantized(pruned), FloatScore = 0.8275, Int8Score = 0.8255, Curve = Curve(1.2, 0.8275) },
            new("Clustered") { Float = clustered, Int8 = Quantized(clustered), FloatScore = 0.818, Int8Score = 0.8165, Curve = Curve(0.9, 0.818) },
            new("QAT")
            {
                Float = clustered,
                Int8 = Quantized(clustered),
                FloatScore = 0.8235,
                FakeQuantScore = 0.822,
                Int8Score = 0.8215,
                Curve = Curve(0.7, 0.822),
                Mode = "PCQAT",
                ModeReason = "the weights have a mask of 50 % zeros and 16 codes, which training keeps",
            },
        ];
        string[] layers = [.. baseline.Inspect().Weights.Select(w => w.Layer)];
        return new(architecture, Metric.Accuracy, stages)
        {
            Samples = 2000,
            Skipped = [new(layers[^1], "Clustered", "the last layer, which the recipe excludes")],
            Agreement = [.. layers.Select((l, i) => new LayerAgreement(l, 0.0004 * (i + 1), 62 - i, 0.02))],
            Invariants =
            [
                .. layers.Select(l => new InvariantResult(l, "zeros kept", "at least 50.0 %", "50.0 %", Holds: true)),
                .. layers.Select(l => new InvariantResult(l, "distinct codes", "at most 16", "16", Holds: true)),
            ],
            Pareto =
            [
                .. from s in Enumerable.Range(0, 6) from k in new[] { 4, 8, 16, 32 }
                   select new ParetoPoint(
                       $"prune {s * 15} %, {k} codes",
                       (long)((110 - (s * 15)) * 600 * Math.Log2(k)),
                       0.835 - (0.0011 * s * s) - (0.11 / k) - (0.004 * (((s * 7) + k) % 5)),
                       s == 3 && k == 16),
            ],
            Reproduction = new(
                "0.1.0",
                [ContentHash.Of("input", $"{architecture}.tflite", baseline.ToTfLite()), ContentHash.Of("result", $"{architecture}-int8.tflite", stages[^1].Int8!.ToTfLite())],
                5,
                "steps:\n  - prune: { sparsity: 0.5, schedule: polynomial }\n  - cluster: { codes: 16 }\n  - quantize-aware: { epochs: 12 }\n",
                $"optc optimize {architecture}.tflite --recipe pcqat"),
        };
    }

    private static ImmutableArray<EpochRecord> Curve(double loss, double score) =>
    [
        .. Enumerable.Range(1, Epochs).Select(e => new EpochRecord(
            e, 0.001 * (Epochs - e + 1) / Epochs, loss * Math.Exp(-e / 6.0), score - (0.1 * Math.Exp(-e / 3.0)), e == Epochs)),
    ];

    private static TensorData Samples(Shape input)
    {
        Shape shape = [Calibration, .. input.Dims[1..]];
        Random random = new(7);
        float[] values = new float[shape.ElementCount];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (random.NextSingle() * 2) - 1;
        }

        return TensorData.FromFloats(shape, values);
    }

    private static Model Map(Model model, string name, Func<float[], float[]> map) =>
        model.Apply(new Pipeline(name, [new RewritePass(name, "changes weights", new WeightMap(map))], []));

    /// <summary>Replaces the weights of each layer once.</summary>
    private sealed class WeightMap(Func<float[], float[]> map) : IRewriteRule
    {
        private readonly HashSet<string> _done = [];

        public string Name => "map-weights";

        public string Summary => "replaces weights";

        public bool Concerns(IOp op) => op is Conv2D or DepthwiseConv2D or FullyConnected;

        public Rewrite Apply(Graph graph, Node node, GraphPatch patch)
        {
            Value weights = node.Inputs[1]!;
            return _done.Add(node.Name)
                ? patch.SetInput(node, 1, GraphPatch.Constant(TensorData.FromFloats(weights.Type.Shape, map(weights.Constant!.AsFloats().ToArray())), weights.Name))
                : Rewrite.Decline("done");
        }
    }
}
