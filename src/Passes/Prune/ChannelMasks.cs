using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Channels;

namespace Optc.Passes.Prune;

/// <summary>Channels that are zero: what has to be masked to make them so, and which are already.</summary>
public static class ChannelMasks
{
    /// <summary>
    /// For every weight, bias and offset that makes some of the channels a mask with false where it must be zero. A training that holds these masks
    /// ends with channels that <see cref="RemoveChannels"/> takes out without any change.
    /// </summary>
    public static IReadOnlyDictionary<Value, bool[]> Of(ChannelGroups groups, IEnumerable<TiedChannel> removed)
    {
        HashSet<int> roots = [.. removed.Select(c => c.Root)];
        Dictionary<Value, bool[]> masks = [];
        foreach (ChannelSlices slices in groups.Trace.Slices.Where(s => s.Role is SliceRole.Maker && s.Channels.Any(c => roots.Contains(groups.Trace.Root(c)))))
        {
            Value value = slices.Node.Inputs[slices.Operand]!;
            if (!masks.TryGetValue(value, out bool[]? mask))
            {
                mask = new bool[value.Type.ElementCount];
                Array.Fill(mask, true);
                masks.Add(value, mask);
            }

            ChannelMap map = new(value.Type.Shape, slices.Axis);
            for (int i = 0; i < mask.Length; i++)
            {
                mask[i] &= !roots.Contains(groups.Trace.Root(slices.Channels[map.ChannelOf(i)]));
            }
        }

        return masks;
    }

    /// <summary>
    /// Channels without which the model computes the same: all that makes them is zero, or all weights that read them are. One of each group is
    /// left where all would be.
    /// </summary>
    /// <remarks>
    /// Integer models compute the same bits without them; in float, sums have other terms of zero. Normalization must be folded, since a layer
    /// whose factor is zero has weights that are not. Weights that read a channel are taken to meet finite numbers.
    /// </remarks>
    public static ImmutableArray<TiedChannel> Idle(ChannelGroups groups)
    {
        ChannelTracer trace = groups.Trace;
        bool[] isMade = new bool[trace.Count];
        bool[] isRead = new bool[trace.Count];
        foreach (ChannelSlices slices in trace.Slices.Where(s => s.Role is not SliceRole.Factor))
        {
            Value value = slices.Node.Inputs[slices.Operand]!;
            bool[] zeros = ChannelCut.Zeros(value.Constant!, value.Type.Quant, slices.Axis);
            bool[] flags = slices.Role is SliceRole.Maker ? isMade : isRead;
            for (int i = 0; i < zeros.Length; i++)
            {
                flags[trace.Root(slices.Channels[i])] |= !zeros[i];
            }
        }

        return
        [
            .. groups.All.Where(g => g.WhyFixed is null).SelectMany(g =>
            {
                TiedChannel[] idle = [.. g.Channels.Where(c => !isMade[c.Root] || !isRead[c.Root])];
                return idle.Length == g.Channels.Length ? idle[1..] : idle;
            }),
        ];
    }
}
