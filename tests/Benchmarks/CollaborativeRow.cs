using System.Collections.Immutable;
using System.Globalization;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Tests.Benchmarks;

/// <summary>What one way to compress made of one model.</summary>
/// <param name="Case">The task.</param>
/// <param name="Row">The way.</param>
/// <param name="FloatAccuracy">Of the float form, 0 to 1.</param>
/// <param name="Correct">Which test samples the integer model decides rightly, as 0 and 1.</param>
/// <param name="Coded">Weights by order-0 entropy: sum of <c>ceil(N H / 8) + 2</c> for each code.</param>
/// <param name="WeightGzip">gzip of the integer weights.</param>
/// <param name="FileGzip">gzip of the whole file.</param>
/// <param name="Mlw">Ethos-U stream, compatible, in the order of the file.</param>
/// <param name="MostCodes">Distinct codes of the layer that has most, layers without codebook too.</param>
/// <param name="Invariants">Structures that hold in the bytes, of how many.</param>
internal sealed record CollaborativeRow(
    string Case, ulong Seed, string Row, long Steps, double FloatAccuracy, string Correct, double BitsPerWeight, long Coded, long WeightGzip, long FileGzip, long Mlw, int MostCodes, string Invariants)
{
    public double Accuracy => (double)Correct.Count(c => c == '1') / Correct.Length;

    /// <summary>Counts bytes of an integer model.</summary>
    /// <param name="correct">Which test samples it decides rightly.</param>
    public static CollaborativeRow Of(string task, ulong seed, string row, long steps, double floatAccuracy, bool[] correct, Model model)
    {
        byte[] file = model.ToTfLite();
        Module read = Model.Read(file).Module;
        ImmutableArray<short[]> weights = [.. Weights(read.Main).Select(w => CodableWeights.Of(w.Constant!, w.Type.Quant)!)];
        ReadOnlyMemory<short>[] parts = [.. weights.Select(w => new ReadOnlyMemory<short>(w))];
        long coded = ((IWeightCoder)WeightCoders.OrderZero).CountPayloadBits(parts) / 8;
        (int held, int all) = Proofs(model.Module, read);
        return new(
            task,
            seed,
            row,
            steps,
            floatAccuracy,
            string.Concat(correct.Select(c => c ? '1' : '0')),
            weights.Sum(w => OrderZeroCoder.Entropy(w) * w.Length) / weights.Sum(w => w.Length),
            coded,
            WeightCoders.Gzip.CountPayloadBits(parts) / 8,
            WeightCoders.Gzip.CountBytes(file),
            WeightCoders.EthosU.CountPayloadBits(parts) / 8,
            weights.Max(w => w.Distinct().Count()),
            $"{held}/{all}");
    }

    public string ToLine() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Case}\t{Seed}\t{Row}\t{Steps}\t{FloatAccuracy:R}\t{Correct}\t{BitsPerWeight:R}\t{Coded}\t{WeightGzip}\t{FileGzip}\t{Mlw}\t{MostCodes}\t{Invariants}");

    public static CollaborativeRow Parse(string line)
    {
        string[] f = line.Split('\t');
        long Long(int i) => long.Parse(f[i], CultureInfo.InvariantCulture);
        double Real(int i) => double.Parse(f[i], CultureInfo.InvariantCulture);
        return new(f[0], (ulong)Long(1), f[2], Long(3), Real(4), f[5], Real(6), Long(7), Long(8), Long(9), Long(10), (int)Long(11), f[12]);
    }

    private static IEnumerable<Value> Weights(Graph graph) => graph.Nodes
        .Where(n => n.Op is Conv2D or DepthwiseConv2D or FullyConnected)
        .Select(n => n.Inputs[1]!)
        .Where(v => v.Constant is { DType: DType.I8 })
        .Distinct();

    private static (int Held, int All) Proofs(Module model, Module read)
    {
        (Value Made, Value Found)[] pairs = [.. Weights(model.Main).Zip(Weights(read.Main)).Where(p => p.First.Constant!.Structure is not null)];
        return (pairs.Count(p => p.Made.Constant!.Structure!.Check(p.Found.Constant!).IsEmpty), pairs.Length);
    }
}
