using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Cluster;

/// <summary>What codebooks are asked for.</summary>
/// <param name="Codes">Entries of a codebook, at least 1.</param>
/// <param name="Axis">Dimension of the weight that runs over output channels.</param>
public sealed record CodebookPlan(int Codes, int Axis)
{
    /// <summary>1 for the tensor, or a number that divides the output channels.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>A scale for each output channel, or one.</summary>
    public bool PerChannel { get; init; } = true;

    /// <summary>Largest code of the integer grid, 127 for 8 bits; 0 for real entries and no scales.</summary>
    public int Largest { get; init; } = sbyte.MaxValue;

    /// <summary>One entry is 0 and stays so.</summary>
    public bool PinsZero { get; init; } = true;

    public CentroidInitializer Initializer { get; init; } = CentroidInitializer.Exact;
}

/// <summary>A weight as scale, codebook and indices, where training begins.</summary>
/// <remarks>
/// <para>
/// On a grid every channel is divided by a scale, its root mean square at first, so that the channels share codes: <c>w = scale[c] * step *
/// code[index]</c>. The codebook is found on the quotients of all channels, its entries are whole numbers of steps, and the scales follow
/// by least squares, four times in turn. A runtime with a scale for each channel stores the codes as they are.
/// </para>
/// <para>Source: scales by least squares as in Rastegari et al., "XNOR-Net", 2016, section 3; the codebook is one for all channels as an
/// integer runtime stores it, unlike in the clustering of TensorFlow's Model Optimization Toolkit.</para>
/// </remarks>
/// <param name="Latent">The weight in units of the scales.</param>
/// <param name="Values">Entries [groups, codes]; unused ones repeat the last.</param>
/// <param name="Steps">Step of the grid [groups]; 0 without.</param>
/// <param name="LogScale">Natural logarithms of the scales [channels] or [1].</param>
/// <param name="Index">Entry of each weight.</param>
/// <param name="Zeros">The pinned entry of each group; empty where none is.</param>
public sealed record CodebookStart(float[] Latent, float[] Values, float[] Steps, float[] LogScale, float[] Index, ImmutableArray<int> Zeros)
{
    // Room for the largest code to grow while training.
    private const double HeadRoom = 1.08;

    private const int Rounds = 4;
    private const double LeastCorrection = 0.5;
    private const double MostCorrection = 2;

    /// <summary>Finds codebooks for a weight.</summary>
    /// <param name="weight">f32, dense.</param>
    /// <param name="kept">False where a mask makes it zero; empty without a mask.</param>
    public static CodebookStart Of(TensorData weight, CodebookPlan plan, ReadOnlySpan<bool> kept = default)
    {
        float[] w = weight.AsFloats().ToArray();
        bool[] stays = kept.IsEmpty ? [] : kept.ToArray();
        for (int i = 0; i < stays.Length; i++)
        {
            w[i] = stays[i] ? w[i] : 0;
        }

        ChannelMap map = new(weight.Shape, plan.Axis);
        int scaleCount = plan.PerChannel ? map.Channels : 1;
        bool onGrid = plan.Largest > 0;
        double[] scales = onGrid ? Magnitudes(w, map, scaleCount) : [.. Enumerable.Repeat(1.0, scaleCount)];
        AssignCodes assignment = new(plan.Axis, plan.Largest);
        float[] u = new float[w.Length];
        float[] index = new float[w.Length];
        float[] mask = Array.ConvertAll(stays, s => s ? 1f : 0f);
        for (int round = 0; ; round++)
        {
            Divide(w, map, scales, u);
            (float[] values, float[] steps, ImmutableArray<int> zeros) = Codebooks(u, map, plan, stays);
            assignment.Nearest(weight.Shape, u, values, [plan.Groups, plan.Codes], steps, zeros.IsEmpty ? default : mask, index);
            if (!onGrid || round == Rounds - 1)
            {
                return new(u, values, steps, [.. scales.Select(s => (float)Math.Log(s))], index, zeros);
            }

            Fit(u, index, values, steps, map, plan, scales);
        }
    }

    /// <summary>The codebooks that a weight has already.</summary>
    /// <param name="weight">f32, dense, with a codebook.</param>
    public static CodebookStart OfStructure(TensorData weight, CodebookPlan plan)
    {
        WeightStructure structure = weight.Structure!;
        ChannelMap map = new(weight.Shape, plan.Axis);
        ImmutableArray<long> codes = structure.Codes(weight);
        ReadOnlySpan<float> w = weight.AsFloats();
        int scaleCount = plan.PerChannel ? map.Channels : 1;
        double step = 0;
        double[] scales = [.. Enumerable.Repeat(1.0, scaleCount)];
        if (structure.Grid is { } grid)
        {
            double squares = codes.Sum(c => (double)c * c);
            step = squares == 0 ? 1 : Math.Sqrt(codes.Length / squares);
            for (int c = 0; c < scaleCount; c++)
            {
                scales[c] = grid.Scales[grid.Scales.Length == 1 ? 0 : c] / step;
            }
        }

        float[] values = new float[plan.Groups * plan.Codes];
        float[] latent = new float[w.Length];
        float[] index = new float[w.Length];
        SortedDictionary<float, int>[] entries = [.. Enumerable.Range(0, plan.Groups).Select(_ => new SortedDictionary<float, int>())];
        int size = Math.Max(1, map.Channels / plan.Groups);
        for (int i = 0; i < w.Length; i++)
        {
            latent[i] = step > 0 ? (float)(codes[i] * step) : w[i];
            entries[plan.Groups == 1 ? 0 : map.ChannelOf(i) / size].TryAdd(latent[i] == 0 ? 0 : latent[i], 0);
        }

        List<int> zeros = [];
        for (int g = 0; g < entries.Length; g++)
        {
            if (plan.PinsZero && entries[g].Count < plan.Codes)
            {
                entries[g].TryAdd(0, 0);
            }

            float[] sorted = [.. entries[g].Keys];
            for (int j = 0; j < plan.Codes; j++)
            {
                float value = sorted[Math.Min(j, sorted.Length - 1)];
                values[(g * plan.Codes) + j] = value;
                entries[g][value] = Math.Min(j, sorted.Length - 1);
            }

            if (plan.PinsZero && Array.IndexOf(sorted, 0f) is >= 0 and var zero)
            {
                zeros.Add(zero);
            }
        }

        for (int i = 0; i < w.Length; i++)
        {
            index[i] = entries[plan.Groups == 1 ? 0 : map.ChannelOf(i) / size][latent[i] == 0 ? 0 : latent[i]];
        }

        return new(
            latent,
            values,
            [.. Enumerable.Repeat((float)step, plan.Groups)],
            [.. scales.Select(s => (float)Math.Log(s))],
            index,
            zeros.Count == plan.Groups ? [.. zeros] : []);
    }

    private static double[] Magnitudes(float[] w, ChannelMap map, int count)
    {
        double[] squares = new double[count];
        double[] members = new double[count];
        for (int i = 0; i < w.Length; i++)
        {
            int own = count == 1 ? 0 : map.ChannelOf(i);
            squares[own] += (double)w[i] * w[i];
            members[own] += w[i] == 0 ? 0 : 1;
        }

        double all = squares.Sum() > 0 ? Math.Sqrt(squares.Sum() / members.Sum()) : 1;
        return [.. squares.Select((s, c) => s > 0 ? Math.Sqrt(s / members[c]) : all)];
    }

    private static void Divide(float[] w, ChannelMap map, double[] scales, float[] u)
    {
        for (int i = 0; i < w.Length; i++)
        {
            u[i] = (float)(w[i] / scales[scales.Length == 1 ? 0 : map.ChannelOf(i)]);
        }
    }

    private static (float[] Values, float[] Steps, ImmutableArray<int> Zeros) Codebooks(float[] u, ChannelMap map, CodebookPlan plan, bool[] stays)
    {
        float[] values = new float[plan.Groups * plan.Codes];
        float[] steps = new float[plan.Groups];
        int size = Math.Max(1, map.Channels / plan.Groups);
        List<float>[] members = [.. Enumerable.Range(0, plan.Groups).Select(_ => new List<float>())];
        for (int i = 0; i < u.Length; i++)
        {
            if (stays.Length == 0 || stays[i])
            {
                members[plan.Groups == 1 ? 0 : map.ChannelOf(i) / size].Add(u[i]);
            }
        }

        for (int g = 0; g < plan.Groups; g++)
        {
            float[] chosen = Choose([.. members[g]], plan);
            float largest = 0;
            for (int j = 0; j < plan.Codes; j++)
            {
                float value = chosen[Math.Min(j, chosen.Length - 1)];
                values[(g * plan.Codes) + j] = value == 0 ? 0 : value;
                largest = Math.Max(largest, Math.Abs(value));
            }

            steps[g] = plan.Largest == 0 ? 0 : (float)(HeadRoom * (largest > 0 ? largest : 1) / plan.Largest);
        }

        if (!plan.PerChannel)
        {
            // One scale for the tensor leaves room for one step only.
            Array.Fill(steps, steps.Max());
        }

        ImmutableArray<int> zeros = plan.PinsZero
            ? [.. Enumerable.Range(0, plan.Groups).Select(g => Array.IndexOf(values, 0f, g * plan.Codes, plan.Codes) - (g * plan.Codes))]
            : [];
        return (values, steps, zeros);
    }

    private static float[] Choose(float[] members, CodebookPlan plan)
    {
        if (members.Length == 0)
        {
            return [0];
        }

        // Rules that choose among the values need as many as they are to choose.
        int codes = Math.Min(plan.Codes, plan.PinsZero ? members.Count(v => v != 0) + 1 : members.Length);
        float[] chosen = plan.Initializer == CentroidInitializer.Exact
            ? [.. ExactClusters.Solve(members, codes, plan.PinsZero)]
            : [.. plan.Initializer.Choose(members, codes, plan.PinsZero)];
        Array.Sort(chosen);
        return chosen;
    }

    /// <summary>Scales with the least squared error for the codes that the weights have.</summary>
    private static void Fit(float[] u, float[] index, float[] values, float[] steps, ChannelMap map, CodebookPlan plan, double[] scales)
    {
        double[] products = new double[scales.Length];
        double[] squares = new double[scales.Length];
        int size = Math.Max(1, map.Channels / plan.Groups);
        for (int i = 0; i < u.Length; i++)
        {
            int channel = map.ChannelOf(i);
            int group = plan.Groups == 1 ? 0 : channel / size;
            double q = steps[group] * Math.Clamp(Math.Round(values[(group * plan.Codes) + (int)index[i]] / steps[group]), -plan.Largest, plan.Largest);
            int own = scales.Length == 1 ? 0 : channel;
            products[own] += u[i] * q;
            squares[own] += q * q;
        }

        for (int c = 0; c < scales.Length; c++)
        {
            scales[c] *= squares[c] > 0 ? Math.Clamp(products[c] / squares[c], LeastCorrection, MostCorrection) : 1;
        }
    }
}
