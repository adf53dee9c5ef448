using System.Collections.Immutable;
using Optc.Formats.WeightCoding;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Cluster;

/// <summary>A codebook with the entries of all weights, on the way of a search.</summary>
/// <param name="Codes">Integers that the coder sees.</param>
/// <param name="Distortion">Sum of squared distances in units of the scales.</param>
/// <param name="FittedDistortion">The same with the scales that suit the codes best.</param>
/// <param name="Estimate">Bits as the coder estimates them.</param>
/// <param name="Bits">Bits as the coder measures them; -1 where it was not asked.</param>
/// <param name="Objectives">Sums of the descent that ended here.</param>
internal sealed record EntropyState(
    float[] Values, float[] Index, short[] Codes, double Distortion, double FittedDistortion, double Estimate, long Bits, ImmutableArray<double> Objectives);

/// <summary>The moves of <see cref="EntropyClusters"/> for one weight.</summary>
internal sealed class EntropySearch
{
    // Scales change by no more than this, as those of a start.
    private const double LeastCorrection = 0.5;
    private const double MostCorrection = 2;

    private readonly CodebookStart _start;
    private readonly Shape _shape;
    private readonly CodebookPlan _plan;
    private readonly IWeightCoder _coder;
    private readonly AssignCodes _assignment;
    private readonly ChannelMap _map;
    private readonly float[] _kept;
    private readonly int[] _groupOf;

    public EntropySearch(CodebookStart start, Shape shape, CodebookPlan plan, IWeightCoder coder, ReadOnlySpan<bool> kept)
    {
        (_start, _shape, _plan, _coder, _assignment, _map) = (start, shape, plan, coder, new(plan.Axis, plan.Largest), new(shape, plan.Axis));
        int size = Math.Max(1, _map.Channels / plan.Groups);
        _groupOf = [.. Enumerable.Range(0, start.Latent.Length).Select(i => plan.Groups == 1 ? 0 : _map.ChannelOf(i) / size)];
        _kept = new float[start.Zeros.IsEmpty ? 0 : start.Latent.Length];
        for (int i = 0; i < _kept.Length; i++)
        {
            _kept[i] = (kept.IsEmpty || kept[i]) && start.Latent[i] != 0 ? 1 : 0;
        }

        EntropyState nearest = Measured(StateOf(start.Values, start.Index, []));
        First = nearest with { FittedDistortion = nearest.Distortion };
    }

    public CodebookStart Start => _start;

    /// <summary>The nearest entries, without a price.</summary>
    public EntropyState First { get; }

    /// <summary>The nearest of fewer entries.</summary>
    /// <param name="isEven">Entries at equal distances, which suit variable lengths, instead of those with the least squared distance.</param>
    public EntropyState Begin(int codes, bool isEven)
    {
        float[] values = new float[_start.Values.Length];
        for (int g = 0; g < _plan.Groups; g++)
        {
            float[] members = [.. _start.Latent.Where((_, i) => _groupOf[i] == g && (_kept.Length == 0 || _kept[i] != 0))];
            float[] chosen = members.Length == 0 ? [0] : isEven
                ? [.. CentroidInitializer.Linear.Choose(members, codes, !_start.Zeros.IsEmpty)]
                : [.. ExactClusters.Solve(members, codes, !_start.Zeros.IsEmpty)];
            for (int j = 0; j < _plan.Codes; j++)
            {
                values[(g * _plan.Codes) + j] = chosen[Math.Min(j, chosen.Length - 1)];
            }
        }

        return StateOf(values, Assign(values, new float[values.Length]), []);
    }

    /// <summary>Goes on at a price until nothing gets better.</summary>
    public EntropyState Descend(EntropyState state, double price, int mostRounds, double leastProgress)
    {
        CodeLengths lengths = _coder.EstimateLengths(state.Codes);
        double objective = state.Distortion + (price * state.Estimate);
        List<double> objectives = [objective];
        for (int round = 0; round < mostRounds; round++)
        {
            float[] index = Assign(state.Values, [.. Entries(state.Values).Select(code => (float)(price * lengths[code]))]);
            EntropyState next = StateOf(Means(state.Values, index), index, []);
            double sum = next.Distortion + (price * next.Estimate);
            if (!(sum < objective - (leastProgress * Math.Abs(objective))))
            {
                break;
            }

            (state, objective) = (next, sum);
            lengths = _coder.EstimateLengths(state.Codes);
            objectives.Add(objective);
        }

        return state with { Objectives = [.. objectives] };
    }

    public EntropyState Measured(EntropyState state) => state.Bits >= 0 ? state : state with { Bits = _coder.CountBits(state.Codes) };

    /// <summary>A state as a start, with the scales that suit its codes best.</summary>
    public CodebookStart Fitted(EntropyState state)
    {
        ImmutableArray<int> zeros = _start.Zeros.IsEmpty
            ? []
            : [.. Enumerable.Range(0, _plan.Groups).Select(g => Array.IndexOf(state.Values, 0f, g * _plan.Codes, _plan.Codes) - (g * _plan.Codes))];
        CodebookStart found = _start with { Values = state.Values, Index = state.Index, Zeros = zeros };
        if (_plan.Largest == 0)
        {
            return found;
        }

        double[] corrections = [.. Products(state.Codes).Select(Correction)];
        return found with
        {
            LogScale = [.. _start.LogScale.Select((s, c) => (float)(s + Math.Log(corrections[c])))],
            Latent = [.. _start.Latent.Select((u, i) => (float)(u / corrections[corrections.Length == 1 ? 0 : _map.ChannelOf(i)]))],
        };
    }

    private static double Correction((double Product, double Square) channel) =>
        channel.Square > 0 ? Math.Clamp(channel.Product / channel.Square, LeastCorrection, MostCorrection) : 1;

    /// <summary>For each scale the products of weights and codes, and the squares of codes.</summary>
    private (double Product, double Square)[] Products(short[] codes)
    {
        (double Product, double Square)[] sums = new (double, double)[_start.LogScale.Length];
        for (int i = 0; i < codes.Length; i++)
        {
            int own = sums.Length == 1 ? 0 : _map.ChannelOf(i);
            double value = _start.Steps[_groupOf[i]] * (double)codes[i];
            sums[own] = (sums[own].Product + (_start.Latent[i] * value), sums[own].Square + (value * value));
        }

        return sums;
    }

    /// <summary>What distances come to when each scale grows by its correction k: the sum of (u - q)^2 becomes that of (u - k q)^2.</summary>
    private double AfterFit(short[] codes, double distortion) => _plan.Largest == 0 ? distortion : distortion + Products(codes).Sum(c =>
    {
        double k = Correction(c);
        return (2 * (1 - k) * c.Product) + (((k * k) - 1) * c.Square);
    });

    private EntropyState StateOf(float[] values, float[] index, ImmutableArray<double> objectives)
    {
        short[] entries = Entries(values);
        short[] codes = new short[index.Length];
        double distortion = 0;
        for (int i = 0; i < codes.Length; i++)
        {
            int entry = (_groupOf[i] * _plan.Codes) + (int)index[i];
            codes[i] = entries[entry];
            double distance = _start.Latent[i] - (_plan.Largest == 0 ? values[entry] : _start.Steps[_groupOf[i]] * (double)codes[i]);
            distortion += distance * distance;
        }

        return new(values, index, codes, distortion, AfterFit(codes, distortion), _coder.EstimateLengths(codes).Sum(codes), -1, objectives);
    }

    private short[] Entries(float[] values) => EntropyClusters.CodesOf(values, _start.Steps, _plan.Codes, _plan.Largest);

    private float[] Assign(float[] values, float[] prices)
    {
        float[] index = new float[_start.Index.Length];
        _assignment.Assign(_shape, _start.Latent, values, [_plan.Groups, _plan.Codes], _start.Steps, prices, _kept, index);
        return index;
    }

    /// <summary>Each entry at the mean of its weights; zero, where it is pinned, and entries that have none where they are.</summary>
    private float[] Means(float[] values, float[] index)
    {
        double[] sums = new double[values.Length];
        int[] members = new int[values.Length];
        for (int i = 0; i < index.Length; i++)
        {
            int entry = (_groupOf[i] * _plan.Codes) + (int)index[i];
            sums[entry] += _start.Latent[i];
            members[entry]++;
        }

        return [.. values.Select((v, j) => (v == 0 && !_start.Zeros.IsEmpty) || members[j] == 0 ? v : (float)(sums[j] / members[j]))];
    }
}
