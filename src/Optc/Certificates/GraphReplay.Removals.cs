using System.Collections.Immutable;
using Optc.Formats.TfLite;

namespace Optc.Certificates;

internal sealed partial class GraphReplay
{
    /// <summary>An operator is gone: what it wrote is what it read, or nobody asks for it.</summary>
    private void Removed(RemovedClaim claim)
    {
        int op = claim.Original;
        ImmutableArray<string> at = _original.At(op);
        OperatorRecord record = _original.Operators[op];
        switch (claim.Rule)
        {
            case ClaimWords.Unused:
                Unused(op, at);
                break;
            case ClaimWords.DequantizeQuantize when _original.Kind(op) == BuiltinOperator.Dequantize:
                Unused(op, at);
                break;
            case ClaimWords.Reshape when IsReshape(op):
                Forward(claim, record.Inputs[0], at);
                break;
            case ClaimWords.Quantize when _original.Kind(op) == BuiltinOperator.Quantize:
                Forward(claim, record.Inputs[0], at);
                SameSize(op, at);
                break;
            case ClaimWords.DequantizeQuantize when _original.Kind(op) == BuiltinOperator.Quantize && _original.Operand(op, 0) is >= 0 and int real:
                int writer = _original.Writer(Resolve(real));
                if (writer < 0 || _original.Kind(writer) != BuiltinOperator.Dequantize)
                {
                    throw Refusal.Of("a QUANTIZE does not undo a DEQUANTIZE", "another operator in front", "DEQUANTIZE", at);
                }

                Forward(claim, _original.Operand(writer, 0), at);
                SameSize(op, at);
                RoundTrip(_original.Tensor(record.Outputs[0]), at);
                break;
            case ClaimWords.PadFused when _original.Kind(op) == BuiltinOperator.Pad:
            case ClaimWords.Merged when _original.Kind(op) is BuiltinOperator.Pad or BuiltinOperator.Concatenation && SameKind(op, claim.Into):
                if (record.Outputs.Any(_original.Graph.Outputs.Contains))
                {
                    throw Refusal.Of("an operator is gone whose result is an output", _original.Name(record.Outputs[0]), "an inner value", at);
                }

                break;
            case ClaimWords.Merged when _original.Kind(op) == BuiltinOperator.Reshape && SameKind(op, claim.Into):
                Forward(claim, record.Inputs[0], at);
                break;
            default:
                throw Refusal.Of("an operator is gone by a rule that is not for it", claim.Rule, "the rule of its kind", at);
        }

        Say("removed", at, $"is gone by the rule '{claim.Rule}'");
    }

    private bool IsReshape(int op) => _original.Kind(op) is BuiltinOperator.Reshape or BuiltinOperator.Squeeze or BuiltinOperator.ExpandDims;

    private bool SameKind(int op, int into) => into > op && _original.Kind(into) == _original.Kind(op);

    /// <summary>The result of an operator has the bytes of a value in front of it: same type, quantization and number of elements.</summary>
    private void Forward(RemovedClaim claim, int input, ImmutableArray<string> at)
    {
        if (_original.Operators[claim.Original].Outputs is not [>= 0 and int output] || input < 0 || !_original.IsActivation(input))
        {
            throw Refusal.Of("an operator is gone that does not pass a value on", "other operands", "one value in and one out", at);
        }

        // A merged operator says who took it over instead.
        int source = Resolve(input);
        if (claim.Forwards is null ? claim.Rule != ClaimWords.Merged : _original.Find(claim.Forwards) is not (>= 0 and int named) || Resolve(named) != source)
        {
            throw Refusal.Of("readers of a removed operator are sent to another value", claim.Forwards ?? "none", _original.Name(source), at);
        }

        (TensorRecord a, TensorRecord b) = (_original.Tensor(source), _original.Tensor(output));
        bool isSameShape = a.Shape.AsSpan().SequenceEqual(b.Shape.AsSpan());
        if (a.Type != b.Type || !SameGrid(a, b) || _original.Count(source) != _original.Count(output) || _original.Count(source) <= 0
            || a.ShapeSignature.Skip(1).Any(d => d < 0) || b.ShapeSignature.Skip(1).Any(d => d < 0))
        {
            throw Refusal.Of("an operator is gone that changes what it passes on", "another type, quantization or size", "the same bytes on both sides", at);
        }

        if (!isSameShape && _original.Graph.Outputs.Contains(output))
        {
            throw Refusal.Of("an output has lost its shape", "a removed reshape", "the reshape, or equal shapes", at);
        }

        _forwards[output] = source;
    }

    private void SameSize(int op, ImmutableArray<string> at)
    {
        int output = _original.Operators[op].Outputs[0];
        (TensorRecord a, TensorRecord b) = (_original.Tensor(Resolve(output)), _original.Tensor(output));
        if (!a.Shape.AsSpan().SequenceEqual(b.Shape.AsSpan()) || Quantization.Of(b) is null)
        {
            throw Refusal.Of("an operator is gone that changes what it passes on", "another shape or no quantization", "8- or 16-bit integers of one scale", at);
        }
    }

    private static bool SameGrid(TensorRecord a, TensorRecord b)
    {
        (QuantizationParametersRecord p, QuantizationParametersRecord q) = (a.Quantization ?? new(), b.Quantization ?? new());
        return p.Scale.Length <= 1 && p.Scale.AsSpan().SequenceEqual(q.Scale.AsSpan()) && p.ZeroPoint.AsSpan().SequenceEqual(q.ZeroPoint.AsSpan())
            && p.Details is null && q.Details is null;
    }

    /// <summary>Every code must come back, however a runtime multiplies, divides and rounds.</summary>
    private static void RoundTrip(TensorRecord tensor, ImmutableArray<string> at)
    {
        if (Quantization.Of(tensor) is not { } grid || Quantization.Range(tensor.Type) is not { } range)
        {
            throw Refusal.Of("a DEQUANTIZE and QUANTIZE pair is gone", "a type that is not quantized", "8- or 16-bit integers", at);
        }

        for (int code = range.Low; code <= range.High; code++)
        {
            int distance = code - grid.ZeroPoint;
            foreach (float real in (ReadOnlySpan<float>)[(float)((double)grid.Scale * distance), grid.Scale * distance])
            {
                foreach (float steps in (ReadOnlySpan<float>)[real / grid.Scale, real * (1f / grid.Scale)])
                {
                    if ((long)MathF.Round(steps, MidpointRounding.AwayFromZero) != distance || (long)MathF.Round(steps, MidpointRounding.ToEven) != distance)
                    {
                        throw Refusal.Of("a DEQUANTIZE and QUANTIZE pair is not the identity", Text($"code {code} becomes another"), "all codes come back", at);
                    }
                }
            }
        }
    }

    /// <summary>Nobody that stays reads what the operator writes, and it does nothing else.</summary>
    private void Unused(int op, ImmutableArray<string> at)
    {
        OperatorRecord record = _original.Operators[op];
        bool hasEffect = record.Outputs.IsEmpty
            || _original.Kind(op) is BuiltinOperator.Custom or BuiltinOperator.If or BuiltinOperator.While or BuiltinOperator.Call or BuiltinOperator.CallOnce
                or BuiltinOperator.VarHandle or BuiltinOperator.AssignVariable or BuiltinOperator.ReadVariable or BuiltinOperator.RandomUniform
                or BuiltinOperator.RandomStandardNormal or BuiltinOperator.Multinomial or BuiltinOperator.HashtableImport or BuiltinOperator.Delegate
            || record.Inputs.Concat(record.Intermediates).Any(t => t >= 0 && _original.Tensor(t).IsVariable);
        if (hasEffect)
        {
            throw Refusal.Of("an operator is gone that keeps state or acts", "a removal as unused", "the operator", at);
        }

        foreach (int output in record.Outputs.Where(t => t >= 0))
        {
            int reader = Enumerable.Range(0, _original.Operators.Length).FirstOrDefault(o => _original.Operators[o].Inputs.Contains(output) && !_removed.ContainsKey(o), -1);
            if (reader >= 0 || _original.Graph.Outputs.Contains(output))
            {
                throw Refusal.Of(
                    "an operator is gone although it is used", reader >= 0 ? $"{_original.Name(output)}, read by operator {Text($"{reader}")}" : $"{_original.Name(output)}, an output", "no reader", at);
            }
        }
    }

    /// <summary>What the counterpart of an operator must read, after all that is gone in front of it.</summary>
    private ImmutableArray<int> Expected(OperatorClaim claim, ImmutableArray<string> at)
    {
        int op = claim.Original;
        ImmutableArray<int>.Builder expected = ImmutableArray.CreateBuilder<int>();
        for (int i = 0; i < _original.Operators[op].Inputs.Length; i++)
        {
            int operand = _original.Operators[op].Inputs[i];
            if (operand < 0 || !_original.IsActivation(operand))
            {
                expected.Add(operand);
                continue;
            }

            int source = Resolve(operand);
            if (i == 0 && claim.Pad >= 0)
            {
                if (_original.Writer(source) != claim.Pad || _original.Kind(claim.Pad) != BuiltinOperator.Pad)
                {
                    throw Refusal.Of("a pad is fused that the operator does not read", Text($"operator {claim.Pad}"), _original.Name(source), at);
                }

                _usedPads.Add(claim.Pad);
                operand = _original.Operand(claim.Pad, 0);
                source = operand < 0 ? operand : Resolve(operand);
            }

            foreach (int part in Parts(source, op, at))
            {
                Flattened(claim, operand, part, at);
                expected.Add(part);
            }
        }

        return expected.ToImmutable();
    }

    /// <summary>The operands of what was merged into an operator, in its place.</summary>
    private IEnumerable<int> Parts(int source, int op, ImmutableArray<string> at)
    {
        int writer = _original.Writer(source);
        if (writer < 0 || !_removed.TryGetValue(writer, out RemovedClaim? removed) || removed.Rule != ClaimWords.Merged || removed.Into != op)
        {
            return [source];
        }

        if (!SameGrid(_original.Tensor(source), _original.Tensor(_original.Operators[op].Outputs[0])) || _original.Tensor(source).Type != _original.Tensor(_original.Operators[op].Outputs[0]).Type)
        {
            throw Refusal.Of("operators are merged that do not compute on the same grid", "other quantization", "the same scale and zero point", at);
        }

        if (_original.Kind(op) == BuiltinOperator.Pad)
        {
            return Parts(Resolve(_original.Operand(writer, 0)), op, at);
        }

        int rank = _original.Tensor(source).Shape.Length;
        if (_original.Operators[op].Options is not ConcatenationOptions outer || _original.Operators[writer].Options is not ConcatenationOptions inner
            || inner.FusedActivationFunction != ActivationFunctionType.None
            || Positions.Axes([outer.Axis], rank) is not { } a || Positions.Axes([inner.Axis], rank) is not { } b || a[0] != b[0]
            || rank != _original.Tensor(_original.Operators[op].Outputs[0]).Shape.Length)
        {
            throw Refusal.Of("concatenations are merged that do not join the same axis", "another axis", "the same", at);
        }

        return _original.Operators[writer].Inputs.SelectMany(t => t >= 0 && _original.IsActivation(t) ? Parts(Resolve(t), op, at) : [t]);
    }

    /// <summary>Only what does not look at the shape of an operand may read it in another shape.</summary>
    private void Flattened(OperatorClaim claim, int operand, int source, ImmutableArray<string> at)
    {
        if (operand == source || !_forwards.ContainsKey(operand)
            || _original.Tensor(operand).Shape.AsSpan().SequenceEqual(_original.Tensor(source).Shape.AsSpan()))
        {
            return;
        }

        bool mayDiffer = _original.Kind(claim.Original) == BuiltinOperator.Reshape
            || (_original.Kind(claim.Original) == BuiltinOperator.FullyConnected
                && (_original.Operators[claim.Original].Options ?? new FullyConnectedOptions()) is FullyConnectedOptions { KeepNumDims: false });
        if (!mayDiffer)
        {
            throw Refusal.Of("an operator reads a value in another shape", _original.Name(source), "the shape that the removed reshape made", at);
        }
    }

    /// <summary>Claims that nothing has used are claims that nobody has proved.</summary>
    private void Leftovers()
    {
        if (_claims.Removed.FirstOrDefault(r => r.Rule == ClaimWords.PadFused && !_usedPads.Contains(r.Original)) is { } pad)
        {
            throw Refusal.Of("a pad is gone that no operator has taken over", "a removal as fused", "an operator with the change 'pad-fused'", _original.At(pad.Original));
        }

        if (_claims.Biases.FirstOrDefault(b => !_usedBiases.Contains((b.Original, b.Channel))) is { } bias)
        {
            throw Refusal.Of("a bias is claimed of a layer or channel that does not have it", Text($"operator {bias.Original}, channel {bias.Channel}"), "a channel that stays", _original.Place);
        }

        if (_claims.Duplicates.FirstOrDefault(d => !_usedDuplicates.Contains(d)) is { } duplicate)
        {
            throw Refusal.Of(
                "a column is claimed to be added that is not", Text($"operator {duplicate.Original}, channel {duplicate.Added} to {duplicate.Kept}"), "a duplicate that the layer reads", _original.Place);
        }

        foreach ((int tensor, KeptChannels kept) in _kept)
        {
            int source = Resolve(tensor);
            if (source != tensor && !SameElements(source, tensor))
            {
                throw Refusal.Of("a value that is passed on loses other channels than its source", Text($"{kept.Count - kept.Kept.Length} of {kept.Count}"), "the same elements", [.. _original.Place, _original.Name(tensor)]);
            }
        }
    }

    /// <summary>The elements of two values that stay are the same ones, in row-major order.</summary>
    private bool SameElements(int a, int b)
    {
        if (_original.Count(a) != _original.Count(b))
        {
            return false;
        }

        bool[] p = Stays(a), q = Stays(b);
        return p.AsSpan().SequenceEqual(q);
    }

    private bool[] Stays(int tensor)
    {
        if (!_kept.TryGetValue(tensor, out KeptChannels? kept))
        {
            bool[] all = new bool[_original.Count(tensor)];
            Array.Fill(all, true);
            return all;
        }

        return Array.ConvertAll(Positions.Along(_original.Tensor(tensor).Shape.AsSpan(), kept.Axis), kept.Stays);
    }
}
