using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Certificates;

internal sealed partial class GraphReplay
{
    /// <summary>Every dropped channel that is called constant is, and every duplicate equals the channel that stays for it.</summary>
    private void Constants()
    {
        foreach ((int tensor, KeptChannels kept) in _kept.OrderBy(k => k.Key))
        {
            ImmutableArray<string> at = [.. _original.Place, _original.Name(tensor)];
            foreach (DroppedChannel channel in kept.Dropped.OfType<DroppedChannel>())
            {
                if (channel.Value is { } value)
                {
                    Constant(tensor, kept, channel, value, [.. at, Text($"channel {channel.Channel}")]);
                }
                else if (channel.Rule == ClaimWords.Duplicate && !_numbers.Same(tensor, kept.Axis, channel.Channel, channel.Of))
                {
                    throw Refusal.Of("a duplicate is not shown to be equal", Text($"channel {channel.Channel} for {channel.Of}"), "the same inputs, weights, bias and scale", at);
                }
            }

            foreach (IGrouping<string, DroppedChannel> rule in kept.Dropped.OfType<DroppedChannel>().GroupBy(d => d.Rule).OrderBy(g => g.Key, StringComparer.Ordinal))
            {
                Say("channels", at, Text($"{rule.Count()} of {kept.Count} channels may go by the rule '{rule.Key}'"));
            }
        }
    }

    private void Constant(int tensor, KeptChannels kept, DroppedChannel channel, long value, ImmutableArray<string> at)
    {
        if (_facts.Objection is { } objection)
        {
            throw Refusal.Of("a channel is called constant in a model without fixed sizes", objection, "fixed height, width and length", at);
        }

        if (_original.Graph.Inputs.Any(t => _original.Tensor(t).ShapeSignature is [< 0, ..]))
        {
            _conditions.Add("the elements of a batch are computed alike");
        }

        if (_facts.Enumerates)
        {
            _conditions.Add("a runtime rounds all operators of a model alike");
        }

        // A padded copy has the padding around a constant that only its source has everywhere.
        int writer = _original.Writer(tensor);
        int shown = writer >= 0 && _removed.TryGetValue(writer, out RemovedClaim? removed) && removed.Rule == ClaimWords.PadFused ? Resolve(_original.Operand(writer, 0)) : tensor;
        ImmutableArray<int> shape = _original.Tensor(shown).Shape;
        int? constant = kept.Axis < shape.Length && channel.Channel < shape[kept.Axis] ? _facts[shown]?.Constant(shape.AsSpan(), kept.Axis, channel.Channel) : null;
        if (constant != value)
        {
            throw Refusal.Of("a channel is not the constant that the certificate calls it", constant is null ? "several values are possible" : Text($"{constant}"), Text($"{value} at every position"), at);
        }

        if (channel.Rule == ClaimWords.Dead && (Quantization.Of(_original.Tensor(tensor)) is not { } q || q.ZeroPoint != value))
        {
            throw Refusal.Of("a channel is called dead that is not zero", Text($"constant {value}"), "the zero point", at);
        }

        if (channel.Accumulator is { } claimed)
        {
            Accumulator(tensor, channel.Channel, value, claimed, at);
        }
    }

    private void Accumulator(int tensor, int channel, long value, (long Low, long High) claimed, ImmutableArray<string> at)
    {
        int op = _original.Writer(tensor);
        if (op < 0 || LinearLayer.Of(_original, op) is not { } layer || channel >= layer.Outputs || _facts.Accumulator(op, channel) is not { } found
            || layer.Factor(channel) is not { } factor || Quantization.Of(_original.Tensor(tensor)) is not { } y || Quantization.Clamp(_original.Tensor(tensor), layer.Activation) is not { } clamp)
        {
            throw Refusal.Of("an accumulator is claimed where none is known", Text($"{claimed.Low} to {claimed.High}"), "none", at);
        }

        bool isConstant = factor.TryImage(claimed.Low, claimed.High, _roundings, out long smallest, out long largest)
            && Math.Clamp(smallest + y.ZeroPoint, clamp.Low, clamp.High) == value && Math.Clamp(largest + y.ZeroPoint, clamp.Low, clamp.High) == value;
        if (found.Low < claimed.Low || found.High > claimed.High || !isConstant)
        {
            throw Refusal.Of("an accumulator has other bounds than claimed", Text($"{claimed.Low} to {claimed.High}"), Text($"{found.Low} to {found.High}, all of which give {value}"), at);
        }
    }

    /// <summary>Options are equal but for what the certificate lists, and what it lists is shown to be the same.</summary>
    private void Options(OperatorPair pair)
    {
        (OperatorRecord a, OperatorRecord b) = (_original.Operators[pair.Before], _result.Operators[pair.Now]);
        if (!a.CustomOptions.Span.SequenceEqual(b.CustomOptions.Span) || (a.CustomOptions.Length > 0 && a.CustomOptionsFormat != b.CustomOptionsFormat))
        {
            throw Refusal.Of("an operator is not what it was", "other custom options", "those of the original", pair.At);
        }

        IOperatorOptions? before = a.Options, now = b.Options;
        if (pair.Has(ClaimWords.ActivationDropped))
        {
            now = WithActivation(pair, before, now);
        }

        if (pair.Has(ClaimWords.PadFused))
        {
            now = (before, now) switch
            {
                (Conv2DOptions { Padding: Padding.Valid }, Conv2DOptions { Padding: Padding.Same } o) => o with { Padding = Padding.Valid },
                (DepthwiseConv2DOptions { Padding: Padding.Valid }, DepthwiseConv2DOptions { Padding: Padding.Same } o) => o with { Padding = Padding.Valid },
                _ => throw Wrong(pair, ClaimWords.PadFused),
            };
        }

        if (before is DepthwiseConv2DOptions p && now is DepthwiseConv2DOptions q)
        {
            // The number follows from the channels that stay, which are compared one by one; it counts as part of their slice.
            bool isSliced = p.DepthMultiplier != q.DepthMultiplier;
            bool follows = isSliced && pair.Sources[0] >= 0
                && q.DepthMultiplier == (double)Left(_original.Operators[pair.Before].Outputs[0]) / Left(pair.Sources[0]);
            now = pair.Has(ClaimWords.DepthMultiplier) != isSliced && !follows ? throw Wrong(pair, ClaimWords.DepthMultiplier)
                : follows ? q with { DepthMultiplier = p.DepthMultiplier } : q;
        }
        else if (pair.Has(ClaimWords.DepthMultiplier))
        {
            throw Wrong(pair, ClaimWords.DepthMultiplier);
        }

        if (pair.Has(ClaimWords.ReshapeInputDropped) && !(_original.Kind(pair.Before) == BuiltinOperator.Reshape && _original.Operand(pair.Before, 1) >= 0 && _result.Operand(pair.Now, 1) < 0))
        {
            throw Wrong(pair, ClaimWords.ReshapeInputDropped);
        }

        if (_original.Kind(pair.Before) != BuiltinOperator.Reshape && !Equals(before, now) && !(SaysNothing(pair, before) && SaysNothing(pair, now)))
        {
            throw Refusal.Of("an operator has other options", now?.ToString() ?? "none", before?.ToString() ?? "none", pair.At);
        }
    }

    /// <summary>Number of channels that stay.</summary>
    private int Left(int tensor) => _kept.TryGetValue(tensor, out KeptChannels? kept) ? kept.Kept.Length : _original.Tensor(tensor).Shape.LastOrDefault();

    /// <summary>Whether a table of options holds nothing that is not in the types of the operands anyway.</summary>
    private bool SaysNothing(OperatorPair pair, IOperatorOptions? options) => options switch
    {
        null => _original.Kind(pair.Before) is BuiltinOperator.Quantize or BuiltinOperator.Dequantize or BuiltinOperator.Pad or BuiltinOperator.Padv2
            or BuiltinOperator.Cast or BuiltinOperator.Maximum or BuiltinOperator.Minimum,
        QuantizeOptions or DequantizeOptions or PadOptions or PadV2Options or MaximumMinimumOptions => true,
        CastOptions cast => _original.Operators[pair.Before] is { Inputs: [>= 0 and int input], Outputs: [>= 0 and int output] }
            && cast.InDataType == _original.Tensor(input).Type && cast.OutDataType == _original.Tensor(output).Type,
        _ => false,
    };

    private IOperatorOptions? WithActivation(OperatorPair pair, IOperatorOptions? before, IOperatorOptions? now)
    {
        int output = _original.Operators[pair.Before].Outputs[0];
        bool isFull = FusedActivation.Of(now) == ActivationFunctionType.None
            && FusedActivation.Of(before) is { } activation && activation != ActivationFunctionType.None
            && output >= 0 && Quantization.Clamp(_original.Tensor(output), activation) is { } clamp
            && clamp == Quantization.Range(_original.Tensor(output).Type);
        return isFull ? FusedActivation.With(now!, FusedActivation.Of(before)!.Value) : throw Wrong(pair, ClaimWords.ActivationDropped);
    }

    private static DiagnosticException Wrong(OperatorPair pair, string change) =>
        Refusal.Of("a change of an operator is not what it is called", $"'{change}'", "an operator to which it applies, and of which it can be shown", pair.At);
}
