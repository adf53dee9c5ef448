using System.Numerics;
using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Quantization;

namespace Optc.Ops;

public sealed partial record UnidirectionalSequenceLstm
{
    private Kernel PrepareInteger<T>(KernelContext context)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        if (Activation is not FusedActivation.Tanh || DiagonalRecurrent || !context.Has(Weights))
        {
            throw new OpRuleException("the integer kernel knows the hyperbolic tangent and full recurrent weights of four gates only")
            {
                Found = $"{Activation}, {(DiagonalRecurrent ? "diagonal" : "full")} weights, {(context.Has(Weights) ? 4 : 3)} gates",
            };
        }

        IntegerLayer<T> layer = new(this, context);
        return layer.Run;
    }

    /// <summary>One prepared integer layer.</summary>
    /// <typeparam name="T">Type of x, h and y: <see cref="sbyte"/> or <see cref="short"/>.</typeparam>
    private sealed class IntegerLayer<T>
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        /// <summary>Scale of what goes into a gate's function: Q3.12.</summary>
        private const double GateScale = 1.0 / (1 << 12);

        /// <summary>Scale of what comes out of it: Q0.15.</summary>
        private const double UnitScale = 1.0 / (1 << 15);

        private readonly KernelContext _context;
        private readonly SequenceLayout _layout;
        private readonly int _inputs;
        private readonly int _cells;
        private readonly int _xZero;
        private readonly int _hZero;
        private readonly FixedPoint[] _fromX = new FixedPoint[4];
        private readonly FixedPoint[] _fromH = new FixedPoint[4];
        private readonly RowSums[] _weightSums = new RowSums[4];
        private readonly RowSums[] _recurrentSums = new RowSums[4];
        private readonly FixedPoint _keep;
        private readonly FixedPoint _add;
        private readonly FixedPoint _toHidden;
        private readonly SigmoidInput _cellInput;
        private readonly int _clip;
        private readonly Scratch _gates;

        public IntegerLayer(UnidirectionalSequenceLstm op, KernelContext context)
        {
            _context = context;
            (TensorType x, TensorType h, TensorType c) = (context.Input(0), context.Input(Hidden), context.Input(Cell));
            _layout = SequenceLayout.Of(x.Shape, op.TimeMajor);
            _inputs = x.Shape[2];
            _cells = c.Shape[1];
            float xScale = ScaleRatio.PerTensor(x, "the input");
            float hScale = ScaleRatio.PerTensor(h, "the hidden state");
            float cScale = ScaleRatio.Symmetric(c, "the cell state");
            (_xZero, _hZero) = (x.ZeroPoint, h.ZeroPoint);
            for (int gate = 0; gate < 4; gate++)
            {
                float w = ScaleRatio.Symmetric(context.Input(Weights + gate), "the weights");
                float r = ScaleRatio.Symmetric(context.Input(Recurrent + gate), "the recurrent weights");

                // The product of the scales is float32, the quotient double, as in the reference.
                _fromX[gate] = ScaleRatio.Of((double)(xScale * w) / GateScale, "the gates");
                _fromH[gate] = ScaleRatio.Of((double)(hScale * r) / GateScale, "the recurrent gates");
                _weightSums[gate] = new(context, Weights + gate, _cells, _inputs);
                _recurrentSums[gate] = new(context, Recurrent + gate, _cells, _cells);
            }

            _keep = ScaleRatio.Of(UnitScale * cScale / cScale, "the forget gate");
            _add = ScaleRatio.Of(UnitScale * UnitScale / cScale, "the input gate");
            _toHidden = ScaleRatio.Of(UnitScale * UnitScale / hScale, "the output gate");
            _cellInput = SigmoidInput.ForCellState(cScale);
            _clip = op.CellClip > 0 ? (int)Math.Min((double)op.CellClip / cScale, short.MaxValue) : -1;
            _gates = context.Reserve(sizeof(short) * 4L * _cells);
        }

        private static int ElementMinimum => int.CreateTruncating(T.MinValue);

        private static int ElementMaximum => int.CreateTruncating(T.MaxValue);

        public void Run()
        {
            Span<short> gates = _gates.Span<short>()[..(4 * _cells)];
            Span<T> y = _context.Out<T>(0);
            for (int i = 0; i < _layout.Count; i++)
            {
                (int batch, int position) = _layout[i];
                Span<T> h = _context.State<T>(Hidden).Slice(batch * _cells, _cells);
                Span<short> c = _context.State<short>(Cell).Slice(batch * _cells, _cells);
                ReadOnlySpan<T> x = _context.In<T>(0).Slice(position * _inputs, _inputs);
                for (int gate = 0; gate < 4; gate++)
                {
                    Sum(gate, x, h, gates.Slice(gate * _cells, _cells));
                }

                Update(gates, c);
                Emit(gates.Slice(OutputGate * _cells, _cells), c, h);
                h.CopyTo(y.Slice(position * _cells, _cells));
            }
        }

        /// <summary>The value of a gate in Q0.15.</summary>
        private void Sum(int gate, ReadOnlySpan<T> x, ReadOnlySpan<T> h, Span<short> values)
        {
            ReadOnlySpan<sbyte> weights = _context.In<sbyte>(Weights + gate);
            ReadOnlySpan<sbyte> recurrent = _context.In<sbyte>(Recurrent + gate);
            ReadOnlySpan<int> weightSums = _weightSums[gate].Current();
            ReadOnlySpan<int> recurrentSums = _recurrentSums[gate].Current();
            ReadOnlySpan<byte> bias = _context.InputBytes(Biases + gate);
            for (int n = 0; n < values.Length; n++)
            {
                short fromX = Product(weights.Slice(n * _inputs, _inputs), x, (long)_xZero * weightSums[n], Bias(bias, n), _fromX[gate]);
                short fromH = Product(recurrent.Slice(n * _cells, _cells), h, (long)_hZero * recurrentSums[n], 0, _fromH[gate]);
                short sum = FixedPoint.SaturateToInt16(fromX + fromH);
                values[n] = gate == CellGate
                    ? SigmoidTable.Tanh(sum, SigmoidInput.Gate)
                    : SigmoidTable.Logistic(sum, SigmoidInput.Gate);
            }
        }

        private static long Bias(ReadOnlySpan<byte> bias, int index) => typeof(T) == typeof(sbyte)
            ? MemoryMarshal.Cast<byte, int>(bias)[index]
            : MemoryMarshal.Cast<byte, long>(bias)[index];

        /// <summary>A product in Q3.12: 32-bit sums and two roundings for int8, 64-bit sums and a 15-bit factor for int16.</summary>
        private static short Product(ReadOnlySpan<sbyte> weights, ReadOnlySpan<T> x, long zeroTerm, long bias, FixedPoint factor)
        {
            if (typeof(T) == typeof(sbyte))
            {
                long sum = IntegerDot.Sum(weights, MemoryMarshal.Cast<T, sbyte>(x)) - zeroTerm + bias;
                return FixedPoint.SaturateToInt16(factor.Scale(FixedPoint.WrapToInt32(sum)));
            }

            return FixedPoint.SaturateToInt16(factor.ScaleLong(unchecked(IntegerDot.Sum(weights, MemoryMarshal.Cast<T, short>(x)) - zeroTerm + bias)));
        }

        private void Update(ReadOnlySpan<short> gates, Span<short> c)
        {
            for (int n = 0; n < c.Length; n++)
            {
                short kept = FixedPoint.SaturateToInt16(_keep.Scale(gates[(ForgetGate * _cells) + n] * c[n]));
                short added = FixedPoint.SaturateToInt16(_add.Scale(gates[n] * gates[(CellGate * _cells) + n]));
                int value = FixedPoint.SaturateToInt16(kept + added);
                c[n] = (short)(_clip >= 0 ? Math.Clamp(value, -_clip, _clip) : value);
            }
        }

        private void Emit(ReadOnlySpan<short> output, ReadOnlySpan<short> c, Span<T> h)
        {
            for (int n = 0; n < h.Length; n++)
            {
                int squashed = SigmoidTable.Tanh(c[n], _cellInput);
                int value = unchecked(_toHidden.Scale(squashed * output[n]) + _hZero);
                h[n] = T.CreateTruncating(Math.Min(Math.Max(value, ElementMinimum), ElementMaximum));
            }
        }
    }
}
