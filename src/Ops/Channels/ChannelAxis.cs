using System.Collections.Immutable;
using Optc.Ir;

namespace Optc.Ops.Channels;

/// <summary>Which channel each position along one dimension of a tensor belongs to.</summary>
/// <param name="Axis">The dimension, from 0.</param>
/// <param name="Channels">One channel for each position; a flattened image has each channel many times.</param>
/// <param name="IsZero">For each position whether all numbers there are 0 when the weights that make the channel are.</param>
public sealed record ChannelAxis(int Axis, ImmutableArray<int> Channels, ImmutableArray<bool> IsZero)
{
    public int Count => Channels.Length;

    /// <summary>The same positions, which stay zero only if <paramref name="keepsZero"/> says so.</summary>
    public ChannelAxis Through(bool keepsZero) => keepsZero ? this : this with { IsZero = [.. new bool[Count]] };

    /// <summary>The positions along the one dimension of a reshaped tensor that tells channels apart; <see langword="null"/> when none does.</summary>
    /// <param name="from">Shape in which this is a dimension; only the first size may be unknown.</param>
    /// <param name="to">Shape with as many elements.</param>
    public ChannelAxis? Reshaped(Shape from, Shape to)
    {
        if (!from.HasRank || !to.HasRank || from.Dims.Skip(1).Any(d => d < 0) || to.Dims.Skip(1).Any(d => d < 0))
        {
            return null;
        }

        long inner = Inner(from, Axis);
        long innerOfResult = 1;
        for (int axis = to.Rank - 1; axis >= 0; axis--)
        {
            long size = to[axis];

            // Places along the axis name a channel if no channel begins inside of a place and the axis begins with the first channel.
            if (size >= Count && inner % innerOfResult == 0 && size * innerOfResult % (Count * inner) == 0)
            {
                long step = innerOfResult;
                int[] positions = [.. Enumerable.Range(0, (int)size).Select(i => (int)(i * step / inner % Count))];
                return new(axis, [.. positions.Select(p => Channels[p])], [.. positions.Select(p => IsZero[p])]);
            }

            if (size < 0)
            {
                return null;
            }

            innerOfResult *= size;
        }

        return null;
    }

    private static long Inner(Shape shape, int axis)
    {
        long inner = 1;
        for (int i = axis + 1; i < shape.Rank; i++)
        {
            inner *= shape[i];
        }

        return inner;
    }
}

/// <summary>A dimension of an operand that holds one slice for each of some channels: weights, biases, constants for each channel.</summary>
/// <param name="Role">What the slices do to the channels.</param>
public sealed record ChannelSlices(Node Node, int Operand, int Axis, ImmutableArray<int> Channels, SliceRole Role);

/// <summary>What a slice of a constant does to its channel.</summary>
public enum SliceRole
{
    /// <summary>Zeros in all of these make the channel zero: weights and bias that make it, offsets behind them.</summary>
    Maker,

    /// <summary>Its zeros keep a channel that is zero zero, and nothing else: factors, slopes.</summary>
    Factor,

    /// <summary>Weights by which the channel is summed up; zeros in all of these make it of no consequence.</summary>
    Reader,
}

/// <summary>An element of a constant operand that counts channels: a size, a border width.</summary>
public sealed record ChannelCount(Node Node, int Operand, int Element, ImmutableArray<int> Channels);
