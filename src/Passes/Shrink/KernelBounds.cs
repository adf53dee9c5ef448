using Optc.Ir;
using Optc.Ops;
using Optc.Ops.Bounds;
using Optc.Ops.Kernels;

namespace Optc.Passes.Shrink;

/// <summary>Bounds through ops whose own kernels compute the ends.</summary>
internal sealed class KernelBounds : NodeBounds, IDisposable
{
    /// <summary>How far from the real result, in steps, a runtime may be before it rounds.</summary>
    private const double Slack = 0.02;
    private const int Codes = 256;

    private readonly Node _node;
    private readonly OutputBounds _rule;
    private readonly NodeKernel[] _kernels;
    private readonly NodeKernel? _real;
    private readonly (int[] Low, int[] High)? _table;
    private readonly Value[] _computed;

    private KernelBounds(Node node, OutputBounds rule, NodeKernel[] kernels, NodeKernel? real, bool isEnvelope)
    {
        (_node, _rule, _kernels, _real) = (node, rule, kernels, real);
        _computed = [.. node.Inputs.OfType<Value>().Where(v => v.Constant is null)];
        if (rule.Rule is BoundsRule.Codes)
        {
            _table = Table(isEnvelope);
        }
    }

    /// <returns><see langword="null"/> when nothing can be said of the results.</returns>
    public static KernelBounds? TryCreate(Node node, OutputBounds rule, Roundings roundings)
    {
        bool isTable = rule.Rule is BoundsRule.Codes;
        if ((isTable && node.Inputs.Length != 1)
            || node.Outputs.Concat(node.Inputs.OfType<Value>().Where(v => v.Constant is null))
                .Any(v => ElementBounds.LimitsOf(v.Type.DType) is null || ElementBounds.Known(v.Type.Shape) is null))
        {
            return null;
        }

        TensorType Own(Value value) => value.Constant is not null ? value.Type
            : value.Type with { Shape = isTable ? [Codes] : ElementBounds.Known(value.Type.Shape)! };
        bool isFree = rule.Freedom is not RoundingFreedom.None;
        List<RoundingProfile> profiles = [];
        if (!isFree || (roundings & (Roundings.Double | Roundings.Single)) != 0)
        {
            profiles.Add(RoundingProfile.Tflm);
        }

        if (isFree && roundings.HasFlag(Roundings.Float32))
        {
            profiles.Add(RoundingProfile.Xnnpack);
        }

        bool isEnvelope = roundings.HasFlag(Roundings.Single);
        NodeKernel?[] kernels = [.. profiles.Select(p => NodeKernel.TryCreate(node, Own, p))];
        NodeKernel? real = null;
        bool needsReal = isEnvelope && rule.Freedom is RoundingFreedom.NearReal or RoundingFreedom.EitherSideOfMean;
        if (needsReal)
        {
            TensorType Real(Value value) => ElementBounds.LimitsOf(value.Type.DType) is null ? value.Type : new(DType.F32, Own(value).Shape);
            real = NodeKernel.TryCreate(node, Real, RoundingProfile.Tflm, node.Op is AveragePool2D pool ? pool with { Activation = FusedActivation.None } : null);
        }

        return kernels.Contains(null) || (needsReal && real is null)
            ? null
            : new(node, rule, kernels!, real, isEnvelope);
    }

    public override ElementBounds?[] Of(ReadOnlySpan<ElementBounds> inputs)
    {
        if (_table is { } table)
        {
            return [Look(inputs[0], table)];
        }

        ElementBounds?[] results = new ElementBounds?[_node.Outputs.Length];
        int corners = _rule.Rule is BoundsRule.Corners ? 1 << inputs.Length : 2;
        for (int corner = 0; corner < corners; corner++)
        {
            int[][] operands = new int[inputs.Length][];
            for (int i = 0; i < operands.Length; i++)
            {
                bool isHigh = _rule.Rule is BoundsRule.Corners ? (corner >> i & 1) != 0 : corner != 0;
                operands[i] = isHigh ? inputs[i].High : inputs[i].Low;
            }

            Include(results, operands);
        }

        return results;
    }

    public void Dispose()
    {
        _real?.Dispose();
        foreach (NodeKernel kernel in _kernels)
        {
            kernel.Dispose();
        }
    }

    private void Include(ElementBounds?[] results, int[][] operands)
    {
        foreach (NodeKernel kernel in _kernels)
        {
            int[][] outputs = kernel.Run(operands);
            for (int i = 0; i < outputs.Length; i++)
            {
                Shape shape = ElementBounds.Known(_node.Outputs[i].Type.Shape)!;
                ElementBounds found = new(shape, outputs[i], [.. outputs[i]]);
                if (results[i] is { } bounds)
                {
                    bounds.Include(found);
                }
                else
                {
                    results[i] = found;
                }
            }
        }

        if (_real is not null)
        {
            (int[] low, int[] high) = NearReal(_real, operands);
            results[0]!.Include(new(results[0]!.Shape, low, high));
        }
    }

    /// <summary>What runtimes may make of the real results.</summary>
    private (int[] Low, int[] High) NearReal(NodeKernel real, int[][] operands)
    {
        bool isMean = _rule.Freedom is RoundingFreedom.EitherSideOfMean;
        float[][] reals = new float[operands.Length][];
        for (int i = 0; i < reals.Length; i++)
        {
            (float scale, int zero) = isMean ? (1, 0) : (_computed[i].Type.Scale, _computed[i].Type.ZeroPoint);
            reals[i] = Array.ConvertAll(operands[i], q => scale * (q - zero));
        }

        float[] results = real.Run(reals);
        TensorType y = _node.Outputs[0].Type;
        return Ends(Array.ConvertAll(results, r => isMean ? r : ((double)r / y.Scale) + y.ZeroPoint), y.DType, isMean ? 1 : 0.5 + Slack);
    }

    /// <summary>The integers less than a distance from numbers, of a mean those beside it.</summary>
    private static (int[] Low, int[] High) Ends(double[] values, DType type, double distance)
    {
        (int least, int most) = ElementBounds.LimitsOf(type)!.Value;
        int Limited(double value) => (int)Math.Clamp(value, least, most);
        return distance == 1
            ? (Array.ConvertAll(values, v => Limited(Math.Floor(v))), Array.ConvertAll(values, v => Limited(Math.Ceiling(v))))
            : (Array.ConvertAll(values, v => Limited(Math.Ceiling(v - distance))), Array.ConvertAll(values, v => Limited(Math.Floor(v + distance))));
    }

    /// <summary>Smallest and largest result for all pairs of ends of a range of codes.</summary>
    private (int[] Low, int[] High) Table(bool isEnvelope)
    {
        TensorType x = _computed[0].Type;
        TensorType y = _node.Outputs[0].Type;
        (int first, _) = ElementBounds.LimitsOf(x.DType)!.Value;
        (int least, int most) = ElementBounds.LimitsOf(y.DType)!.Value;
        int[] codes = [.. Enumerable.Range(first, Codes)];
        ElementBounds each = new([Codes], [.. Enumerable.Repeat(most, Codes)], [.. Enumerable.Repeat(least, Codes)]);
        foreach (NodeKernel kernel in _kernels)
        {
            int[] outputs = kernel.Run([codes])[0];
            each.Include(new(each.Shape, outputs, outputs));
        }

        if (isEnvelope && _rule.Freedom is RoundingFreedom.NearOperand)
        {
            (int[] low, int[] high) = Ends(
                Array.ConvertAll(codes, q => ((double)x.Scale * (q - x.ZeroPoint) / y.Scale) + y.ZeroPoint), y.DType, 0.5 + Slack);
            each.Include(new(each.Shape, low, high));
        }
        else if (_real is not null)
        {
            (int[] low, int[] high) = NearReal(_real, [codes]);
            each.Include(new(each.Shape, low, high));
        }
        else if (isEnvelope && _rule.Freedom is RoundingFreedom.OneStep)
        {
            each = new(each.Shape, Array.ConvertAll(each.Low, v => Math.Max(least, v - 1)), Array.ConvertAll(each.High, v => Math.Min(most, v + 1)));
        }

        (int[] lows, int[] highs) = (new int[Codes * Codes], new int[Codes * Codes]);
        for (int a = 0; a < Codes; a++)
        {
            (int low, int high) = (most, least);
            for (int b = a; b < Codes; b++)
            {
                (low, high) = (Math.Min(low, each.Low[b]), Math.Max(high, each.High[b]));
                (lows[(a * Codes) + b], highs[(a * Codes) + b]) = (low, high);
            }
        }

        return (lows, highs);
    }

    private ElementBounds Look(ElementBounds x, (int[] Low, int[] High) table)
    {
        (int first, _) = ElementBounds.LimitsOf(_computed[0].Type.DType)!.Value;
        ElementBounds y = new(x.Shape, new int[x.Low.Length], new int[x.Low.Length]);
        for (int i = 0; i < x.Low.Length; i++)
        {
            int pair = ((x.Low[i] - first) * Codes) + x.High[i] - first;
            (y.Low[i], y.High[i]) = (table.Low[pair], table.High[pair]);
        }

        return y;
    }
}
