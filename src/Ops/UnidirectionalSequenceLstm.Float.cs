using System.Numerics.Tensors;
using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops;

public sealed partial record UnidirectionalSequenceLstm
{
    /// <summary>Steps whose input products are computed together.</summary>
    private const int StepsAtOnce = 16;

    private Kernel PrepareFloat(KernelContext context)
    {
        FloatLayer layer = new(this, context);
        return layer.Run;
    }

    /// <summary>One prepared float layer; the sums of its gates stand side by side in scratch.</summary>
    private sealed class FloatLayer
    {
        private readonly UnidirectionalSequenceLstm _op;
        private readonly KernelContext _context;
        private readonly SequenceLayout _layout;
        private readonly int _first;
        private readonly int _gates;
        private readonly int _inputs;
        private readonly int _cells;
        private readonly int _width;
        private readonly bool _normalizes;
        private readonly bool _hasPeepholes;
        private readonly FloatMatVec _weights;
        private readonly FloatMatVec? _recurrent;
        private readonly FloatMatVec? _projection;
        private readonly Scratch _sums;

        public FloatLayer(UnidirectionalSequenceLstm op, KernelContext context)
        {
            (_op, _context) = (op, context);
            Shape x = context.Input(0).Shape;
            _layout = SequenceLayout.Of(x, op.TimeMajor);
            _first = FirstGate(context.Has(Weights));
            _gates = 4 - _first;
            _inputs = x[2];
            _cells = context.Input(Cell).Shape[1];
            _width = context.Input(Hidden).Shape[1];
            _normalizes = context.Has(Norms + ForgetGate);
            _hasPeepholes = context.Has(Peepholes + 1);
            _weights = new(context, Operands(Weights), _inputs, _cells);
            _recurrent = op.DiagonalRecurrent ? null : new(context, Operands(Recurrent), _width, _cells);
            _projection = context.Has(Projection) ? new(context, Projection, _cells, _width) : null;
            _sums = context.Reserve(sizeof(float) * (long)StepsAtOnce * _gates * _cells);
        }

        public void Run()
        {
            int row = _gates * _cells;
            int stride = (_layout.TimeMajor ? _layout.Batch : 1) * _inputs;
            ReadOnlySpan<float> x = _context.In<float>(0);
            Span<float> y = _context.Out<float>(0);
            for (int start = 0; start < _layout.Count; start += Steps(start))
            {
                int steps = Steps(start);
                Span<float> sums = _sums.Span<float>()[..(steps * row)];
                for (int step = 0; step < steps; step++)
                {
                    Begin(sums.Slice(step * row, row));
                }

                (int batch, int position) = _layout[start];
                _weights.AddProduct(steps, x[(position * _inputs)..], stride, sums, row);
                Span<float> h = _context.State<float>(Hidden).Slice(batch * _width, _width);
                Span<float> c = _context.State<float>(Cell).Slice(batch * _cells, _cells);
                for (int step = 0; step < steps; step++)
                {
                    Step(sums.Slice(step * row, row), h, c);
                    h.CopyTo(y.Slice(_layout[start + step].Position * _width, _width));
                }
            }
        }

        /// <summary>Number of steps from <paramref name="start"/> that one product serves: of one batch, and not too many.</summary>
        private int Steps(int start) => Math.Min(StepsAtOnce, _layout.Time - (start % _layout.Time));

        private int[] Operands(int firstOperand)
        {
            int[] operands = new int[_gates];
            for (int i = 0; i < operands.Length; i++)
            {
                operands[i] = firstOperand + _first + i;
            }

            return operands;
        }

        private Span<float> Gate(Span<float> sums, int gate) => sums.Slice((gate - _first) * _cells, _cells);

        private void Begin(Span<float> sums)
        {
            if (_normalizes)
            {
                sums.Clear();
                return;
            }

            for (int gate = _first; gate <= OutputGate; gate++)
            {
                _context.In<float>(Biases + gate)[.._cells].CopyTo(Gate(sums, gate));
            }
        }

        private void Step(Span<float> sums, Span<float> h, Span<float> c)
        {
            if (_recurrent is not null)
            {
                _recurrent.AddProduct(1, h, _width, sums, sums.Length);
            }
            else
            {
                for (int gate = _first; gate <= OutputGate; gate++)
                {
                    Span<float> sum = Gate(sums, gate);
                    TensorPrimitives.MultiplyAdd(_context.In<float>(Recurrent + gate), h, sum, sum);
                }
            }

            for (int gate = _first; gate <= CellGate; gate++)
            {
                Finish(gate, Gate(sums, gate), c);
            }

            ReadOnlySpan<float> forget = Gate(sums, ForgetGate);
            ReadOnlySpan<float> candidate = Gate(sums, CellGate);
            if (_first == InputGate)
            {
                ReadOnlySpan<float> input = Gate(sums, InputGate);
                for (int i = 0; i < c.Length; i++)
                {
                    c[i] = (forget[i] * c[i]) + (input[i] * candidate[i]);
                }
            }
            else
            {
                for (int i = 0; i < c.Length; i++)
                {
                    c[i] = (forget[i] * c[i]) + ((1 - forget[i]) * candidate[i]);
                }
            }

            if (_op.CellClip > 0)
            {
                FloatActivation.Clamp(c, -_op.CellClip, _op.CellClip);
            }

            Span<float> output = Gate(sums, OutputGate);
            Finish(OutputGate, output, c);
            Span<float> squashed = Gate(sums, CellGate);
            c.CopyTo(squashed);
            FloatActivation.Apply(_op.Activation, squashed);
            TensorPrimitives.Multiply(squashed, output, output);
            Project(output, h);
        }

        /// <summary>From the sum of a gate to its value; <paramref name="c"/> is what its peephole looks at.</summary>
        private void Finish(int gate, Span<float> sum, ReadOnlySpan<float> c)
        {
            if (_hasPeepholes && gate != CellGate)
            {
                TensorPrimitives.MultiplyAdd(_context.In<float>(PeepholeOf(gate)), c, sum, sum);
            }

            if (_normalizes)
            {
                Normalize(sum);
                TensorPrimitives.MultiplyAdd(sum, _context.In<float>(Norms + gate), _context.In<float>(Biases + gate), sum);
            }

            if (gate == CellGate)
            {
                FloatActivation.Apply(_op.Activation, sum);
            }
            else
            {
                FloatActivation.Logistic(sum);
            }
        }

        private void Project(ReadOnlySpan<float> output, Span<float> h)
        {
            if (_projection is null)
            {
                output.CopyTo(h);
                return;
            }

            if (_context.Has(ProjectionBias))
            {
                _context.In<float>(ProjectionBias).CopyTo(h);
            }
            else
            {
                h.Clear();
            }

            _projection.AddProduct(1, output, _cells, h, _width);
            if (_op.ProjectionClip > 0)
            {
                FloatActivation.Clamp(h, -_op.ProjectionClip, _op.ProjectionClip);
            }
        }

        /// <summary>Brings a vector to mean 0 and variance 1 (<c>MeanStddevNormalization</c>).</summary>
        private static void Normalize(Span<float> values)
        {
            float sum = 0;
            foreach (float value in values)
            {
                sum += value;
            }

            float mean = sum / values.Length;
            float squares = 0;
            foreach (float value in values)
            {
                squares += (value - mean) * (value - mean);
            }

            float inverse = 1 / MathF.Sqrt((squares / values.Length) + NormalizationEpsilon);
            foreach (ref float value in values)
            {
                value = (value - mean) * inverse;
            }
        }
    }
}
