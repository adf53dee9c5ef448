using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Channels;
using Optc.Passes.Quantize;

namespace Optc.Passes.Prune;

/// <summary>Takes channels out of a model, so that its tensors become smaller.</summary>
/// <remarks>
/// <code>
///   y = relu(conv_2d(x, w [8, 3, 3, 4], b [8]))  z = conv_2d(y, v [2, 1, 1, 8])
///   => y = relu(conv_2d(x, w [6, 3, 3, 4], b [6]))  z = conv_2d(y, v [2, 1, 1, 6])
/// </code>
/// The model computes what it would with these channels masked (<see cref="Mask"/>): what makes them zero, they are zero wherever they are read.
/// Sums over channels have fewer terms, all the others are the same numbers.
/// </remarks>
public sealed class RemoveChannels
{
    private readonly Module _module;
    private readonly ChannelTracer _trace;
    private readonly Func<int, bool> _isRemoved;
    private readonly bool _masksOnly;
    private readonly GraphBuilder _builder;
    private readonly Dictionary<Value, Value> _values = [];

    private RemoveChannels(Module module, ChannelTracer trace, Func<int, bool> isRemoved, bool masksOnly)
    {
        (_module, _trace, _isRemoved, _masksOnly) = (module, trace, isRemoved, masksOnly);
        _builder = new(module.Main.Name, module.FindGraph);
    }

    private RemoveChannels(Module module, ChannelGroups groups, HashSet<int> removed, bool masksOnly)
        : this(module, groups.Trace, channel => removed.Contains(groups.Trace.Root(channel)), masksOnly)
    {
    }

    /// <summary>A copy without channels that somebody else knows to be of no consequence; nodes stay in their order.</summary>
    /// <param name="trace">Of the main graph of this module.</param>
    /// <param name="isRemoved">Says of each channel of the trace whether it goes.</param>
    internal static Module Apply(Module module, ChannelTracer trace, Func<int, bool> isRemoved) =>
        new RemoveChannels(module, trace, isRemoved, masksOnly: false).Rewrite();

    /// <summary>A copy of a module without some channels of its main graph.</summary>
    /// <param name="groups">Those of the main graph of this module.</param>
    /// <param name="removed">Channels of groups that are not fixed, not all of a group.</param>
    /// <exception cref="DiagnosticException">A channel is fixed, or a layer would keep none.</exception>
    public static Module Apply(Module module, ChannelGroups groups, IEnumerable<TiedChannel> removed) =>
        new RemoveChannels(module, groups, Checked(module, groups, removed), masksOnly: false).Rewrite();

    /// <summary>A copy with all channels, in which those that are named are zero: their weights, biases and offsets are.</summary>
    /// <inheritdoc cref="Apply(Module, ChannelGroups, IEnumerable{TiedChannel})" path="/param|/exception"/>
    public static Module Mask(Module module, ChannelGroups groups, IEnumerable<TiedChannel> removed) =>
        new RemoveChannels(module, groups, Checked(module, groups, removed), masksOnly: true).Rewrite();

    /// <summary>A copy of a float module without some channels, whose other weights make up for them as well as they can: <see cref="Realignment"/>.</summary>
    /// <param name="source">Calibration data; no labels are needed.</param>
    /// <inheritdoc cref="Apply(Module, ChannelGroups, IEnumerable{TiedChannel})" path="/param|/exception"/>
    public static Module ApplyAndRealign(
        Module module,
        ChannelGroups groups,
        IEnumerable<TiedChannel> removed,
        ICalibrationSource source,
        double damping = OptimalBrainSurgeon.DefaultDamping,
        int threads = 1,
        CancellationToken cancellation = default)
    {
        HashSet<int> roots = Checked(module, groups, removed);
        Module realigned = Realignment.Apply(
            new RemoveChannels(module, groups, roots, masksOnly: true).Rewrite(), module, source, damping, threads, cancellation);

        // The same nodes number their channels alike.
        return new RemoveChannels(realigned, ChannelGroups.Of(realigned.Main), roots, masksOnly: false).Rewrite();
    }

    private static HashSet<int> Checked(Module module, ChannelGroups groups, IEnumerable<TiedChannel> removed)
    {
        if (groups.Graph != module.Main)
        {
            throw new ArgumentException("The channels are those of another graph.", nameof(groups));
        }

        HashSet<int> roots = [.. removed.Select(c => c.Root)];
        foreach (ChannelGroup group in groups.All)
        {
            int gone = group.Channels.Count(c => roots.Contains(c.Root));
            if (gone > 0 && (group.WhyFixed is not null || gone == group.Channels.Length))
            {
                throw new DiagnosticException(new Diagnostic(DiagnosticId.InvalidOption, $"these channels of '{group.Name}' cannot be removed")
                {
                    Found = group.WhyFixed ?? $"all {gone} channels",
                    Expected = group.WhyFixed is null ? "one that stays, at least" : null,
                });
            }
        }

        return roots;
    }

    private Module Rewrite()
    {
        Graph source = _module.Main;
        foreach (Value input in source.Inputs)
        {
            _values.Add(input, _builder.Input(input.Name, input.Type, input.Foreign));
        }

        ILookup<Node, ChannelCount> counts = _trace.Counts.ToLookup(c => c.Node);
        foreach (Node node in source.Nodes)
        {
            Value?[] inputs = [.. node.Inputs.Select(v => v is null ? null : Of(v))];
            foreach (IGrouping<int, ChannelCount> counted in counts[node].GroupBy(c => c.Operand))
            {
                inputs[counted.Key] = Recount(node.Inputs[counted.Key]!, counted);
            }

            ImmutableArray<Value> outputs = [.. node.Outputs.Select(Of)];
            IOp op = node.Op is IShrinkable shrinkable ? shrinkable.Shrunk([.. inputs.Select(v => v?.Type.Shape ?? Shape.Unranked)], [.. outputs.Select(o => o.Type.Shape)]) : node.Op;
            _builder.Add(op, [.. inputs], outputs, node.Name, node.Foreign);
        }

        foreach (Value output in source.Outputs)
        {
            _builder.Output(Of(output));
        }

        Graph graph = _builder.Build(source.Foreign);
        Module module = GraphBuilder.Module(
            [graph, .. _module.Graphs.Skip(1)],
            [
                .. _module.Signatures.Select(s => s.Graph != source
                    ? s
                    : new Signature(s.Key, graph, [.. s.Inputs.Select(i => (i.Name, _values[i.Value]))], [.. s.Outputs.Select(o => (o.Name, _values[o.Value]))])),
            ],
            _module.Metadata,
            _module.Description,
            _module.Foreign);
        Verifier.ThrowIfBroken(module);
        return module;
    }

    /// <summary>Which of the channels remain in the tensors.</summary>
    private bool[] Kept(ImmutableArray<int> channels) => [.. channels.Select(c => _masksOnly || !_isRemoved(c))];

    private Value Of(Value value)
    {
        if (!_values.TryGetValue(value, out Value? made))
        {
            made = value.Constant is { } constant ? Constant(value, constant)
                : value.IsVariable ? GraphBuilder.Variable(value.Name, value.Type, value.Foreign)
                : Result(value);
            _values.Add(value, made);
        }

        return made;
    }

    private Value Result(Value value)
    {
        if (_trace.AxisOf(value) is { } axis && value.Type.Shape.HasRank && Kept(axis.Channels).Count(k => k) is var count && count < axis.Count)
        {
            return GraphBuilder.Result(value.Name, value.Type with { Shape = value.Type.Shape.With(axis.Axis, count) });
        }

        return GraphBuilder.Result(value.Name, value.Type, value.Foreign);
    }

    private Value Constant(Value value, TensorData constant)
    {
        (TensorData data, QuantParams? quant) = (constant, value.Type.Quant);
        foreach (ChannelSlices slices in _trace.Slices.Where(s => s.Node.Inputs[s.Operand] == value).DistinctBy(s => s.Axis))
        {
            if (!_masksOnly)
            {
                bool[] kept = Kept(slices.Channels);
                (data, quant) = (ChannelCut.Take(data, slices.Axis, kept), ChannelCut.Take(quant, slices.Axis, kept));
            }
            else if (slices.Role is SliceRole.Maker)
            {
                data = ChannelCut.Clear(data, quant, slices.Axis, [.. slices.Channels.Select(c => !_isRemoved(c))]);
            }
        }

        return GraphBuilder.Constant(data, value.Name, quant, ReferenceEquals(data, constant) ? value.Foreign : null);
    }

    private Value Recount(Value value, IEnumerable<ChannelCount> counts)
    {
        int[] old = value.Constant!.ToDense().AsInts();
        int[] numbers = [.. old];
        foreach (ChannelCount count in counts)
        {
            numbers[count.Element] = Kept(count.Channels).Count(k => k);
        }

        if (numbers.AsSpan().SequenceEqual(old))
        {
            return Of(value);
        }

        TensorData data = value.Type.DType is DType.I64
            ? TensorData.From<long>(DType.I64, value.Type.Shape, Array.ConvertAll(numbers, n => (long)n))
            : TensorData.FromInts(value.Type.Shape, numbers);
        return GraphBuilder.Constant(data, value.Name);
    }
}
