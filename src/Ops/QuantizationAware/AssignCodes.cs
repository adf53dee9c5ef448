using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ir.Text;
using Optc.Ops.Execution;
using Optc.Ops.Gradients;

namespace Optc.Ops;

/// <summary>
/// The entry of a codebook for each latent weight: the one with the least <c>(latent - snap(value))^2 + price</c>, the nearest where prices are
/// equal, the lower of two equally near.
/// </summary>
/// <param name="Axis">Dimension of the output channels.</param>
/// <param name="Largest">Largest code of the grid, 127 for 8 bits; 0 leaves the entries real.</param>
/// <remarks>
/// <para>Shape: <c>latent [any], values [G, n], steps [G], prices [G, n], kept [as latent] or left out -> index [as latent]</c>. Where kept
/// is 0 the entry of least magnitude is taken, which is the pinned zero.</para>
/// <para>Types: f32; the indices are whole numbers. Along a line the winners are the lower envelope of parabolas, so that a weight is
/// found by halving among the borders of n entries at most.</para>
/// <para>Source: Chou, Lookabaugh and Gray, "Entropy-constrained vector quantization", 1989, in one dimension.</para>
/// </remarks>
public sealed record AssignCodes(int Axis, int Largest) : IOp<AssignCodes>, IExecutable, IDifferentiable
{
    public static OpSchema Declaration { get; } = new("assign_codes", ["latent", "values", "steps", "prices", "kept?"], ["index"])
    {
        Kernels = KernelTypes.F32,
    };

    public static AssignCodes Parse(AttributeReader attributes) => new(attributes.Int("axis"), attributes.Int("largest"));

    public void Describe(AttributeWriter attributes) => attributes.Add("axis", Axis).Add("largest", Largest);

    public ImmutableArray<TensorType> InferTypes(OpOperands operands)
    {
        for (int i = 1; i < 4; i++)
        {
            operands.Require(i, DType.F32);
        }

        TensorType latent = operands.Require(0, DType.F32);
        Dimensions.Agree(operands[1].Shape, operands[3].Shape, "codebooks and prices");
        return
        [
            latent with
            {
                Shape = operands.Has(4) ? Dimensions.Agree(latent.Shape, operands.Require(4, DType.F32).Shape, "a weight and its mask") : latent.Shape,
                Quant = null,
            },
        ];
    }

    /// <summary>Nothing: indices do not change with small changes of anything.</summary>
    public void Differentiate(GradientBuilder g)
    {
    }

    public Kernel Prepare(KernelContext context)
    {
        CodebookGrid grid = CodebookGrid.Of(context.Input(0).Shape, context.Input(1).Shape, context.Input(2).Shape, Axis, Largest);
        Envelope[] envelopes = [.. Enumerable.Range(0, grid.Groups).Select(_ => new Envelope(grid.Codes))];
        bool masked = context.Has(4);
        return () => Assign(
            grid,
            envelopes,
            context.In<float>(0),
            context.In<float>(1),
            context.In<float>(2),
            context.In<float>(3),
            masked ? context.In<float>(4) : default,
            context.Out<float>(0));
    }

    /// <summary>The same outside of a graph, nearest entries without prices.</summary>
    /// <param name="kept">As the operand, or empty.</param>
    public void Nearest(Shape shape, ReadOnlySpan<float> latent, ReadOnlySpan<float> values, Shape valuesShape, ReadOnlySpan<float> steps, ReadOnlySpan<float> kept, Span<float> index) =>
        Assign(shape, latent, values, valuesShape, steps, new float[values.Length], kept, index);

    /// <summary>The same outside of a graph.</summary>
    /// <param name="prices">As many as values.</param>
    /// <param name="kept">As the operand, or empty.</param>
    public void Assign(
        Shape shape,
        ReadOnlySpan<float> latent,
        ReadOnlySpan<float> values,
        Shape valuesShape,
        ReadOnlySpan<float> steps,
        ReadOnlySpan<float> prices,
        ReadOnlySpan<float> kept,
        Span<float> index)
    {
        CodebookGrid grid = CodebookGrid.Of(shape, valuesShape, [steps.Length], Axis, Largest);
        Envelope[] envelopes = [.. Enumerable.Range(0, grid.Groups).Select(_ => new Envelope(grid.Codes))];
        Assign(grid, envelopes, latent, values, steps, prices, kept, index);
    }

    private static void Assign(
        CodebookGrid grid,
        Envelope[] envelopes,
        ReadOnlySpan<float> latent,
        ReadOnlySpan<float> values,
        ReadOnlySpan<float> steps,
        ReadOnlySpan<float> prices,
        ReadOnlySpan<float> kept,
        Span<float> index)
    {
        for (int group = 0; group < envelopes.Length; group++)
        {
            envelopes[group].Fill(grid, values.Slice(group * grid.Codes, grid.Codes), steps[group], prices.Slice(group * grid.Codes, grid.Codes));
        }

        for (int start = 0, slice = 0; start < latent.Length; start += grid.Inner, slice++)
        {
            Envelope envelope = envelopes[grid.GroupOf(slice % grid.Channels)];
            for (int i = start; i < start + grid.Inner; i++)
            {
                index[i] = !kept.IsEmpty && kept[i] == 0 ? envelope.Smallest : envelope.Find(latent[i]);
            }
        }
    }

    /// <summary>The entries of a codebook that win somewhere, with the borders between them.</summary>
    private sealed class Envelope(int codes)
    {
        private readonly int[] _order = new int[codes];
        private readonly float[] _sorted = new float[codes];
        private readonly int[] _winners = new int[codes];
        private readonly double[] _borders = new double[codes];
        private readonly float[] _values = new float[codes];
        private int _count;

        /// <summary>The entry of least magnitude.</summary>
        public int Smallest { get; private set; }

        public void Fill(CodebookGrid grid, ReadOnlySpan<float> values, float step, ReadOnlySpan<float> prices)
        {
            Smallest = 0;
            for (int j = 0; j < codes; j++)
            {
                _values[j] = grid.Snap(values[j], step);
                (_order[j], _sorted[j]) = (j, _values[j]);

                // Of the entries that snap to 0 the pinned one, which training does not move away.
                Smallest = Math.Abs(values[j]) < Math.Abs(values[Smallest]) ? j : Smallest;
            }

            Sort();
            _count = 0;
            foreach (int j in _order.AsSpan())
            {
                Push(j, prices);
            }
        }

        public int Find(float x)
        {
            (int low, int high) = (0, _count - 1);
            while (low < high)
            {
                int middle = (low + high + 1) / 2;
                (low, high) = x > _borders[middle] ? (middle, high) : (low, middle - 1);
            }

            return _winners[low];
        }

        /// <summary>By value, equal ones in their order: an insertion, since there are few and they are nearly sorted.</summary>
        private void Sort()
        {
            for (int i = 1; i < codes; i++)
            {
                (int entry, float value) = (_order[i], _sorted[i]);
                int at = i;
                for (; at > 0 && _sorted[at - 1] > value; at--)
                {
                    (_order[at], _sorted[at]) = (_order[at - 1], _sorted[at - 1]);
                }

                (_order[at], _sorted[at]) = (entry, value);
            }
        }

        private void Push(int j, ReadOnlySpan<float> prices)
        {
            double border = double.NegativeInfinity;
            while (_count > 0)
            {
                int last = _winners[_count - 1];
                if (_values[j] == _values[last])
                {
                    if (prices[j] >= prices[last])
                    {
                        return;
                    }

                    _count--;
                    continue;
                }

                border = (((double)_values[last] + _values[j]) / 2) + ((prices[j] - prices[last]) / (2 * ((double)_values[j] - _values[last])));
                if (border > _borders[_count - 1])
                {
                    break;
                }

                _count--;
                border = double.NegativeInfinity;
            }

            _winners[_count] = j;
            _borders[_count] = _count == 0 ? double.NegativeInfinity : border;
            _count++;
        }
    }
}
