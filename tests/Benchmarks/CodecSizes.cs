using System.Globalization;
using System.Text.Json;
using Optc.Formats.EthosU;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Ops;
using Optc.Passes.Quantize;

namespace Optc.Tests.Benchmarks;

/// <summary>Bytes of the Ethos-U streams: of the reference's vectors, and of the layers of whole models.</summary>
/// <param name="Shared">Folder of third-party models and data.</param>
internal sealed record CodecSizes(string Shared)
{
    private const int OutputBlockDepth = 64;

    private static readonly string[] Models = ["ad01_int8", "vww_96_int8", "pretrainedResnet", "kws_ref_model"];

    public void Print()
    {
        PrintVectors();
        Console.WriteLine();
        PrintModels();
    }

    private static string Row(string name, long weights, long compatible, long smallest, double bound)
    {
        string above = bound < 1 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100 * (smallest - bound) / bound:0.0} %");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {weights} | {compatible} | {smallest} | {100.0 * (smallest - compatible) / compatible:0.0} % | {bound:0} | {above} |");
    }

    private static double Bound(ReadOnlySpan<short> weights) => OrderZeroCoder.Entropy(weights) * weights.Length / 8;

    private static short[] ReadWeights(string path, JsonElement vector) => vector.GetProperty("raw_dtype").GetString() == "int8"
        ? [.. File.ReadAllBytes(path).Select(b => (short)(sbyte)b)]
        : [.. File.ReadAllBytes(path).Chunk(2).Select(b => BitConverter.ToInt16(b))];

    private void PrintVectors()
    {
        string folder = Path.Combine(Shared, "data", "mlw");
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "manifest.json")));
        Console.WriteLine("| vector | weights | reference | smallest | change | entropy | above it |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
        (long Weights, long Reference, long Smallest, double Bound) all = default;
        foreach (JsonElement vector in manifest.RootElement.GetProperty("cases").EnumerateArray())
        {
            string content = vector.GetProperty("kind").GetString() == "encode" ? "raw" : "reordered";
            short[] weights = ReadWeights(Path.Combine(folder, vector.GetProperty(content).GetString()!), vector);
            byte[] reference = File.ReadAllBytes(Path.Combine(folder, vector.GetProperty("stream").GetString()!));
            byte[] smallest = WeightCodec.Encode(weights, WeightCodecMode.Smallest);
            if (!WeightCodec.Encode(weights).AsSpan().SequenceEqual(reference) || !WeightCodec.Decode(smallest).AsSpan().SequenceEqual(weights))
            {
                throw new InvalidDataException($"The codec is wrong for {vector.GetProperty("name").GetString()}.");
            }

            Console.WriteLine(Row(vector.GetProperty("name").GetString()!, weights.Length, reference.Length, smallest.Length, Bound(weights)));
            all = (all.Weights + weights.Length, all.Reference + reference.Length, all.Smallest + smallest.Length, all.Bound + Bound(weights));
        }

        Console.WriteLine(Row("all", all.Weights, all.Reference, all.Smallest, all.Bound));
    }

    private void PrintModels()
    {
        Console.WriteLine("| model, order | weights | compatible | smallest | change | entropy | above it |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
        foreach (bool isReordered in (ReadOnlySpan<bool>)[false, true])
        {
            (long Weights, long Compatible, long Smallest, double Bound) three = default;
            foreach (string name in Models)
            {
                (long Weights, long Compatible, long Smallest, double Bound) sum = default;
                foreach (short[] weights in LayersOf(name, isReordered))
                {
                    byte[] compatible = WeightCodec.Encode(weights);
                    byte[] smallest = WeightCodec.Encode(weights, WeightCodecMode.Smallest);
                    if (!WeightCodec.Decode(smallest).AsSpan().SequenceEqual(weights) || !WeightCodec.Decode(compatible).AsSpan().SequenceEqual(weights))
                    {
                        throw new InvalidDataException($"The codec is wrong for a layer of {name}.");
                    }

                    sum = (sum.Weights + weights.Length, sum.Compatible + compatible.Length, sum.Smallest + smallest.Length, sum.Bound + Bound(weights));
                }

                string order = isReordered ? "reordered" : "file order";
                Console.WriteLine(Row($"{name}, {order}", sum.Weights, sum.Compatible, sum.Smallest, sum.Bound));
                three = (three.Weights + sum.Weights, three.Compatible + sum.Compatible, three.Smallest + sum.Smallest, three.Bound + sum.Bound);
                if (name == Models[2])
                {
                    Console.WriteLine(Row($"these three, {order}", three.Weights, three.Compatible, three.Smallest, three.Bound));
                }
            }
        }
    }

    /// <summary>Weights of all convolutions and dense layers, of float models as the dynamic-range recipe quantizes them.</summary>
    private IEnumerable<short[]> LayersOf(string name, bool isReordered)
    {
        Model model = Model.Load(Path.Combine(Shared, "models", name, name + ".tflite"));
        if (model.Inputs[0].Type.DType == DType.F32)
        {
            model = model.Quantize(QuantizationRecipe.DynamicRange with { MinimumElements = 0 });
        }

        foreach (Node node in model.Module.Main.Nodes)
        {
            if (node.Op is not (Conv2D or DepthwiseConv2D or FullyConnected) || node.Inputs[1] is not { Constant: { } constant, Type.Quant: var quant }
                || CodableWeights.Of(constant, quant) is not { } weights)
            {
                continue;
            }

            yield return isReordered ? Reorder(node.Op, constant.Shape, weights) : weights;
        }
    }

    private static short[] Reorder(IOp op, Shape shape, short[] weights)
    {
        WeightShape ohwi = op switch
        {
            FullyConnected => new(shape[0], 1, 1, shape[1]),
            DepthwiseConv2D => new(shape[3], shape[1], shape[2], 1),
            _ => new(shape[0], shape[1], shape[2], shape[3]),
        };
        if (op is DepthwiseConv2D)
        {
            short[] transposed = new short[weights.Length];
            int kernel = ohwi.KernelHeight * ohwi.KernelWidth;
            for (int i = 0; i < weights.Length; i++)
            {
                transposed[(i % ohwi.OutputChannels * kernel) + (i / ohwi.OutputChannels)] = weights[i];
            }

            weights = transposed;
        }

        WeightTraversal traversal = op switch
        {
            FullyConnected => WeightTraversal.DepthFirst,
            DepthwiseConv2D => WeightTraversal.Depthwise,
            _ => TraversalOptions.ForConvolution(ohwi),
        };
        return WeightReordering.Reorder(weights, ohwi, new() { Traversal = traversal, OutputBlockDepth = OutputBlockDepth });
    }
}
