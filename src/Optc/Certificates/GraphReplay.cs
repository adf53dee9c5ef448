using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Certificates;

/// <summary>
/// Proves operator by operator that every value of the result has, for every input, the elements of the value of the original
/// that it stands for.
/// </summary>
/// <remarks>
/// Induction in order of execution. Inputs are equal. An operator of the result does what its counterpart does, on operands of
/// which the same is known already; where channels are gone, the rule of the operator shows that those that stay do not change.
/// Source: "lossless shrinking", proof of section 3.
/// </remarks>
internal sealed partial class GraphReplay
{
    private readonly SubgraphClaims _claims;
    private readonly GraphView _original;
    private readonly GraphView _result;
    private readonly TensorComparison _compare;
    private readonly ValueFacts _facts;
    private readonly ChannelNumbers _numbers;
    private readonly List<CheckedFact> _log;
    private readonly HashSet<string> _conditions;
    private readonly Roundings _roundings;
    private readonly bool _isMicro;

    /// <summary>Tensors of the result, and the tensors of the original that they stand for.</summary>
    private readonly Dictionary<int, int> _counterparts = [];
    private readonly Dictionary<int, int> _variables = [];
    private readonly Dictionary<int, KeptChannels> _kept = [];

    /// <summary>Results of removed operators, and the values with the same bytes that readers get instead.</summary>
    private readonly Dictionary<int, int> _forwards = [];
    private readonly Dictionary<int, RemovedClaim> _removed = [];
    private readonly HashSet<int> _usedPads = [];

    public GraphReplay(
        SubgraphClaims claims, GraphView original, GraphView result, CertificateClaims certificate, List<CheckedFact> log, HashSet<string> conditions)
    {
        (_claims, _original, _result, _log, _conditions, _roundings) = (claims, original, result, log, conditions, certificate.Roundings);
        _isMicro = certificate.Profile == CertificateProfile.Micro;
        _compare = new(original, result, certificate.Profile);
        _facts = new(original, certificate.Roundings, certificate.Enumerates);
        _numbers = new(original, _facts);
    }

    /// <summary>The tensor of the original that a tensor of the result stands for; null for constants.</summary>
    public int? Counterpart(int now) => _counterparts.TryGetValue(now, out int before) ? before : _variables.TryGetValue(now, out before) ? before : null;

    /// <summary>The value with the same bytes that the result may use in place of a value.</summary>
    public int Resolve(int before)
    {
        while (_forwards.TryGetValue(before, out int source))
        {
            before = source;
        }

        return before;
    }

    /// <summary>Whether every value has the number that it has in the original.</summary>
    public bool KeepsNumbers => _forwards.Count == 0 && _counterparts.All(c => c.Key == c.Value);

    public bool IsWhole(int before) => !_kept.TryGetValue(before, out KeptChannels? kept) || kept.IsWhole;

    /// <exception cref="DiagnosticException">Something does not follow.</exception>
    public void Run()
    {
        Interface();
        Numbering();
        ReadChannels();
        foreach (RemovedClaim removed in _claims.Removed.OrderBy(r => r.Original))
        {
            Removed(removed);
        }

        Constants();

        foreach (OperatorClaim claim in _claims.Operators)
        {
            Operator(claim);
        }

        Outputs();
        Leftovers();
    }

    private void Interface()
    {
        if (_original.Graph.Inputs.Length != _result.Graph.Inputs.Length || _original.Graph.Outputs.Length != _result.Graph.Outputs.Length)
        {
            throw Refusal.Of("the interface is not that of the original", "another number of inputs or outputs", "the same", _result.Place);
        }

        for (int i = 0; i < _original.Graph.Inputs.Length; i++)
        {
            (int now, int before) = (_result.Graph.Inputs[i], _original.Graph.Inputs[i]);
            ImmutableArray<string> at = [.. _result.Place, Text($"input {i}")];
            _compare.Equal(now, before, at);
            SameName(now, before, at);
            _counterparts[now] = before;
        }
    }

    private void Outputs()
    {
        for (int i = 0; i < _original.Graph.Outputs.Length; i++)
        {
            (int now, int before) = (_result.Graph.Outputs[i], _original.Graph.Outputs[i]);
            ImmutableArray<string> at = [.. _result.Place, Text($"output {i}")];
            if (_original.IsActivation(before))
            {
                if (!_counterparts.TryGetValue(now, out int counterpart) || counterpart != Resolve(before) || !IsWhole(counterpart))
                {
                    throw Refusal.Of("an output is not that of the original", "another value", _original.Name(before), at);
                }

                _compare.Header(now, before, null, at);
            }
            else
            {
                NotActivation(now, at);
                _compare.Equal(now, before, at);
            }

            SameName(now, before, at);
        }

        Say("interface", _result.Place, Text($"inputs ({_original.Graph.Inputs.Length}) and outputs ({_original.Graph.Outputs.Length}) have the same names, types and meaning"));
    }

    private void SameName(int now, int before, ImmutableArray<string> at)
    {
        if ((_original.Tensor(before).Name ?? "") != (_result.Tensor(now).Name ?? ""))
        {
            throw Refusal.Of("a name of the interface has changed", $"'{_result.Tensor(now).Name}'", $"'{_original.Tensor(before).Name}'", at);
        }
    }

    /// <summary>Every operator of both files is accounted for, once and in order.</summary>
    private void Numbering()
    {
        int[] uses = new int[_original.Operators.Length];
        int last = -1;
        if (_claims.Operators.Length != _result.Operators.Length)
        {
            throw Refusal.Of(
                "the certificate does not cover the operators of the result", Text($"{_claims.Operators.Length} entries"), Text($"{_result.Operators.Length}"), _result.Place);
        }

        for (int i = 0; i < _claims.Operators.Length; i++)
        {
            OperatorClaim claim = _claims.Operators[i];
            if (claim.Result != i || claim.Original <= last || claim.Original >= uses.Length)
            {
                throw Refusal.Of(
                    "the certificate does not number the operators in order", Text($"{claim.Result} for {claim.Original}"), Text($"{i} for a later one than {last}, below {uses.Length}"), _result.At(i));
            }

            last = claim.Original;
            uses[last]++;
        }

        foreach (RemovedClaim removed in _claims.Removed)
        {
            if (removed.Original >= uses.Length || uses[removed.Original]++ > 0 || removed.Into >= uses.Length)
            {
                throw Refusal.Of("a removed operator is not one of the original, or is there twice", Text($"{removed.Original}"), "each operator once", _original.Place);
            }

            _removed[removed.Original] = removed;
        }

        int missing = Array.IndexOf(uses, 0);
        if (missing >= 0)
        {
            throw Refusal.Of("an operator of the original is not accounted for", "no entry", "a counterpart or the reason why it is gone", _original.At(missing));
        }
    }

    private void ReadChannels()
    {
        foreach (ChannelsClaim claim in _claims.Channels)
        {
            ImmutableArray<string> at = [.. _original.Place, claim.Value];
            int tensor = _original.Find(claim.Value);
            if (tensor < 0 || _kept.ContainsKey(tensor))
            {
                throw Refusal.Of("channels are claimed of a value that is not there, or twice", claim.Value, "values of the original, each once", at);
            }

            ImmutableArray<int> shape = _original.Tensor(tensor).Shape;
            if (_original.Count(tensor) <= 0 || claim.Axis >= shape.Length || claim.Count != shape[claim.Axis] || claim.Dropped.Length >= claim.Count)
            {
                throw Refusal.Of(
                    "channels do not fit the value", Text($"axis {claim.Axis} of {claim.Count}, {claim.Dropped.Length} dropped"), "an axis of its shape with at least one channel that stays", at);
            }

            if (claim.Dropped.Length > 0 && (_original.IsInput(tensor) || _original.Graph.Outputs.Contains(tensor)))
            {
                throw Refusal.Of("channels of the interface are dropped", Text($"{claim.Dropped.Length} dropped"), "none", at);
            }

            DroppedChannel?[] dropped = new DroppedChannel?[claim.Count];
            foreach (DroppedChannel channel in claim.Dropped)
            {
                if (channel.Channel >= claim.Count || dropped[channel.Channel] is not null)
                {
                    throw Refusal.Of("a dropped channel does not exist, or is listed twice", Text($"{channel.Channel}"), Text($"0 to {claim.Count - 1}, each once"), at);
                }

                dropped[channel.Channel] = channel;
            }

            foreach (DroppedChannel channel in claim.Dropped.Where(c => c.Rule == ClaimWords.Duplicate))
            {
                if (channel.Of >= claim.Count || dropped[channel.Of] is not null)
                {
                    throw Refusal.Of("a duplicate is one of a channel that does not stay", Text($"{channel.Of}"), "a channel that stays", at);
                }
            }

            _kept[tensor] = new(claim.Axis, claim.Count, [.. Enumerable.Range(0, claim.Count).Where(c => dropped[c] is null)], [.. dropped]);
        }
    }

    /// <summary>Operands that the result must have in each slot, as tensors of the original; -1 where there is none.</summary>
    private void Operator(OperatorClaim claim)
    {
        (int now, int before) = (claim.Result, claim.Original);
        (OperatorRecord a, OperatorRecord b) = (_original.Operators[before], _result.Operators[now]);
        ImmutableArray<string> at = _result.At(now);
        OperatorCodeRecord code = _original.Code(before), other = _result.Code(now);
        if (code.BuiltinCode != other.BuiltinCode || (code.CustomCode ?? "") != (other.CustomCode ?? ""))
        {
            throw Refusal.Of("an operator is not what it was", Name(other), Name(code), at);
        }

        if (code.Version < other.Version)
        {
            // Kernels do not read it; a loader may.
            _conditions.Add(Text($"the runtime knows {Name(other)}, which the original calls version {code.Version}"));
        }

        ImmutableArray<int> sources = Operands(claim, at);
        if (a.Outputs.Length != b.Outputs.Length)
        {
            throw Refusal.Of("an operator is not what it was", Text($"{b.Outputs.Length} outputs"), Text($"{a.Outputs.Length}"), at);
        }

        OperatorPair pair = new(claim, sources, at);
        Options(pair);
        HashSet<int> compared = [];
        Channels(pair, compared);
        for (int i = 0; i < sources.Length; i++)
        {
            if (sources[i] >= 0 && !_original.IsActivation(sources[i]) && !compared.Contains(i))
            {
                _compare.Equal(b.Inputs[i], sources[i], [.. at, Text($"operand {i}")], IsConvolutionBias(before, i));
            }
        }

        Hidden(a, b, at);
        for (int i = 0; i < b.Outputs.Length; i++)
        {
            if ((a.Outputs[i] < 0) != (b.Outputs[i] < 0))
            {
                throw Refusal.Of("an operator is not what it was", "another set of outputs", "that of the original", at);
            }

            if (b.Outputs[i] >= 0)
            {
                _compare.Header(b.Outputs[i], a.Outputs[i], _kept.GetValueOrDefault(a.Outputs[i]), [.. at, Text($"output {i}")]);
                _compare.Data(b.Outputs[i], a.Outputs[i], [.. at, Text($"output {i}")]);
                _counterparts[b.Outputs[i]] = a.Outputs[i];
            }
        }

        Say("operator", at, Text($"does what operator {before} of the original does{(claim.Changes.IsEmpty ? "" : $" ({string.Join(", ", claim.Changes)})")}"));
    }

    /// <summary>For every operand of an operator of the result the tensor of the original that it must stand for.</summary>
    private ImmutableArray<int> Operands(OperatorClaim claim, ImmutableArray<string> at)
    {
        ImmutableArray<int> now = _result.Operators[claim.Result].Inputs;
        ImmutableArray<int> before = Expected(claim, at);
        int length = Math.Max(now.Length, before.Length);
        ImmutableArray<int>.Builder sources = ImmutableArray.CreateBuilder<int>(length);
        for (int i = 0; i < length; i++)
        {
            (int t, int source) = (i < now.Length ? now[i] : -1, i < before.Length ? before[i] : -1);
            ImmutableArray<string> operand = [.. at, Text($"operand {i}")];
            if (t < 0 && source >= 0 && i == 1 && claim.Changes.Contains(ClaimWords.ReshapeInputDropped))
            {
                source = -1;
            }
            else if (source < 0 && t >= 0)
            {
                // A bias that had to be made; whoever checks the layer looks at what it holds.
                if (LinearLayer.Of(_result, claim.Result) is not { } layer || layer.BiasSlot != i)
                {
                    throw Refusal.Of("an operator has an operand more", _result.Name(t), "none", operand);
                }

                NotActivation(t, operand);
            }
            else if (t < 0 != source < 0)
            {
                throw Refusal.Of("an operator lacks an operand", "none", _original.Name(source), operand);
            }
            else if (source >= 0 && _original.IsActivation(source))
            {
                if (!_counterparts.TryGetValue(t, out int counterpart) || counterpart != source)
                {
                    throw Refusal.Of(
                        "an operator reads another value",
                        _counterparts.TryGetValue(t, out counterpart) ? _original.Name(counterpart) : _result.Name(t),
                        _original.Name(source),
                        operand);
                }
            }
            else if (source >= 0)
            {
                NotActivation(t, operand);
                Variable(t, source, operand);
            }

            sources.Add(source);
        }

        return sources.MoveToImmutable();
    }

    /// <summary>A variable keeps its state for all its readers, so each stands for exactly one.</summary>
    private void Variable(int now, int before, ImmutableArray<string> at)
    {
        if (!_original.Tensor(before).IsVariable && !_result.Tensor(now).IsVariable)
        {
            return;
        }

        bool isNew = _variables.TryAdd(now, before);
        if (_variables[now] != before || (isNew && _variables.Count(v => v.Value == before) > 1))
        {
            throw Refusal.Of("a variable is not what it was", "shared otherwise", "the same state for the same readers", at);
        }
    }

    private void NotActivation(int now, ImmutableArray<string> at)
    {
        if (_result.IsActivation(now))
        {
            throw Refusal.Of("a constant has become a value", _result.Name(now), "a constant", at);
        }
    }

    /// <summary>Tensors that an operator uses beside its operands and results.</summary>
    private void Hidden(OperatorRecord a, OperatorRecord b, ImmutableArray<string> at)
    {
        if (a.Intermediates.Length != b.Intermediates.Length || !a.MutatingVariableInputs.AsSpan().SequenceEqual(b.MutatingVariableInputs.AsSpan()))
        {
            throw Refusal.Of("an operator is not what it was", "other intermediate tensors", "those of the original", at);
        }

        for (int i = 0; i < a.Intermediates.Length; i++)
        {
            if (a.Intermediates[i] < 0 != b.Intermediates[i] < 0)
            {
                throw Refusal.Of("an operator is not what it was", "other intermediate tensors", "those of the original", at);
            }

            if (a.Intermediates[i] >= 0)
            {
                _compare.Equal(b.Intermediates[i], a.Intermediates[i], [.. at, Text($"intermediate {i}")]);
            }
        }
    }

    private TensorComparison.Role IsConvolutionBias(int op, int slot) =>
        _original.Kind(op) is BuiltinOperator.Conv2D or BuiltinOperator.DepthwiseConv2D && slot == 2
            ? TensorComparison.Role.ConvolutionBias
            : TensorComparison.Role.Plain;

    private void Say(string check, ImmutableArray<string> at, string statement) => _log.Add(new(check, string.Join(" > ", at), statement));

    private static string Name(OperatorCodeRecord code) => Text($"{code.CustomCode ?? code.BuiltinCode.ToString()} version {code.Version}");

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    /// <param name="Sources">For each operand of the result the tensor of the original that it stands for; -1 for none.</param>
    private sealed record OperatorPair(OperatorClaim Claim, ImmutableArray<int> Sources, ImmutableArray<string> At)
    {
        public int Now => Claim.Result;

        public int Before => Claim.Original;

        public bool Has(string change) => Claim.Changes.Contains(change);
    }
}
