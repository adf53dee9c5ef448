using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Gradients;
using Optc.Ops.Kernels;

namespace Optc.Runtime.Training;

/// <summary>Copies the part of a graph that one value needs into another graph, for another batch size.</summary>
/// <param name="source">A float graph.</param>
/// <param name="builder">Receives inputs and nodes.</param>
/// <param name="batch">Takes the place of the first dimension of every input.</param>
/// <param name="replaced">Values that stand for constants or inputs of the source.</param>
/// <param name="normalizations">Products and sums that become batch normalization over the batch.</param>
/// <param name="fuse">
/// Makes an activation behind a normalization a part of it; convolutions before a normalization take its statistics, and those
/// behind one normalize and round what they read.
/// </param>
/// <param name="freeze">Normalizations use their moving statistics.</param>
/// <param name="grids">What readers see of values of the source.</param>
internal sealed class ForwardCopy(
    Graph source,
    GraphBuilder builder,
    int batch,
    IReadOnlyDictionary<Value, Value> replaced,
    ImmutableArray<NormalizationPair> normalizations,
    bool fuse = true,
    bool freeze = false,
    ActivationGrids? grids = null)
{
    private readonly Dictionary<Value, Value> _copies = new(replaced);
    private readonly Dictionary<Node, NormalizationPair> _pairs = normalizations.SelectMany(p => new[] { (p.Scale, p), (p.Shift, p) }).ToDictionary(e => e.Item1, e => e.p);
    private readonly Dictionary<Node, NormalizationPair> _blocks = !fuse ? [] : normalizations.Where(StartsBlock).ToDictionary(p => p.Input.Producer!);
    private readonly Dictionary<Value, Deferred> _deferred = [];
    private readonly Dictionary<Value, Value> _unrounded = [];
    private readonly List<(NormalizationPair Pair, Node Node)> _normalized = [];

    /// <summary>A convolution's result with its statistics, which whoever reads it normalizes.</summary>
    private sealed record Deferred(NormalizationPair Pair, ImmutableArray<Value?> Operands);

    /// <summary>The value that stands for one of the source.</summary>
    public Value this[Value value] => ValueOf(value);

    /// <summary>Copies everything up to a value.</summary>
    /// <exception cref="DiagnosticException">An operator does not take the new batch size.</exception>
    public Value Run(Value result)
    {
        foreach (Value input in source.Inputs.Where(i => !_copies.ContainsKey(i)))
        {
            Shape shape = input.Type.Shape;
            Define(input, builder.Input(input.Name, input.Type with { Shape = shape.HasRank && shape.Rank > 0 ? shape.With(0, batch) : shape }));
        }

        HashSet<Node> needed = Ancestors(result);
        foreach (Node node in source.Nodes.Where(needed.Contains))
        {
            if (_blocks.ContainsKey(node))
            {
                continue;
            }

            if (!_pairs.TryGetValue(node, out NormalizationPair? pair))
            {
                Copy(node);
            }
            else if (node == pair.Shift && pair.Input.Producer is { } convolution && _blocks.ContainsKey(convolution))
            {
                Block(pair, convolution);
            }
            else if (node == pair.Shift)
            {
                Normalize(pair);
            }
        }

        return ValueOf(result);
    }

    /// <summary>Moves the statistics of every normalization towards those of the batch.</summary>
    /// <remarks>The variance that is kept is the unbiased one, as in PyTorch.</remarks>
    public void UpdateStatistics(Expressions e, float momentum)
    {
        foreach ((NormalizationPair pair, Node node) in _normalized)
        {
            Expressions at = e.Named(pair.Name);
            double count = node.Outputs[0].Type.ElementCount / (double)pair.Channels;
            at.Assign(pair.Mean, at.Blend(momentum, at.Read(pair.Mean, [pair.Channels]), node.Outputs[1]));
            Value unbiased = at.Multiply(node.Outputs[2], (float)(count / Math.Max(1, count - 1)));
            at.Assign(pair.Variance, at.Blend(momentum, at.Read(pair.Variance, [pair.Channels]), unbiased));
        }
    }

    private static bool StartsBlock(NormalizationPair pair) =>
        IsPart(pair.Activation)
        && pair.Input is { UseCount: 1, Producer: { } producer }
        && producer.Op is (Conv2D { Activation: FusedActivation.None } or DepthwiseConv2D { Activation: FusedActivation.None, DepthMultiplier: 1 })
        && producer.Input(2) is null;

    private static bool IsPart(FusedActivation activation) =>
        activation is FusedActivation.None or FusedActivation.Relu or FusedActivation.Relu6 or FusedActivation.ReluN1To1;

    private void Block(NormalizationPair pair, Node convolution)
    {
        Value source = convolution.Inputs[0]!;
        bool rounds = RoundsInBlocks(source);
        if (!rounds && grids?.Concerns(source) == true)
        {
            ValueOf(source);
        }

        Deferred? before = _copies.ContainsKey(source) ? null : _deferred.GetValueOrDefault(source);
        FusedActivation activation = before?.Pair.Activation ?? FusedActivation.None;
        (LearnedFakeQuant Op, Value LogScale, Value Zero)? grid = rounds ? grids!.ForReaders(source) : null;
        NormalizedConvolution op = convolution.Op switch
        {
            Conv2D c => new(c.StrideH, c.StrideW, c.Padding, Depthwise: false, c.DilationH, c.DilationW, NormalizationPair.Epsilon, activation),
            DepthwiseConv2D c => new(c.StrideH, c.StrideW, c.Padding, Depthwise: true, c.DilationH, c.DilationW, NormalizationPair.Epsilon, activation),
            _ => throw new InvalidOperationException($"'{convolution}' starts no block."),
        };
        Value x = before?.Operands[0] ?? (rounds ? _unrounded[source] : ValueOf(source));
        ImmutableArray<Value?> operands = [x, ValueOf(convolution.Inputs[1]!), .. before?.Operands[1..] ?? (grid is null ? [] : [null, null, null, null])];
        Node node = builder.Add(
            op with { Low = grid?.Op.Low ?? 0, High = grid?.Op.High ?? 0, Statistics = !freeze },
            grid is null ? operands : [.. operands, grid.Value.LogScale, grid.Value.Zero],
            convolution.Name);
        (Value mean, Value variance) = (node.Outputs[1], node.Outputs[2]);
        if (freeze)
        {
            (mean, variance) = Moving(pair);
        }
        else
        {
            _normalized.Add((pair, node));
        }

        _deferred.Add(pair.Shift.Output, new(pair, [node.Outputs[0], _copies[pair.Factors], _copies[pair.Offsets], mean, variance]));
    }

    // Who else reads a value gets it in memory, where a block may then read it as well.
    private bool RoundsInBlocks(Value source) =>
        fuse
        && grids?.Concerns(source) == true
        && source.Users.All(user => _blocks.ContainsKey(user) && user.Inputs[0] == source)
        && grids.ForReaders(source) is not null;

    private (Value Mean, Value Variance) Moving(NormalizationPair pair)
    {
        Expressions at = new(builder, pair.Name);
        return (at.Read(pair.Mean, [pair.Channels]), at.Read(pair.Variance, [pair.Channels]));
    }

    private void Normalize(NormalizationPair pair)
    {
        bool whole = fuse && IsPart(pair.Activation);
        if (freeze)
        {
            Expressions at = new(builder, pair.Name);
            (Value mean, Value variance) = Moving(pair);
            Value fixedResult = at.Add(
                new NormalizeChannels(NormalizationPair.Epsilon, whole ? pair.Activation : FusedActivation.None),
                ValueOf(pair.Input),
                _copies[pair.Factors],
                _copies[pair.Offsets],
                mean,
                variance);
            Define(pair.Shift.Output, Activated(pair, fixedResult, whole));
            return;
        }

        Node node = builder.Add(
            new BatchNormalization(NormalizationPair.Epsilon, whole ? pair.Activation : FusedActivation.None), [ValueOf(pair.Input), _copies[pair.Factors], _copies[pair.Offsets]], pair.Name);
        _normalized.Add((pair, node));
        Define(pair.Shift.Output, Activated(pair, node.Outputs[0], whole));
    }

    private Value Activated(NormalizationPair pair, Value result, bool whole) => whole ? result : pair.Activation switch
    {
        FusedActivation.None => result,
        FusedActivation.Relu => builder.Add(new Relu(), [result], pair.Name).Output,
        FusedActivation.Relu6 => builder.Add(new Relu6(), [result], pair.Name).Output,
        FusedActivation.ReluN1To1 => builder.Add(new ReluN1To1(), [result], pair.Name).Output,
        _ => throw new DiagnosticException(new Diagnostic(DiagnosticId.NotDifferentiable, "the activation of a layer cannot be trained")
        {
            At = [$"operator {pair.Shift}"],
            Found = $"{pair.Activation}",
        }),
    };

    private void Define(Value source, Value copy)
    {
        if (RoundsInBlocks(source))
        {
            _unrounded.Add(source, copy);
            return;
        }

        _copies.Add(source, grids?.Round(source, copy) ?? copy);
    }

    private void Copy(Node node)
    {
        ImmutableArray<Value?> inputs = [.. node.Inputs.Select(v => v is null || v.IsVariable ? null : ValueOf(v))];
        try
        {
            if (node.Op is IUnrollable sequence)
            {
                Define(node.Outputs[0], sequence.Unroll(builder, inputs, node.Name));
                return;
            }

            (IOp op, inputs) = node.Op is Reshape reshape ? Rebatch(reshape, node, inputs) : (node.Op, inputs);
            Node copy = builder.Add(op, inputs, node.Name);
            for (int i = 0; i < copy.Outputs.Length; i++)
            {
                Define(node.Outputs[i], copy.Outputs[i]);
            }
        }
        catch (OpRuleException problem)
        {
            throw new DiagnosticException(new Diagnostic(DiagnosticId.OperandType, problem.Message)
            {
                At = [$"operator {node}", $"in a batch of {batch}"],
                Found = problem.Found,
                Expected = problem.Expected,
                Hint = "the graph fixes the number of samples in a way that cannot be changed",
            });
        }
    }

    // Files say "1" where they mean the batch. A shape that keeps the first dimension in the source keeps it here.
    private static (IOp Op, ImmutableArray<Value?> Inputs) Rebatch(Reshape op, Node node, ImmutableArray<Value?> inputs)
    {
        (Shape from, Shape to) = (node.Inputs[0]!.Type.Shape, node.Outputs[0].Type.Shape);
        if (!from.HasRank || !to.HasRank || from.Rank == 0 || to.Rank == 0 || from[0] != to[0])
        {
            return (op, inputs);
        }

        Shape now = inputs[0]!.Type.Shape;
        Shape wanted = to.With(0, now[0]);
        if (to.Dims.Skip(1).Any(d => d < 0))
        {
            return (op, inputs);
        }

        return (new Reshape(wanted.Dims), [inputs[0], GraphBuilder.Constant(TensorData.FromInts([wanted.Rank], wanted.Dims.AsSpan()), "")]);
    }

    private Value ValueOf(Value value)
    {
        if (!_copies.ContainsKey(value) && !_unrounded.ContainsKey(value) && _deferred.TryGetValue(value, out Deferred? deferred))
        {
            Define(value, builder.Add(
                new NormalizeChannels(NormalizationPair.Epsilon, deferred.Pair.Activation), deferred.Operands, deferred.Pair.Name).Output);
        }

        if (!_copies.TryGetValue(value, out Value? copy))
        {
            if (_unrounded.TryGetValue(value, out Value? unrounded))
            {
                copy = grids!.Round(value, unrounded);
                _copies.Add(value, copy);
                return copy;
            }

            copy = GraphBuilder.Constant(
                (value.Constant ?? throw new InvalidOperationException($"'{value.Name}' is computed by nobody.")).ToDense(), value.Name, value.Type.Quant);
            _copies.Add(value, copy);
        }

        return copy;
    }

    private static HashSet<Node> Ancestors(Value value)
    {
        HashSet<Node> found = [];
        Stack<Value> pending = new([value]);
        while (pending.TryPop(out Value? next))
        {
            if (next.Producer is { } producer && found.Add(producer))
            {
                foreach (Value input in producer.Inputs.OfType<Value>())
                {
                    pending.Push(input);
                }
            }
        }

        return found;
    }
}
