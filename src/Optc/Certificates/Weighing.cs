using System.Collections.Immutable;
using System.Globalization;
using Optc.Formats.TfLite;

namespace Optc.Certificates;

internal sealed partial class GraphReplay
{
    /// <summary>Compares weights and bias of a layer and its counterpart, channel by channel.</summary>
    private sealed class Weighing
    {
        private readonly GraphReplay _replay;
        private readonly OperatorPair _pair;
        private readonly LinearLayer _a;
        private readonly LinearLayer _b;
        private readonly int _source;
        private readonly KeptChannels _inputs;
        private readonly KeptChannels _outputs;

        /// <summary>Taps of a flattened image count as positions of its channels.</summary>
        private readonly int _taps;
        private readonly bool[] _canLeave;
        private readonly long[] _delta;
        private readonly Dictionary<int, (long Weights, long Sum)>[] _terms;

        public Weighing(GraphReplay replay, OperatorPair pair, LinearLayer a, LinearLayer b, int source, KeptChannels inputs, KeptChannels outputs)
        {
            (_replay, _pair, _a, _b, _source, _inputs, _outputs) = (replay, pair, a, b, source, inputs, outputs);
            _delta = new long[outputs.Kept.Length];
            _terms = [.. outputs.Kept.Select(_ => new Dictionary<int, (long Weights, long Sum)>())];
            _taps = a.Taps;
            if (a.Kind == BuiltinOperator.FullyConnected && inputs.IsWhole)
            {
                _inputs = KeptChannels.Whole(inputs.Axis, a.Inputs);
            }
            else if (a.Kind == BuiltinOperator.FullyConnected)
            {
                int channels = inputs.Count;
                if (a.Inputs % channels != 0 || b.Inputs != a.Inputs / channels * inputs.Kept.Length)
                {
                    throw Refusal.Of("channels of a flattened value do not fit the weights", Text($"{b.Inputs} columns"), Text($"{a.Inputs} without those of dropped channels"), pair.At);
                }

                _taps = a.Inputs / channels;
            }

            // A transposed convolution writes some positions with some taps only, so that no tap counts everywhere.
            _canLeave = [.. Enumerable.Range(0, _taps).Select(t => a.Kind == BuiltinOperator.TransposeConv || (b.Geometry?.CanLeave(t) ?? false))];
        }

        private GraphView Original => _replay._original;

        private GraphView Result => _replay._result;

        public void Weights()
        {
            ImmutableArray<string> at = [.. _pair.At, "weights"];
            if (_outputs.IsWhole && _inputs.IsWhole)
            {
                _replay._compare.Equal(_b.Weights, _a.Weights, at);
                return;
            }

            Shapes(at);
            bool isInteger = Original.Integers(_a.Weights) is not null;
            if (!isInteger && Original.Bits(_a.Weights) is null)
            {
                throw Refusal.Of("weights cannot be compared", "data of another kind", "plain constants", at);
            }

            TensorElementType type = Original.Tensor(_source).Type;
            if (!_inputs.IsWhole && isInteger != Quantization.Range(type) is not null)
            {
                throw Refusal.Of("channels in front of a hybrid layer are dropped", $"{type} values with integer weights", "none: the range of what stays would decide the rounding", at);
            }

            if (_a.IsDepthwise)
            {
                Depthwise(at);
            }
            else
            {
                Dense(isInteger, at);
            }
        }

        /// <summary>The bias takes over exactly what dropped constants contributed.</summary>
        public void Bias()
        {
            ImmutableArray<string> at = [.. _pair.At, "bias"];
            int before = _a.Bias, now = _b.Bias;
            bool isChanged = _delta.Any(d => d != 0);
            BiasClaim[] claims = [.. _replay._claims.Biases.Where(c => c.Original == _pair.Before)];
            KeptChannels slice = _outputs with { Axis = 0 };
            TensorComparison.Role role = _a.Kind == BuiltinOperator.FullyConnected ? TensorComparison.Role.Plain : TensorComparison.Role.ConvolutionBias;
            if (before < 0 && now < 0 && !isChanged && claims.Length == 0)
            {
                return;
            }

            if (!isChanged && claims.Length == 0 && before >= 0 && now >= 0)
            {
                _replay._compare.Slice(now, before, slice, at, role);
                return;
            }

            long[]? old = before < 0 ? new long[_a.Outputs] : Original.WideIntegers(before);
            long[]? made = now < 0 ? null : Result.WideIntegers(now);
            if (old is null || old.Length != _a.Outputs || made is null || made.Length != _outputs.Kept.Length)
            {
                throw Refusal.Of("a bias does not fit its layer", "another size or type", "an integer for each channel", at);
            }

            if (before < 0)
            {
                Made(now, at, role);
            }
            else
            {
                _replay._compare.Header(now, before, slice, at, role);
            }

            for (int o = 0; o < made.Length; o++)
            {
                Channel(o, old[_outputs.Kept[o]], made[o], [.. claims.Where(c => c.Channel == _outputs.Kept[o])], at);
            }

            if (isChanged)
            {
                Reach(old, made, at);
            }
        }

        private void Channel(int output, long old, long made, BiasClaim[] claims, ImmutableArray<string> at)
        {
            int channel = _outputs.Kept[output];
            if (made != old + _delta[output] || made is < int.MinValue or > int.MaxValue)
            {
                throw Refusal.Of("a bias is not what folding makes it", Text($"{made} for channel {channel}"), Text($"{old} + {_delta[output]}, within 32 bits"), at);
            }

            if (claims.Length != (made == old ? Math.Min(claims.Length, 1) : 1))
            {
                throw Refusal.Of("a changed bias is not in the certificate once", Text($"{claims.Length} entries for channel {channel}"), "one", at);
            }

            foreach (BiasClaim claim in claims)
            {
                Dictionary<int, (long Weights, long Sum)> expected = _terms[output];
                HashSet<int> named = [];
                foreach (BiasTerm term in claim.Terms)
                {
                    if (!named.Add(term.Input) || !expected.TryGetValue(term.Input, out (long Weights, long Sum) is_)
                        || is_.Weights != term.Weights || is_.Sum != term.Sum || term.Value != _inputs.Dropped[term.Input]!.Value)
                    {
                        throw Refusal.Of("a folded term is not what the weights say", Text($"input {term.Input}: {term.Value}, {term.Weights}, {term.Sum}"), "value, weights and sum of a dropped constant", at);
                    }
                }

                if (claim.Old != old || claim.New != made || expected.Any(e => e.Value.Sum != 0 && !named.Contains(e.Key)))
                {
                    throw Refusal.Of("a bias entry is not what the files hold", Text($"{claim.Old} to {claim.New}, {named.Count} terms"), Text($"{old} to {made}, all terms"), at);
                }

                _replay._usedBiases.Add((_pair.Before, channel));
            }
        }

        /// <summary>A bias where there was none has the quantization that kernels ask for.</summary>
        private void Made(int now, ImmutableArray<string> at, TensorComparison.Role role)
        {
            TensorRecord tensor = Result.Tensor(now);
            QuantizationParametersRecord? q = tensor.Quantization;
            QuantizationParametersRecord? weights = Result.Tensor(_b.Weights).Quantization;
            bool isBare = q is null || (q.Scale.IsEmpty && q.ZeroPoint.IsEmpty && q.Details is null);
            bool isTrue = q is { Details: null, QuantizedDimension: 0 } && weights is not null && Quantization.Of(Result.Tensor(_b.Input)) is { } x
                && q.Scale.Length == weights.Scale.Length && q.ZeroPoint.All(z => z == 0) && q.ZeroPoint.Length == q.Scale.Length
                && q.Scale.Zip(weights.Scale).All(s => s.First == x.Scale * s.Second);
            if (tensor.Type != TensorElementType.Int32 || tensor.IsVariable || tensor.Sparsity is not null || tensor.Shape.Length != 1
                || !(isTrue || (isBare && role == TensorComparison.Role.ConvolutionBias && _replay._isMicro)))
            {
                throw Refusal.Of("a bias that was made has no true quantization", "another scale, zero point or type", "32 bits, scale of input times weights, zero point 0", at);
            }
        }

        private void Shapes(ImmutableArray<string> at)
        {
            (int now, int before) = (_b.Weights, _a.Weights);
            int outputAxis = _a.IsDepthwise ? 3 : 0;
            ImmutableArray<int> shape = Original.Tensor(before).Shape;
            KeptChannels slice = _outputs with { Axis = outputAxis };
            TensorRecord view = Original.Tensor(before) with { Shape = _a.IsDepthwise ? shape : shape.SetItem(shape.Length - 1, Result.Tensor(now).Shape[^1]), ShapeSignature = [] };
            if (Result.Tensor(now).Shape.Length != shape.Length || Result.Tensor(now).Sparsity is not null || view.Sparsity is not null
                || (!_a.IsDepthwise && _b.Inputs != _a.Inputs / _inputs.Count * _inputs.Kept.Length))
            {
                throw Refusal.Of("weights do not have the shape of a slice", string.Join("x", Result.Tensor(now).Shape.Select(s => s.ToString(CultureInfo.InvariantCulture))), "the channels that stay", at);
            }

            _replay._compare.Header(Result.Tensor(now), view, slice, at, TensorComparison.Role.Plain);
        }

        private void Dense(bool isInteger, ImmutableArray<string> at)
        {
            ulong[] old = Original.Bits(_a.Weights)!;
            int[]? values = isInteger ? Original.Integers(_a.Weights) : null;
            int[]? sliced = isInteger ? Result.Integers(_b.Weights) : null;
            if (Result.Bits(_b.Weights) is not { } made || (isInteger && sliced is null))
            {
                throw Refusal.Of("weights cannot be compared", "data of another kind", "plain constants", at);
            }

            int channels = _inputs.Count, left = _inputs.Kept.Length;
            ILookup<int, int> added = _inputs.Dropped.Where(d => d?.Rule == ClaimWords.Duplicate).ToLookup(d => d!.Of, d => d!.Channel);
            HashSet<(int Kept, int Added)> columns = [];
            for (int o = 0; o < _outputs.Kept.Length; o++)
            {
                for (int t = 0; t < _taps; t++)
                {
                    int row = ((_outputs.Kept[o] * _taps) + t) * channels, slice = ((o * _taps) + t) * left;
                    for (int i = 0; i < left; i++)
                    {
                        int channel = _inputs.Kept[i];
                        long sum = values?[row + channel] ?? 0;
                        foreach (int other in added[channel])
                        {
                            long weight = (values?[row + other] ?? 0) - _a.WeightZero;
                            sum += weight;
                            if (weight != 0)
                            {
                                columns.Add((channel, other));
                            }
                        }

                        if (isInteger ? sliced![slice + i] != sum : made[slice + i] != old[row + channel])
                        {
                            throw Refusal.Of("a weight is not that of the original", Text($"output {_outputs.Kept[o]}, tap {t}, input {channel}"), "the weight, and those of duplicates added", at);
                        }
                    }

                    for (int i = 0; i < channels; i++)
                    {
                        if (_inputs.Dropped[i] is { } dropped)
                        {
                            Drop(o, t, dropped, values, old, row + i, at);
                        }
                    }
                }
            }

            foreach ((int kept, int other) in columns)
            {
                DuplicateClaim claim = new(_pair.Before, kept, other);
                if (_replay._claims.Duplicates.Count(d => d == claim) != 1)
                {
                    throw Refusal.Of("an added column is not in the certificate once", Text($"channel {other} added to {kept}"), "one entry", at);
                }

                _replay._usedDuplicates.Add(claim);
            }
        }

        /// <summary>One weight of an input that is gone.</summary>
        private void Drop(int output, int tap, DroppedChannel dropped, int[]? values, ulong[] bits, int element, ImmutableArray<string> at)
        {
            // Both zeros of a float are nothing but their sign bit.
            long weight = values is not null ? values[element] - _a.WeightZero : IsFloatZero(bits[element]) ? 0 : 1;
            if (values is null)
            {
                _replay._conditions.Add(Finite);
            }

            if (values is null || dropped.Rule == ClaimWords.Unread)
            {
                if (weight != 0)
                {
                    throw Refusal.Of("an input is gone that is read", Text($"output {_outputs.Kept[output]}, tap {tap}, input {dropped.Channel}: weight is not zero"), "zero weights of all outputs that stay", at);
                }

                return;
            }

            if (dropped.Rule == ClaimWords.Duplicate)
            {
                return;
            }

            int zero = Quantization.Of(Original.Tensor(_source)) is { } q
                ? q.ZeroPoint
                : throw Refusal.Of("an input is gone as a constant that is not quantized", Original.Name(_source), "one scale and zero point", at);
            long distance = dropped.Value!.Value - zero;
            bool canLeave = dropped.Rule == ClaimWords.Fold ? _canLeave.Contains(true) : _canLeave[tap];
            if (distance != 0 && weight != 0 && canLeave)
            {
                throw Refusal.Of(
                    "a constant is folded although padding interrupts it", Text($"output {_outputs.Kept[output]}, tap {tap}, input {dropped.Channel}"),
                    dropped.Rule == ClaimWords.Fold ? "no tap in padding" : "zero weights at taps that can be in padding", at);
            }

            (long weights, long sum) = _terms[output].GetValueOrDefault(dropped.Channel);
            _terms[output][dropped.Channel] = (weights + weight, sum + (distance * weight));
            _delta[output] += distance * weight;
        }

        private bool IsFloatZero(ulong bits) => Original.Tensor(_a.Weights).Type switch
        {
            TensorElementType.Float32 => (bits & 0x7FFF_FFFF) == 0,
            TensorElementType.Float16 or TensorElementType.Bfloat16 => (bits & 0x7FFF) == 0,
            _ => false,
        };

        private void Depthwise(ImmutableArray<string> at)
        {
            ulong[] old = Original.Bits(_a.Weights)!;
            if (Result.Bits(_b.Weights) is not { } made)
            {
                throw Refusal.Of("weights cannot be compared", "data of another kind", "plain constants", at);
            }

            for (int o = 0; o < _outputs.Kept.Length; o++)
            {
                int reads = o / _b.Multiplier;
                if (reads >= _inputs.Kept.Length || _inputs.Kept[reads] != _outputs.Kept[o] / _a.Multiplier)
                {
                    throw Refusal.Of("a channel of a depthwise layer reads another input", Text($"output {_outputs.Kept[o]}"), Text($"input {_outputs.Kept[o] / _a.Multiplier}"), at);
                }

                for (int t = 0; t < _taps; t++)
                {
                    if (made[_b.Element(o, t, 0)] != old[_a.Element(_outputs.Kept[o], t, 0)])
                    {
                        throw Refusal.Of("a weight is not that of the original", Text($"output {_outputs.Kept[o]}, tap {t}"), "the weight of the original", at);
                    }
                }
            }
        }

        /// <summary>No partial sum of old or new layer may leave 32 bits, in whatever order it is formed.</summary>
        private void Reach(long[] old, long[] made, ImmutableArray<string> at)
        {
            int[] weights = Original.Integers(_a.Weights)!;
            if (_replay._facts[_source] is not { } bounds || Quantization.Of(Original.Tensor(_source)) is not { } q)
            {
                throw Refusal.Of("a bias is folded into a layer whose values are not known", Original.Name(_source), "8-bit integers", at);
            }

            long reach = 0;
            for (int i = 0; i < bounds.Length; i++)
            {
                reach = Math.Max(reach, Math.Max(Math.Abs(bounds.Low[i] - q.ZeroPoint), Math.Abs(bounds.High[i] - q.ZeroPoint)));
            }

            int row = weights.Length / _a.Outputs;
            for (int o = 0; o < made.Length; o++)
            {
                double sum = 0;
                for (int i = 0; i < row; i++)
                {
                    sum += Math.Abs((double)weights[(_outputs.Kept[o] * row) + i] - _a.WeightZero);
                }

                double bias = Math.Max(Math.Abs((double)old[_outputs.Kept[o]]), Math.Abs((double)made[o]));
                if (bias + (sum * reach) >= 1L << 31)
                {
                    throw Refusal.Of("a sum can leave 32 bits", Text($"channel {_outputs.Kept[o]}: up to {bias + (sum * reach)}"), "below 2147483648", at);
                }
            }
        }
    }
}
