using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops.Gradients;

namespace Optc.Ops;

public sealed partial record UnidirectionalSequenceLstm
{
    private const float NormalizationEpsilon = 1e-8f;

    public Value Unroll(GraphBuilder graph, ImmutableArray<Value?> operands, string name)
    {
        UnrolledSequence sequence = new(graph, operands[0]!, TimeMajor, name);
        UnrolledCell cell = new(this, sequence, operands);
        Value[] results = new Value[sequence.Steps];
        for (int step = 0; step < results.Length; step++)
        {
            results[step] = cell.Next(step);
        }

        return sequence.Join(results);
    }

    /// <summary>State of an unrolled layer; absent state is zero, and what it would be multiplied with is left out.</summary>
    private sealed class UnrolledCell
    {
        private readonly UnidirectionalSequenceLstm _op;
        private readonly UnrolledSequence _sequence;
        private readonly ImmutableArray<Value?> _operands;
        private readonly IReadOnlyList<Value>[] _products = new IReadOnlyList<Value>[OutputGate + 1];
        private readonly bool _isCoupled;
        private readonly bool _normalizes;
        private Value? _hidden;
        private Value? _cell;

        public UnrolledCell(UnidirectionalSequenceLstm op, UnrolledSequence sequence, ImmutableArray<Value?> operands)
        {
            (_op, _sequence, _operands) = (op, sequence, operands);
            _isCoupled = Operand(Weights) is null;
            _normalizes = Operand(Norms + ForgetGate) is not null;
            for (int gate = FirstGate(!_isCoupled); gate <= OutputGate; gate++)
            {
                _products[gate] = sequence.Products(Operand(Weights + gate)!, _normalizes ? null : Operand(Biases + gate));
            }
        }

        /// <summary>Result of the next step, <c>[B, P]</c>.</summary>
        public Value Next(int step)
        {
            Value candidate = Gate(CellGate, step, null);
            Value? forget = _isCoupled || _cell is not null ? Gate(ForgetGate, step, _cell) : null;
            Value input = _isCoupled ? _sequence.Apply(new Sub(), _sequence.Number(1), forget) : Gate(InputGate, step, _cell);
            Value next = _sequence.Times(input, candidate);
            if (_cell is not null)
            {
                next = _sequence.Plus(_sequence.Times(forget!, _cell), next);
            }

            next = _sequence.Clip(next, _op.CellClip);
            Value output = Gate(OutputGate, step, next);
            _cell = next;
            _hidden = Project(_sequence.Times(output, _sequence.Activate(_op.Activation, next)));
            return _hidden;
        }

        private Value? Operand(int index) => index < _operands.Length ? _operands[index] : null;

        /// <param name="seen">The cell state that a peephole looks at; null where it is zero.</param>
        private Value Gate(int gate, int step, Value? seen)
        {
            Value sum = _products[gate][step];
            if (_hidden is not null)
            {
                Value recurrent = Operand(Recurrent + gate)!;
                sum = _sequence.Plus(sum, _op.DiagonalRecurrent ? _sequence.Times(_hidden, recurrent) : _sequence.Dense(_hidden, recurrent, null));
            }

            if (seen is not null && PeepholeOf(gate) is >= 0 and var index && Operand(index) is { } peephole)
            {
                sum = _sequence.Plus(sum, _sequence.Times(seen, peephole));
            }

            if (_normalizes)
            {
                Value scaled = _sequence.Times(_sequence.Normalize(sum, NormalizationEpsilon), Operand(Norms + gate)!);
                sum = _sequence.Plus(scaled, Operand(Biases + gate)!);
            }

            return gate == CellGate ? _sequence.Activate(_op.Activation, sum) : _sequence.Apply(new Logistic(), sum);
        }

        private Value Project(Value output) => Operand(Projection) is { } weights
            ? _sequence.Clip(_sequence.Dense(output, weights, Operand(ProjectionBias)), _op.ProjectionClip)
            : output;
    }
}
