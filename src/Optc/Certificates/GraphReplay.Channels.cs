using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Certificates;

internal sealed partial class GraphReplay
{
    /// <summary>How the channels that stay go through an operator.</summary>
    /// <param name="compared">Receives the operands that a rule has compared itself.</param>
    private void Channels(OperatorPair pair, HashSet<int> compared)
    {
        BuiltinOperator kind = _original.Kind(pair.Before);
        bool isSliced = pair.Sources.Any(s => s >= 0 && !IsWhole(s)) || _original.Operators[pair.Before].Outputs.Any(t => t >= 0 && !IsWhole(t));
        bool isMade = pair.Sources.Zip(_result.Operators[pair.Now].Inputs).Any(p => p.First < 0 && p.Second >= 0);
        if (kind is BuiltinOperator.Conv2D or BuiltinOperator.DepthwiseConv2D or BuiltinOperator.FullyConnected or BuiltinOperator.TransposeConv)
        {
            if (isSliced || isMade || pair.Has(ClaimWords.PadFused)
                || _claims.Biases.Any(c => c.Original == pair.Before) || _claims.Duplicates.Any(c => c.Original == pair.Before))
            {
                Linear(pair, compared);
            }
        }
        else if (kind == BuiltinOperator.Reshape)
        {
            Reshape(pair, compared);
        }
        else if (kind == BuiltinOperator.Pad && MergedPads(pair.Before) is { Count: > 1 } pads)
        {
            Pads(pair, pads);
            compared.Add(1);
            if (isSliced)
            {
                Padded(pair, _result.Integers(_result.Operand(pair.Now, 1)));
            }
        }
        else if (isSliced)
        {
            Tied(pair, kind, compared);
        }
    }

    /// <summary>Operators that compute each channel from the same channel of their operands.</summary>
    private void Tied(OperatorPair pair, BuiltinOperator kind, HashSet<int> compared)
    {
        switch (kind)
        {
            case BuiltinOperator.Add or BuiltinOperator.Sub or BuiltinOperator.Mul or BuiltinOperator.Div or BuiltinOperator.Maximum
                or BuiltinOperator.Minimum or BuiltinOperator.SquaredDifference or BuiltinOperator.AddN or BuiltinOperator.Prelu
                or BuiltinOperator.Quantize or BuiltinOperator.Dequantize or BuiltinOperator.Cast or BuiltinOperator.Relu or BuiltinOperator.Relu6
                or BuiltinOperator.ReluN1To1 or BuiltinOperator.Relu0To1 or BuiltinOperator.LeakyRelu or BuiltinOperator.Elu
                or BuiltinOperator.Logistic or BuiltinOperator.Tanh or BuiltinOperator.HardSwish or BuiltinOperator.Gelu or BuiltinOperator.Abs
                or BuiltinOperator.Neg or BuiltinOperator.Exp or BuiltinOperator.Sqrt or BuiltinOperator.Rsqrt or BuiltinOperator.Square:
                Elementwise(pair, compared);
                break;
            case BuiltinOperator.AveragePool2D or BuiltinOperator.MaxPool2D or BuiltinOperator.ResizeBilinear or BuiltinOperator.ResizeNearestNeighbor:
                Carried(pair, axis => axis == 3 && _original.Tensor(pair.Sources[0]).Shape.Length == 4 ? axis : null);
                break;
            case BuiltinOperator.Pad or BuiltinOperator.Padv2 or BuiltinOperator.MirrorPad:
                Padded(pair, _original.Integers(pair.Sources[1]));
                break;
            case BuiltinOperator.Mean or BuiltinOperator.Sum or BuiltinOperator.ReduceMax or BuiltinOperator.ReduceMin:
                Reduction(pair);
                break;
            case BuiltinOperator.Transpose:
                int rank = _original.Tensor(pair.Sources[0]).Shape.Length;
                int[]? order = _original.Integers(pair.Sources[1]);
                Carried(pair, axis => order is not null && order.Length == rank && Positions.Axes(order, rank) is { } all && all.Length == rank
                    ? Array.FindIndex(order, o => (o < 0 ? o + rank : o) == axis)
                    : null);
                break;
            case BuiltinOperator.Concatenation:
                Concatenation(pair, compared);
                break;
            default:
                throw Refusal.Of("channels are dropped around an operator that has no rule for it", kind.ToString(), "operators that treat channels apart", pair.At);
        }
    }

    private void Elementwise(OperatorPair pair, HashSet<int> compared)
    {
        int output = _original.Operators[pair.Before].Outputs[0];
        KeptChannels? kept = _kept.GetValueOrDefault(output);
        int rank = _original.Tensor(output).Shape.Length;
        for (int i = 0; i < pair.Sources.Length; i++)
        {
            int source = pair.Sources[i];
            if (source < 0)
            {
                continue;
            }

            ImmutableArray<int> shape = _original.Tensor(source).Shape;
            int axis = kept is null ? -1 : kept.Axis - (rank - shape.Length);
            bool isShared = kept is null || kept.IsWhole || axis < 0 || (shape[axis] == 1 && kept.Count != 1);
            if (isShared)
            {
                if (!IsWhole(source))
                {
                    throw Untied(pair, source, output);
                }
            }
            else if (_original.IsActivation(source))
            {
                if (!(_kept.TryGetValue(source, out KeptChannels? own) && own.Axis == axis && own.StaysLike(kept!)))
                {
                    throw Untied(pair, source, output);
                }
            }
            else if (shape[axis] != kept!.Count)
            {
                throw Untied(pair, source, output);
            }
            else
            {
                _compare.Slice(_result.Operators[pair.Now].Inputs[i], source, kept with { Axis = axis }, [.. pair.At, Text($"operand {i}")]);
                compared.Add(i);
            }
        }
    }

    /// <summary>One operand whose channels reappear on one axis of the result.</summary>
    /// <param name="axisOf">The axis of the result on which those of an axis of the operand are; null when they mix.</param>
    private void Carried(OperatorPair pair, Func<int, int?> axisOf)
    {
        int output = _original.Operators[pair.Before].Outputs[0];
        bool isFollowed = !_kept.TryGetValue(pair.Sources[0], out KeptChannels? from) || from.IsWhole
            ? IsWhole(output)
            : axisOf(from.Axis) is { } axis && _kept.TryGetValue(output, out KeptChannels? to) && to.Axis == axis && to.StaysLike(from);
        if (!isFollowed || pair.Sources.Skip(1).Any(s => s >= 0 && !IsWhole(s)))
        {
            throw Untied(pair, pair.Sources[0], output);
        }
    }

    private void Padded(OperatorPair pair, int[]? amounts) =>
        Carried(pair, axis => amounts is not null && amounts.Length == 2 * _original.Tensor(pair.Sources[0]).Shape.Length && amounts[2 * axis] == 0 && amounts[(2 * axis) + 1] == 0 ? axis : null);

    private void Reduction(OperatorPair pair)
    {
        int rank = _original.Tensor(pair.Sources[0]).Shape.Length;
        bool keepsRank = _original.Operators[pair.Before].Options is ReducerOptions { KeepDims: true };
        ImmutableArray<int>? reduced = pair.Sources.Length == 2 && _original.Integers(pair.Sources[1]) is { } axes ? Positions.Axes(axes, rank) : null;
        Carried(pair, axis => reduced is not { } all || all.Contains(axis) ? null : keepsRank ? axis : axis - all.Count(a => a < axis));
    }

    private void Concatenation(OperatorPair pair, HashSet<int> compared)
    {
        int output = _original.Operators[pair.Before].Outputs[0];
        ImmutableArray<int> shape = _original.Tensor(output).Shape;
        if (_original.Operators[pair.Before].Options is not ConcatenationOptions options || Positions.Axes([options.Axis], shape.Length) is not [var axis])
        {
            throw Untied(pair, pair.Sources[0], output);
        }

        if (!_kept.TryGetValue(output, out KeptChannels? whole))
        {
            whole = KeptChannels.Whole(axis, shape[axis]);
        }

        int at = 0;
        for (int i = 0; i < pair.Sources.Length; i++)
        {
            int source = pair.Sources[i];
            if (source < 0 || _original.Tensor(source).Shape.Length != shape.Length)
            {
                throw Untied(pair, source, output);
            }

            int size = _original.Tensor(source).Shape[axis];
            if (whole.Axis == axis && at + size > whole.Count)
            {
                throw Untied(pair, source, output);
            }

            KeptChannels part = whole.Axis == axis ? Part(whole, at, size) : whole;
            at += size;
            if (_original.IsActivation(source))
            {
                KeptChannels own = _kept.GetValueOrDefault(source) ?? KeptChannels.Whole(part.Axis, _original.Tensor(source).Shape[part.Axis]);
                if (!own.StaysLike(part) || (own.Axis != part.Axis && !own.IsWhole))
                {
                    throw Untied(pair, source, output);
                }
            }
            else
            {
                _compare.Slice(_result.Operators[pair.Now].Inputs[i], source, part, [.. pair.At, Text($"operand {i}")]);
                compared.Add(i);
            }
        }

        static KeptChannels Part(KeptChannels all, int first, int size) => new(
            all.Axis, size, [.. Enumerable.Range(0, size).Where(c => all.Stays(first + c))], [.. Enumerable.Range(0, size).Select(c => all.Dropped[first + c])]);
    }

    /// <summary>The elements that stay are the same before and after, and the target is that of the original without what is gone.</summary>
    private void Reshape(OperatorPair pair, HashSet<int> compared)
    {
        int output = _original.Operators[pair.Before].Outputs[0];
        if (pair.Sources.IsEmpty || pair.Sources[0] < 0 || output < 0)
        {
            throw Untied(pair, -1, output);
        }

        bool isSliced = !IsWhole(output) || !IsWhole(pair.Sources[0]);
        if (isSliced && !SameElements(pair.Sources[0], output))
        {
            throw Untied(pair, pair.Sources[0], output);
        }

        int[]? given = _original.Integers(_original.Operand(pair.Before, 1));
        ImmutableArray<int> before = Target(pair.Before, _original, output), now = Target(pair.Now, _result, output);
        ImmutableArray<int> sliced = Sliced(before, output);
        int operand = _result.Operand(pair.Now, 1);
        if (pair.Sources.Length > 1 && pair.Sources[1] >= 0 && isSliced)
        {
            int[]? made = _result.Integers(operand);
            ImmutableArray<int> wanted = given is null ? [] : Sliced([.. given], output);
            if (given is null || made is null || !made.AsSpan().SequenceEqual(wanted.AsSpan()))
            {
                throw Refusal.Of("a reshape has another target", "another shape operand", "that of the original without dropped channels", pair.At);
            }

            _compare.Header(_result.Tensor(operand), _original.Tensor(pair.Sources[1]), null, pair.At, TensorComparison.Role.Plain);
            compared.Add(1);
        }

        bool isGiven = given is not null && now.AsSpan().SequenceEqual(Sliced([.. given], output).AsSpan());
        bool isDropped = operand < 0 && _original.Operand(pair.Before, 1) >= 0;
        if (isDropped ? !isGiven : !isGiven && !now.AsSpan().SequenceEqual(sliced.AsSpan()))
        {
            throw Refusal.Of("a reshape has another target", $"[{string.Join(", ", now)}] in its options", $"[{string.Join(", ", sliced)}]", pair.At);
        }
    }

    private static ImmutableArray<int> Target(int op, GraphView view, int output) => view.Operators[op].Options switch
    {
        null => [],
        ReshapeOptions options => options.NewShape,
        _ => throw Refusal.Of("a reshape has the options of another operator", "another table", "its own", [.. view.At(op), Text($"tensor {output}")]),
    };

    private ImmutableArray<int> Sliced(ImmutableArray<int> target, int output) =>
        _kept.TryGetValue(output, out KeptChannels? kept) && kept.Axis < target.Length && target[kept.Axis] >= 0 ? target.SetItem(kept.Axis, kept.Kept.Length) : target;

    /// <summary>A PAD and those merged into it, first to last.</summary>
    private List<int> MergedPads(int op)
    {
        List<int> pads = [op];
        int operand = _original.Operand(op, 0);
        while (operand >= 0 && _original.Writer(Resolve(operand)) is >= 0 and int writer
            && _removed.TryGetValue(writer, out RemovedClaim? removed) && removed.Rule == ClaimWords.Merged && removed.Into == op)
        {
            pads.Insert(0, writer);
            operand = _original.Operand(writer, 0);
        }

        return pads;
    }

    private void Pads(OperatorPair pair, List<int> pads)
    {
        long[]? sum = null;
        foreach (int pad in pads)
        {
            long[]? amounts = _original.WideIntegers(_original.Operand(pad, 1));
            sum = amounts is null || amounts.Any(a => a < 0) || (sum is not null && sum.Length != amounts.Length)
                ? throw Refusal.Of("pads are merged whose amounts are not known", "amounts that are no constants", "constants", pair.At)
                : sum is null ? amounts : [.. sum.Zip(amounts, (a, b) => a + b)];
        }

        if (_result.WideIntegers(_result.Operand(pair.Now, 1)) is not { } made || !made.AsSpan().SequenceEqual(sum))
        {
            throw Refusal.Of("a merged pad has other amounts", "another constant", "the sum of those merged", pair.At);
        }
    }

    private DiagnosticException Untied(OperatorPair pair, int source, int output)
    {
        string Of(int tensor) => tensor < 0 ? "none" : Text($"{_original.Name(tensor)}: {(_kept.TryGetValue(tensor, out KeptChannels? k) ? k.Kept.Length : _original.Tensor(tensor).Shape.LastOrDefault())} channels");
        return Refusal.Of("channels do not go together through an operator", $"{Of(source)}, {Of(output)}", "the same channels on both sides", pair.At);
    }
}
