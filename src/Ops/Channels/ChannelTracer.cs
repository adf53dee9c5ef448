using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Kernels;

namespace Optc.Ops.Channels;

/// <summary>Follows channels through a graph: where they are made, where they are read, and which can only go together.</summary>
/// <remarks>
/// Ops see one node at a time, in execution order, and say what they do with channels (<see cref="IShrinkable"/>). A channel that reaches the
/// outputs, an op that says nothing, or one that would compute something else without it, is fixed, with the reason. Source of the idea: Fang
/// et al., "DepGraph: towards any structural pruning", 2023.
/// </remarks>
public sealed class ChannelTracer
{
    private readonly List<int> _parents = [];
    private readonly List<string?> _reasons = [];
    private readonly List<(Node Node, int Output)?> _makers = [];
    private readonly Dictionary<Value, ChannelAxis> _axes = [];
    private readonly List<ChannelSlices> _slices = [];
    private readonly List<ChannelCount> _counts = [];

    /// <param name="exact">
    /// Channels need not be zero to go: whoever removes them knows what they are where they are read (see <see cref="SumUp"/>).
    /// </param>
    /// <exception cref="OpRuleException">A node does not obey the rules of its op.</exception>
    public ChannelTracer(Graph graph, bool exact = false)
    {
        IsExact = exact;
        foreach (Node node in graph.Nodes)
        {
            Node = node;
            if (node.Op is IShrinkable op)
            {
                op.TraceChannels(this);
            }
            else
            {
                FixInputs($"{node} does not tell channels apart");
            }
        }

        foreach (Value output in graph.Outputs)
        {
            Fix(AxisOf(output), $"'{output.Name}' is an output of the model");
        }

        TieSharedConstants();
    }

    /// <summary>Whether channels may go that are not zero.</summary>
    public bool IsExact { get; }

    /// <summary>The node whose op is asked.</summary>
    public Node Node { get; private set; } = null!;

    /// <summary>Channels are numbered from 0; those that can only go together have the same <see cref="Root"/>.</summary>
    public int Count => _parents.Count;

    /// <summary>Every operand with slices for channels.</summary>
    public IReadOnlyList<ChannelSlices> Slices => _slices;

    /// <summary>Every constant element that counts channels.</summary>
    public IReadOnlyList<ChannelCount> Counts => _counts;

    /// <summary>Where the channels of a value are; <see langword="null"/> when none of it can be removed.</summary>
    public ChannelAxis? AxisOf(Value value) => _axes.GetValueOrDefault(value);

    /// <summary>The node that makes a channel, and its number there; <see langword="null"/> for borders.</summary>
    public (Node Node, int Output)? MakerOf(int channel) => _makers[channel];

    /// <summary>Why a channel and those tied to it cannot be removed, or <see langword="null"/>.</summary>
    public string? WhyFixed(int channel) => _reasons[Root(channel)];

    /// <summary>The channel that stands for all that can only go together.</summary>
    public int Root(int channel)
    {
        while (_parents[channel] != channel)
        {
            channel = _parents[channel] = _parents[_parents[channel]];
        }

        return channel;
    }

    /// <summary>Shape of an operand.</summary>
    public Shape Shape(int operand) => Node.Inputs[operand]!.Type.Shape;

    /// <summary>Channels of an operand; <see langword="null"/> when it is left out, a constant, or none of it can be removed.</summary>
    public ChannelAxis? Input(int operand) => Node.Input(operand) is { } value ? AxisOf(value) : null;

    /// <summary>Integers of a constant operand, or <see langword="null"/> when it is computed.</summary>
    public int[]? Ints(int operand) => Node.Input(operand)?.Constant?.ToDense().AsInts();

    /// <summary>Says where the channels of a result are.</summary>
    public void Give(ChannelAxis? axis, int output = 0)
    {
        if (axis is not null)
        {
            _axes[Node.Outputs[output]] = axis;
        }
    }

    /// <summary>The only result has the channels of the first operand, at the same places.</summary>
    /// <param name="keepsZero">The op makes 0 of 0.</param>
    public void PassOn(bool keepsZero = true) => Give(Input(0)?.Through(keepsZero));

    /// <summary>As <see cref="PassOn"/> for an op that treats the channels of x [N, H, W, C] alike; other dimensions cannot be shrunk.</summary>
    public void PassOnChannels(bool keepsZero = true) => Give(Last(0)?.Through(keepsZero));

    /// <summary>Channels of an operand along its last dimension; those along another are fixed, since the op does not treat them alike.</summary>
    public ChannelAxis? Last(int operand)
    {
        if (Input(operand) is { } axis && axis.Axis != Shape(operand).Rank - 1)
        {
            Fix(axis, $"{Node} reads it as something else than channels");
            return null;
        }

        return Input(operand);
    }

    /// <summary>The only result has the elements of the first operand under another shape.</summary>
    /// <returns>Where the channels are now; <see langword="null"/> when there are none, or they are fixed because no dimension tells them apart.</returns>
    public ChannelAxis? PassOnReshaped()
    {
        if (Input(0) is not { } x)
        {
            return null;
        }

        ChannelAxis? y = x.Reshaped(Shape(0), Node.Outputs[0].Type.Shape);
        Give(y);
        if (y is null)
        {
            Fix(x, $"{Node} mixes channels with other dimensions");
        }

        return y;
    }

    /// <summary>True when a fused activation makes 0 of 0.</summary>
    public static bool KeepsZero(FusedActivation activation) => activation is not FusedActivation.SignBit;

    /// <summary>Forbids to remove the channels.</summary>
    public void Fix(ChannelAxis? axis, string reason)
    {
        foreach (int channel in axis?.Channels ?? [])
        {
            Fix(channel, reason);
        }
    }

    /// <summary>Forbids to remove any channel of the operands.</summary>
    public void FixInputs(string reason)
    {
        for (int i = 0; i < Node.Inputs.Length; i++)
        {
            Fix(Input(i), reason);
        }
    }

    /// <summary>Two channels go together or not at all.</summary>
    public void Tie(int a, int b)
    {
        (a, b) = (Root(a), Root(b));
        if (a != b)
        {
            (int first, int second) = (Math.Min(a, b), Math.Max(a, b));
            _parents[second] = first;
            _reasons[first] ??= _reasons[second];
        }
    }

    /// <summary>New channels that nothing made: borders of zeros, or something that cannot be removed.</summary>
    public ImmutableArray<int> Add(int count, string? fixedBy = null) => [.. Enumerable.Range(0, count).Select(_ => New(null, fixedBy))];

    /// <summary>An operand holds one slice for each channel.</summary>
    public void Slice(int operand, int axis, ImmutableArray<int> channels, SliceRole role)
    {
        if (Node.Inputs[operand] is not { Constant.Sparse: null, Type.DType: not (DType.I4 or DType.U4) } value)
        {
            foreach (int channel in channels)
            {
                Fix(channel, $"operand {operand} of {Node} is computed, stored sparse or packed");
            }

            return;
        }

        if (value.Type.Shape[axis] != channels.Length)
        {
            throw new InvalidOperationException($"{Node} has {value.Type.Shape} for {channels.Length} channels along {axis}.");
        }

        _slices.Add(new(Node, operand, axis, channels, role));
    }

    /// <summary>An element of a constant operand is the number of these channels.</summary>
    public void Counted(int operand, int element, ImmutableArray<int> channels) => _counts.Add(new(Node, operand, element, channels));

    /// <summary>Sums up products of channels and weights: the slices of channels that are 0 may go, of exact traces all.</summary>
    /// <param name="x">The channels, or <see langword="null"/> when none can be removed.</param>
    /// <param name="weights">Operand with a slice for each of them.</param>
    public void SumUp(ChannelAxis? x, int weights, int axis)
    {
        if (x is null)
        {
            return;
        }

        for (int i = 0; i < x.Count; i++)
        {
            if (!IsExact && !x.IsZero[i])
            {
                Fix(x.Channels[i], $"what {Node} reads is not 0 where the weights before it are");
            }
        }

        Slice(weights, axis, x.Channels, SliceRole.Reader);
    }

    /// <summary>Makes new channels from weights and perhaps a bias [O].</summary>
    /// <param name="weights">Operand with a slice for each of them.</param>
    /// <param name="axis">Its dimension.</param>
    /// <param name="outputAxis">Dimension of the result.</param>
    /// <returns>The channels; <see langword="null"/> when the weights are computed.</returns>
    public ChannelAxis? Make(int weights, int axis, int bias, int outputAxis, FusedActivation activation)
    {
        if (Node.Inputs[weights] is not { Constant.Sparse: null, Type.DType: not (DType.I4 or DType.U4) } value || Node.Input(bias) is { Constant: null })
        {
            return null;
        }

        ImmutableArray<int> channels = [.. Enumerable.Range(0, value.Type.Shape[axis]).Select(i => New((Node, i), null))];
        Slice(weights, axis, channels, SliceRole.Maker);
        if (Node.Input(bias) is not null)
        {
            Slice(bias, 0, channels, SliceRole.Maker);
        }

        ChannelAxis made = new(outputAxis, channels, [.. Enumerable.Repeat(KeepsZero(activation), channels.Length)]);
        Give(made);
        return made;
    }

    private int New((Node, int)? maker, string? fixedBy)
    {
        _parents.Add(_parents.Count);
        _reasons.Add(fixedBy);
        _makers.Add(maker);
        return _parents.Count - 1;
    }

    private void Fix(int channel, string reason) => _reasons[Root(channel)] ??= reason;

    /// <summary>A constant with several readers has one set of slices, which all of them must read alike.</summary>
    private void TieSharedConstants()
    {
        foreach (IGrouping<(Value, int Axis), ChannelSlices> uses in _slices.GroupBy(s => (s.Node.Inputs[s.Operand]!, s.Axis)))
        {
            ImmutableArray<int> first = uses.First().Channels;
            bool isWhole = uses.Count() == uses.Key.Item1.UseCount;
            foreach (ChannelSlices use in uses)
            {
                for (int i = 0; i < first.Length; i++)
                {
                    Tie(first[i], use.Channels[i]);
                    if (!isWhole)
                    {
                        Fix(first[i], $"'{uses.Key.Item1.Name}' is read by another node too");
                    }
                }
            }
        }
    }
}
