using System.Collections.Immutable;
using Optc.Formats.TfLite;

namespace Optc.Certificates;

internal sealed partial class GraphReplay
{
    private const string Finite = "float values are finite, and sums of a layer are formed in the order of its inputs";

    private readonly HashSet<(int Original, int Channel)> _usedBiases = [];
    private readonly HashSet<DuplicateClaim> _usedDuplicates = [];

    /// <summary>
    /// The accumulator of every output that stays is the same integer: equal weights on inputs that stay; on the others weights
    /// of zero, or a constant whose share the bias has taken over.
    /// </summary>
    private void Linear(OperatorPair pair, HashSet<int> compared)
    {
        ImmutableArray<string> at = pair.At;
        if (LinearLayer.Of(_original, pair.Before) is not { } a || LinearLayer.Of(_result, pair.Now) is not { } b || a.Kind != b.Kind)
        {
            throw Refusal.Of("a layer cannot be followed", "operands that do not fit together", "weights, bias and shapes of its kind", at);
        }

        int source = pair.Sources[a.Kind == BuiltinOperator.TransposeConv ? 2 : 0];
        if (pair.Has(ClaimWords.PadFused))
        {
            PadFits(pair, b, source);
        }

        KeptChannels outputs = KeptOn(a.Output, _original.Tensor(a.Output).Shape.Length - 1, at);
        int read = Read(pair, a, source);
        KeptChannels inputs = KeptOn(read, _original.Tensor(read).Shape.Length - 1, at);
        if (a.Groups > 1 && !(outputs.IsWhole && inputs.IsWhole))
        {
            throw Refusal.Of("channels of a grouped convolution are dropped", Text($"{a.Groups} groups"), "no channels dropped around it", at);
        }

        Weighing weighing = new(this, pair, a, b, read, inputs, outputs);
        weighing.Weights();
        weighing.Bias();
        Factors(a, b, outputs, at);
        compared.Add(1);
        compared.Add(a.BiasSlot);
        if (a.Kind == BuiltinOperator.TransposeConv && !outputs.IsWhole)
        {
            int shape = _result.Operand(pair.Now, 0);
            int[]? target = _result.Integers(shape);
            if (target is null || !target.AsSpan().SequenceEqual(_result.Tensor(b.Output).Shape.AsSpan()) || _result.Tensor(shape).Type != TensorElementType.Int32)
            {
                throw Refusal.Of("a transposed convolution is given another size", "another shape operand", "the shape of its result", at);
            }

            compared.Add(0);
        }
    }

    /// <summary>
    /// The value whose claims say what a layer loses: what it read in the original, before reshapes and pads in front of it
    /// went, unless claims are of their source only.
    /// </summary>
    private int Read(OperatorPair pair, LinearLayer layer, int source)
    {
        int operand = layer.Input;
        if (operand == source || !_kept.TryGetValue(operand, out KeptChannels? own))
        {
            return source;
        }

        bool isSame = pair.Has(ClaimWords.PadFused)
            ? _kept.TryGetValue(source, out KeptChannels? from) ? own.Axis == from.Axis && own.StaysLike(from) : own.IsWhole
            : SameElements(source, operand);
        return isSame ? operand : throw Untied(pair, source, operand);
    }

    /// <summary>The channels of a value that stay; all of them where the certificate names none.</summary>
    private KeptChannels KeptOn(int tensor, int axis, ImmutableArray<string> at)
    {
        if (axis < 0)
        {
            throw Refusal.Of("a layer cannot be followed", "a value without dimensions", "channels", at);
        }

        KeptChannels? kept = _kept.GetValueOrDefault(tensor);
        return kept is null || kept.IsWhole
            ? KeptChannels.Whole(axis, _original.Tensor(tensor).Shape[axis])
            : kept.Axis == axis ? kept : throw Refusal.Of("channels are dropped on another axis than the layer's", Text($"axis {kept.Axis}"), Text($"axis {axis}"), at);
    }

    /// <summary>Output scales of one channel can change the arithmetic with the number of scales; the factors must not move.</summary>
    private static void Factors(LinearLayer a, LinearLayer b, KeptChannels outputs, ImmutableArray<string> at)
    {
        for (int o = 0; o < outputs.Kept.Length; o++)
        {
            if (a.Factor(outputs.Kept[o]) is { } before && b.Factor(o) != before)
            {
                throw Refusal.Of("a channel is rescaled by another factor", Text($"channel {outputs.Kept[o]}"), "the factor of the original", at);
            }
        }
    }

    /// <summary>PAD and VALID are SAME: zero point all around, same size, and the same rows and columns in front.</summary>
    private void PadFits(OperatorPair pair, LinearLayer now, int source)
    {
        int pad = pair.Claim.Pad;
        int padded = _original.Operators[pad].Outputs[0];
        int[]? amounts = _original.Integers(_original.Operand(pad, 1));
        ConvolutionGeometry? geometry = now.Geometry;
        bool fits = amounts is [0, 0, var top, >= 0, var left, >= 0, 0, 0]
            && geometry is not null && geometry.Rows.Before == top && geometry.Columns.Before == left
            && padded == Resolve(_original.Operand(pair.Before, 0))
            && _original.Tensor(padded).Type == _original.Tensor(source).Type && SameGrid(_original.Tensor(source), _original.Tensor(padded))
            && (Quantization.Of(_original.Tensor(source)) is not null || _original.Tensor(source).Type == TensorElementType.Float32)
            && _original.Tensor(padded).Shape is [_, var height, var width, _]
            && height == geometry.Rows.Input + top + amounts[3] && width == geometry.Columns.Input + left + amounts[5];
        if (_original.Tensor(source).Type == TensorElementType.Float32)
        {
            _conditions.Add(Finite);
        }

        if (!fits)
        {
            throw Refusal.Of("a pad is fused that SAME does not do", "other sizes, places or quantization", "zero point all around, as SAME pads", pair.At);
        }
    }
}
