using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Tests.Unit.Ir;

/// <summary>Weights that are made to have a structure.</summary>
internal static class PlantedWeight
{
    /// <summary>A weight of some parts of a structure, each with its share of chance.</summary>
    public static TensorData Random(Random random, Shape shape, int axis) => Make(
        random,
        shape,
        axis,
        grid: random.Next(2) == 0,
        codes: random.Next(3) > 0 ? random.Next(2, 9) : 0,
        masked: random.Next(2) == 0);

    /// <summary>A weight on a grid of 8 bits or off any grid.</summary>
    /// <param name="codes">Codes of the whole tensor, the zero included; 0 for no codebook.</param>
    /// <param name="perChannel">A scale for each channel, or one.</param>
    public static TensorData Make(Random random, Shape shape, int axis, bool grid, int codes, bool masked, bool perChannel = true)
    {
        ChannelMap map = new(shape, axis);
        float[] scales = new float[perChannel ? map.Channels : 1];
        for (int c = 0; c < scales.Length; c++)
        {
            scales[c] = (float)(0.002 * Math.Exp(random.NextDouble() * 3));
        }

        // Zero is one of the entries and stands first.
        float[] book = [0, .. Enumerable.Range(1, Math.Max(0, codes - 1)).Select(i => (float)(grid ? (i % 2 == 0 ? -1 : 1) * ((i * 13) + 5) : (i % 2 == 0 ? -0.1f : 0.07f) * i))];
        bool[] kept = new bool[shape.ElementCount];
        float[] values = new float[kept.Length];
        for (int i = 0; i < values.Length; i++)
        {
            kept[i] = !masked || random.Next(3) > 0;
            float value = codes > 0 ? book[random.Next(codes)] : grid ? random.Next(-127, 128) : (random.NextSingle() * 2) - 1;
            values[i] = !kept[i] ? 0 : grid ? value * scales[perChannel ? map.ChannelOf(i) : 0] : value;
        }

        return TensorData.FromFloats(shape, values).With(new WeightStructure
        {
            Mask = masked && kept.Contains(false) ? new("elements", [.. kept]) : null,
            Codebook = codes > 0 ? new(codes, 1, axis) : null,
            Grid = grid ? new([.. scales], axis) : null,
        });
    }

    /// <summary>The same structure on changed values.</summary>
    public static TensorData With(this TensorData data, int element, float value)
    {
        float[] values = data.AsFloats().ToArray();
        values[element] = value;
        return TensorData.FromFloats(data.Shape, values).With(data.Structure);
    }

    public static ImmutableArray<StructureBreach> Check(this TensorData data) => data.Structure!.Check(data);
}
