using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Kernels;
using Optc.Passes.Clean;
using Optc.Passes.Fuse;

namespace Optc.Passes.Shrink;

/// <summary>Removes operators and parts of operators that do nothing, whatever the input and the runtime.</summary>
internal sealed class GraphCleanup
{
    private readonly TrackedGraph _graph;
    private readonly ShrinkRules _rules;
    private readonly bool _isLast;

    private GraphCleanup(TrackedGraph graph, ShrinkRules rules, bool isLast) => (_graph, _rules, _isLast) = (graph, rules, isLast);

    /// <summary>Applies the rules until none fires.</summary>
    /// <param name="isLast">Channels are gone: reshapes that tell their places apart may go too.</param>
    public static void Run(TrackedGraph graph, ShrinkRules rules, bool isLast)
    {
        GraphCleanup cleanup = new(graph, rules, isLast);
        if (rules.HasFlag(ShrinkRules.Unused))
        {
            graph.RemoveUnused();
        }

        while (graph.Graph.Nodes.ToArray().Any(cleanup.Improve))
        {
        }

        Verifier.ThrowIfBroken(graph.Module);
    }

    /// <summary>True when a rule changed something at a node.</summary>
    private bool Improve(Node node) => (_rules.HasFlag(ShrinkRules.Quantize) && node.Op is Ops.Quantize && RemoveQuantize(node))
        || (_rules.HasFlag(ShrinkRules.Pad) && node.Op is Conv2D or DepthwiseConv2D && FusePad(node))
        || (_rules.HasFlag(ShrinkRules.Clamp) && DropClamp(node))
        || (_rules.HasFlag(ShrinkRules.Merge) && (MergeReshape(node) || MergePads(node)))
        || (_rules.HasFlag(ShrinkRules.Reshape) && Identity.Reshapes(node.Op) && (RemoveReshape(node) || DropShape(node) || (_isLast && Flatten(node))));

    private bool RemoveQuantize(Node node)
    {
        Value x = node.Inputs[0]!;
        bool isPair = x.Type.DType is DType.F32;
        Value source = isPair && x.Producer is { Op: Dequantize } dequantize ? dequantize.Inputs[0]! : x;
        if (source.Constant is not null || (isPair && !ReturnsEveryCode(source.Type)))
        {
            return false;
        }

        return Try(new RemoveQuantize(), node, gone => gone == node
            ? new(_graph.Original(node), isPair ? "dequantize-quantize" : "quantize", _graph.Name(source))
            : new(_graph.Original(gone), "unused"));
    }

    /// <summary>DEQUANTIZE and QUANTIZE in float32, by quotient or by product with the reciprocal, of all codes of the type.</summary>
    private static bool ReturnsEveryCode(TensorType type)
    {
        if (ElementBounds.LimitsOf(type.DType) is not { } limits || type.Quant is not { IsPerAxis: false })
        {
            return false;
        }

        for (int q = limits.Low; q <= limits.High; q++)
        {
            float real = type.Scale * (q - type.ZeroPoint);
            if (MathF.Round(real / type.Scale) != q - type.ZeroPoint || MathF.Round(real * (1 / type.Scale)) != q - type.ZeroPoint)
            {
                return false;
            }
        }

        return true;
    }

    private bool FusePad(Node node)
    {
        if (node.Inputs[0] is not { Producer: { Op: Pad or PadV2 } pad, Type.DType: DType.I8 or DType.U8 or DType.I16 })
        {
            return false;
        }

        return Try(new FusePad(), node, gone => new(_graph.Original(gone), gone == pad ? "pad-fused" : "unused"), added => _graph.TakeIn(added, pad));
    }

    private bool DropClamp(Node node)
    {
        IOp? plain = node.Op switch
        {
            Conv2D op when LimitsNothing(op.Activation, node) => op with { Activation = FusedActivation.None },
            DepthwiseConv2D op when LimitsNothing(op.Activation, node) => op with { Activation = FusedActivation.None },
            FullyConnected op when LimitsNothing(op.Activation, node) => op with { Activation = FusedActivation.None },
            Arithmetic op when LimitsNothing(op.Activation, node) => (IOp)(op with { Activation = FusedActivation.None }),
            Pool2D op when LimitsNothing(op.Activation, node) => (IOp)(op with { Activation = FusedActivation.None }),
            _ => null,
        };
        if (plain is null)
        {
            return false;
        }

        GraphPatch patch = new();
        patch.Replace(node.Output, patch.Add(plain, node.Inputs, node.Output, node.Name));
        _graph.Change(node, "activation-dropped");
        _graph.Apply(patch, node, gone => new(_graph.Original(gone), "unused"));
        return true;
    }

    /// <summary>In real numbers, so that it is true however a runtime rounds the limits.</summary>
    private static bool LimitsNothing(FusedActivation activation, Node node)
    {
        TensorType y = node.Output.Type;
        if (ElementBounds.LimitsOf(y.DType) is not { } limits || y.Quant is not { IsPerAxis: false } quant || !(quant.Scale > 0))
        {
            return false;
        }

        double Raw(double bound) => quant.ZeroPoint + (bound / quant.Scale);
        return activation switch
        {
            FusedActivation.Relu => Raw(0) <= limits.Low,
            FusedActivation.Relu6 => Raw(0) <= limits.Low && Raw(6) >= limits.High,
            FusedActivation.ReluN1To1 => Raw(-1) <= limits.Low && Raw(1) >= limits.High,
            _ => false,
        };
    }

    private bool MergeReshape(Node node)
    {
        if (!Identity.Reshapes(node.Op) || node.Inputs[0] is not { Producer: { } first, UseCount: 1 } || !Identity.Reshapes(first.Op)
            || _graph.Graph.IsOutput(first.Output) || node.Op is not Reshape)
        {
            return false;
        }

        string source = _graph.Name(first.Inputs[0]!);
        return first.Inputs[0]!.Constant is null && Try(new MergeReshapes(), node, gone => gone == first
            ? new(_graph.Original(first), "merged", source, _graph.Original(node))
            : new(_graph.Original(gone), "unused"));
    }

    /// <summary>Widths of two borders of the same value in a row add up.</summary>
    private bool MergePads(Node node)
    {
        if (node.Op is not Pad || node.Inputs[0] is not { Producer: { Op: Pad } first, UseCount: 1 } inner || _graph.Graph.IsOutput(inner)
            || first.Inputs[0] is not { IsVariable: false } x || !Equals(x.Type.Quant, inner.Type.Quant) || !Equals(inner.Type.Quant, node.Output.Type.Quant)
            || first.Inputs[1] is not { Constant: { Sparse: null } a } || node.Inputs[1] is not { Constant: { Sparse: null } b }
            || a.DType != DType.I32 || b.DType != DType.I32)
        {
            return false;
        }

        int[] widths = [.. a.AsInts().Zip(b.AsInts(), (p, q) => checked(p + q))];
        GraphPatch patch = new();
        Value both = GraphPatch.Constant(TensorData.FromInts(b.Shape, widths), node.Inputs[1]!.Name);
        patch.Replace(node.Output, patch.Add(node.Op, [x, both], node.Output, node.Name));
        string source = _graph.Name(x);
        _graph.Apply(patch, node, gone => gone == first
            ? new(_graph.Original(first), "merged", source, _graph.Original(node))
            : new(_graph.Original(gone), "unused"));
        return true;
    }

    private bool RemoveReshape(Node node) => node.Inputs[0] is { Constant: null } x && Try(new RemoveReshape(), node, gone => gone == node
        ? new(_graph.Original(node), "reshape", _graph.Name(x))
        : new(_graph.Original(gone), "unused"));

    /// <summary>Readers that flatten what they read need nobody to do it for them.</summary>
    private bool Flatten(Node node)
    {
        Value x = node.Inputs[0]!;
        Value y = node.Output;
        if (x.Constant is not null || x.IsVariable || x.Type.DType is not DType.I8 || !x.Type.Shape.HasRank || !y.Type.Shape.HasRank
            || x.Type.Shape.Rank < 1 || y.Type.Shape.Rank != 2 || y.Type.Shape[0] != x.Type.Shape[0]
            || x.Type.Shape.Dims.Skip(1).Any(d => d < 0) || x.Type.Shape.Dims.Skip(1).Aggregate(1L, (a, d) => a * d) != y.Type.Shape[1]
            || !Equals(x.Type.Quant, y.Type.Quant) || y.UseCount == 0 || _graph.Graph.IsOutput(y)
            || y.Users.Any(u => u.Op is not FullyConnected { KeepNumDims: false } || u.Inputs[0] != y || u.Inputs.Count(v => v == y) > 1
                || u.Inputs[1]!.Type.Shape[1] != y.Type.Shape[1]))
        {
            return false;
        }

        GraphPatch patch = new();
        foreach (Node reader in y.Users)
        {
            patch.SetInput(reader, 0, x);
        }

        string source = _graph.Name(x);
        _graph.Apply(patch, node, gone => gone == node ? new(_graph.Original(node), "reshape", source) : new(_graph.Original(gone), "unused"));
        return true;
    }

    private bool DropShape(Node node)
    {
        if (node.Op is not Reshape { NewShape.IsEmpty: false } op || node.Input(1) is not { Constant: { } shape }
            || !shape.ToDense().AsInts().AsSpan().SequenceEqual(op.NewShape.AsSpan()))
        {
            return false;
        }

        GraphPatch patch = new();
        patch.Replace(node.Output, patch.Add(op, [node.Inputs[0]], node.Output, node.Name));
        _graph.Change(node, "reshape-input-dropped");
        _graph.Apply(patch, node, gone => new(_graph.Original(gone), "unused"));
        return true;
    }

    private bool Try(IRewriteRule rule, Node node, Func<Node, RemovedOperator> why, Action<Node>? added = null)
    {
        GraphPatch patch = new();
        if (!rule.Apply(_graph.Graph, node, patch).Changed)
        {
            patch.Discard();
            return false;
        }

        Node? successor = patch.Added.SingleOrDefault();
        _graph.Apply(patch, node, why);
        if (successor is not null)
        {
            added?.Invoke(successor);
        }

        return true;
    }
}
