using System.Globalization;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Passes.Cluster;

namespace Optc.Tests.Benchmarks;

/// <summary>Bits and errors of clustered weights of real models: the nearest of n codes, and codes with a price on their bits.</summary>
internal static class EntropyClusteringTable
{
    private const int MostCodes = 32;

    private static readonly int[] Numbers = [4, 6, 8, 12, 16, 24, 32];

    private static readonly double[] Prices = [0.01, 0.02, 0.04, 0.08, 0.16];

    /// <param name="shared">Folder of third-party models and data.</param>
    public static void Print(string shared)
    {
        foreach (string name in (ReadOnlySpan<string>)["pretrainedResnet", "kws_ref_model"])
        {
            (TensorData Weight, int Axis)[] weights = [.. WeightsOf(Model.Load(Path.Combine(shared, "models", name, $"{name}.tflite")))];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {weights.Length} tensors, {weights.Sum(w => w.Weight.Shape.ElementCount)} weights"));
            Console.WriteLine();
            Console.WriteLine("| codes | price of a bit | order-0, bits/weight | ethos-u, bits/weight | ethos-u-smallest, bits/weight | SQNR, dB | SQNR of unit channels, dB |");
            Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
            foreach (int codes in Numbers)
            {
                Console.WriteLine(Rows($"nearest of {codes}", weights, codes, [0], WeightCoders.OrderZero));
            }

            foreach (IWeightCoder coder in (ReadOnlySpan<IWeightCoder>)[WeightCoders.OrderZero, WeightCoders.EthosU])
            {
                Console.WriteLine(Rows($"up to {MostCodes}, for {coder.Name}", weights, MostCodes, Prices, coder));
            }

            Console.WriteLine();
        }
    }

    private static string Rows(string title, (TensorData Weight, int Axis)[] weights, int codes, double[] prices, IWeightCoder coder)
    {
        Sums[][] sums = new Sums[weights.Length][];
        Parallel.For(0, weights.Length, w =>
        {
            (TensorData weight, int axis) = weights[w];
            CodebookPlan plan = new((int)Math.Min(codes, Math.Max(2, weight.Shape.ElementCount / 4)), axis);
            CodebookStart nearest = CodebookStart.Of(weight, plan);
            EntropyFrontier? frontier = prices is [0] ? null : EntropyClusters.Frontier(nearest, weight.Shape, plan, coder);
            sums[w] = [.. prices.Select(p => SumsOf(weight, axis, plan, frontier?.At(p).Start ?? nearest))];
        });
        return string.Join('\n', prices.Select((price, i) =>
        {
            double count = weights.Sum(w => (double)w.Weight.Shape.ElementCount);
            (double order, double stream, double smallest) = (sums.Sum(s => s[i].Order), sums.Sum(s => s[i].Stream), sums.Sum(s => s[i].Smallest));
            double ratio = sums.Sum(s => s[i].Squares) / sums.Sum(s => s[i].Errors);
            double ofUnits = count / sums.Sum(s => s[i].UnitErrors);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"| {title} | {price} | {order / count:0.000} | {stream / count:0.000} | {smallest / count:0.000} | {10 * Math.Log10(ratio):0.00} | {10 * Math.Log10(ofUnits):0.00} |");
        }));
    }

    private static Sums SumsOf(TensorData weight, int axis, CodebookPlan plan, CodebookStart start)
    {
        short[] entries = EntropyClusters.CodesOf(start.Values, start.Steps, plan.Codes, plan.Largest);
        short[] integers = [.. start.Index.Select(i => entries[(int)i])];
        ChannelMap map = new(weight.Shape, axis);
        ReadOnlySpan<float> real = weight.AsFloats();
        (double Squares, double Errors, double Count)[] channels = new (double, double, double)[map.Channels];
        for (int i = 0; i < integers.Length; i++)
        {
            double value = Math.Exp(start.LogScale[start.LogScale.Length == 1 ? 0 : map.ChannelOf(i)]) * start.Steps[0] * integers[i];
            ref (double Squares, double Errors, double Count) channel = ref channels[map.ChannelOf(i)];
            channel = (channel.Squares + ((double)real[i] * real[i]), channel.Errors + ((real[i] - value) * (real[i] - value)), channel.Count + 1);
        }

        return new(
            WeightCoders.OrderZero.CountBits(integers),
            WeightCoders.EthosU.CountBits(integers),
            WeightCoders.EthosUSmallest.CountBits(integers),
            channels.Sum(c => c.Squares),
            channels.Sum(c => c.Errors),
            channels.Sum(c => c.Squares > 0 ? c.Count * c.Errors / c.Squares : 0));
    }

    /// <summary>Weights of convolutions and dense layers, of integer models as the numbers that they stand for.</summary>
    private static IEnumerable<(TensorData Weight, int Axis)> WeightsOf(Model model)
    {
        foreach (Node node in model.Module.Main.Nodes.Where(n => n.Op is Ops.Conv2D or Ops.DepthwiseConv2D or Ops.FullyConnected))
        {
            if (node.Inputs[1] is not { Constant: { } constant } value)
            {
                continue;
            }

            int axis = node.Op is Ops.DepthwiseConv2D ? 3 : 0;
            if (constant.DType is DType.F32)
            {
                yield return (constant.ToDense(), axis);
            }
            else if (CodableWeights.Of(constant, value.Type.Quant) is { } codes && value.Type.Quant is { } quant)
            {
                ChannelMap map = new(constant.Shape, quant.IsPerAxis ? quant.Axis : axis);
                yield return (
                    TensorData.FromFloats(constant.Shape, [.. codes.Select((c, i) => quant.Scales[quant.IsPerAxis ? map.ChannelOf(i) : 0] * c)]), axis);
            }
        }
    }

    private readonly record struct Sums(double Order, double Stream, double Smallest, double Squares, double Errors, double UnitErrors);
}
