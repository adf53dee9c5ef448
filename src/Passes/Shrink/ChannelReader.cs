using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Bounds;
using Optc.Ops.Channels;

namespace Optc.Passes.Shrink;

/// <summary>A node that sums up channels by weights: what it needs of each.</summary>
internal sealed class ChannelReader
{
    private readonly ShrinkRules _rules;
    private readonly int _zeroPoint;
    private readonly bool[]? _padded;
    private readonly bool[] _folds;
    private readonly bool[] _counts;
    private readonly bool[] _countsPadded;

    /// <param name="slices">The weights of the channels.</param>
    /// <param name="outputs">The channels that it makes; <see langword="null"/> when all of its outputs stay.</param>
    /// <param name="sum">The sums; <see langword="null"/> when it is not known how it computes.</param>
    /// <param name="bounds">Of the value that it reads; <see langword="null"/> when they are not known.</param>
    public ChannelReader(ChannelSlices slices, ChannelAxis axis, ImmutableArray<int>? outputs, ProductSum? sum, ElementBounds? bounds, ShrinkRules rules)
    {
        (Node, Inputs, Outputs, Sum, _rules) = (slices.Node, slices.Channels, outputs, sum, rules);
        Value weights = Node.Inputs[slices.Operand]!;
        OutputCount = outputs?.Length ?? weights.Type.Shape[0];
        Value x = Source(slices);
        Places = PlacesOf(x.Type.Shape, axis, Inputs.Length);
        Constants = new int?[Inputs.Length];
        if (bounds is not null && x.Type.Quant is { IsPerAxis: false })
        {
            _zeroPoint = x.Type.ZeroPoint;
            int?[] constants = bounds.Constants(axis.Axis);
            Constants = [.. Places.Select(p => constants[p])];
        }

        _counts = new bool[OutputCount * Inputs.Length];
        _countsPadded = new bool[_counts.Length];
        _folds = new bool[OutputCount];
        if (sum is not null)
        {
            _padded = sum.PaddedTaps();
            CountBySums(sum);
            if (bounds is not null)
            {
                _folds = Array.ConvertAll(ProductBounds.Reach(sum, bounds), r => r <= int.MaxValue);
            }
        }
        else
        {
            CountByBytes(weights, slices.Axis);
        }
    }

    public Node Node { get; }

    /// <summary>Channel of each place along the input dimension of the weights.</summary>
    public ImmutableArray<int> Inputs { get; }

    public ImmutableArray<int>? Outputs { get; }

    public int OutputCount { get; }

    public ProductSum? Sum { get; }

    /// <summary>Place along the axis of the value that is read, for each place along the input dimension of the weights.</summary>
    public int[] Places { get; }

    /// <summary>What each input always is, or <see langword="null"/>.</summary>
    public int?[] Constants { get; }

    /// <summary>The value that a node sums up.</summary>
    public static Value Source(ChannelSlices slices) => slices.Node.Op is Ops.TransposeConv ? slices.Node.Inputs[2]! : slices.Node.Inputs[0]!;

    /// <summary>The rule by which an output does without an input; <see cref="ShrinkRules.None"/> when it needs it.</summary>
    public ShrinkRules WhyNot(int output, int input)
    {
        int k = (output * Inputs.Length) + input;
        if (!_counts[k])
        {
            // Without the rule such an input counts like any other.
            if (_rules.HasFlag(ShrinkRules.Unread))
            {
                return ShrinkRules.Unread;
            }
        }

        if (Constants[input] is not { } constant)
        {
            return ShrinkRules.None;
        }

        if (constant == _zeroPoint)
        {
            return _rules & ShrinkRules.Dead;
        }

        if (!_folds[output])
        {
            return ShrinkRules.None;
        }

        return Array.IndexOf(_padded!, true) < 0 ? _rules & ShrinkRules.Fold
            : _countsPadded[k] ? ShrinkRules.None
            : _rules & ShrinkRules.FoldPadded;
    }

    /// <summary>What goes into the bias of an output in place of a constant input; <see langword="null"/> when that is nothing.</summary>
    public FoldedTerm? Term(int output, int input)
    {
        if (Sum is null || Constants[input] is not { } constant || constant == _zeroPoint || !_counts[(output * Inputs.Length) + input])
        {
            return null;
        }

        long weights = 0;
        for (int t = 0; t < Sum.Taps; t++)
        {
            weights += Sum.Weight(t, input, output);
        }

        return new(input, constant, weights, (constant - _zeroPoint) * weights);
    }

    private static int[] PlacesOf(Shape x, ChannelAxis axis, int inputs)
    {
        int inner = 1;
        for (int i = axis.Axis + 1; i < x.Rank; i++)
        {
            inner *= x[i];
        }

        return [.. Enumerable.Range(0, inputs).Select(i => i / inner % axis.Count)];
    }

    private void CountBySums(ProductSum sum)
    {
        for (int t = 0; t < sum.Taps; t++)
        {
            for (int i = 0; i < Inputs.Length; i++)
            {
                for (int o = 0; o < OutputCount; o++)
                {
                    if (sum.Weight(t, i, o) != 0)
                    {
                        int k = (o * Inputs.Length) + i;
                        _counts[k] = true;
                        _countsPadded[k] |= _padded![t];
                    }
                }
            }
        }
    }

    /// <summary>Weights of an integer op whose sums are not known; others count, since sums in float depend on the number of their terms.</summary>
    private void CountByBytes(Value weights, int axis)
    {
        bool isInteger = weights.Type.DType is DType.I8 && Node.Output.Type.DType is DType.I8 or DType.I16
            && (weights.Type.Quant?.ZeroPoints.All(z => z == 0) ?? false) && axis == weights.Type.Shape.Rank - 1;
        if (!isInteger)
        {
            Array.Fill(_counts, true);
            return;
        }

        ReadOnlySpan<sbyte> codes = weights.Constant!.Span<sbyte>();
        int perOutput = codes.Length / OutputCount;
        for (int e = 0; e < codes.Length; e++)
        {
            _counts[(e / perOutput * Inputs.Length) + (e % Inputs.Length)] |= codes[e] != 0;
        }
    }
}
