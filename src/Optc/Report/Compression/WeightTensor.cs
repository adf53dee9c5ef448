using System.Collections.Immutable;
using Optc.Data;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Passes.Quantize;

namespace Optc.Report.Compression;

/// <summary>A constant that a layer multiplies with.</summary>
internal sealed class WeightTensor
{
    private readonly Value _value;
    private readonly Node _layer;
    private readonly Lazy<TensorData> _dense;
    private readonly Lazy<short[]?> _codes;
    private readonly Lazy<WeightEntry> _facts;
    private readonly Lazy<(long Distinct, double Entropy)?> _onGrid;

    private WeightTensor(Value value, TensorData content, Node layer, string operand)
    {
        (_value, Content, _layer, Operand) = (value, content, layer, operand);
        _dense = new(() => Inspector.Dense(value, content, layer));
        _codes = new(() => CodableWeights.Of(_dense.Value, value.Type.Quant));
        _onGrid = new(() => OnGrid(_dense.Value));
        _facts = new(() => Inspector.WeightOf(value, content, layer, operand, shared: false));
    }

    public string Name => _value.Name;

    public string Layer => _layer.Name;

    public string Operand { get; }

    /// <summary>The constant as it is stored.</summary>
    public TensorData Content { get; }

    public Shape Shape => Content.Shape;

    public QuantParams? Quant => _value.Type.Quant;

    public long Elements => Content.Shape.ElementCount;

    public long Bytes => Content.Bytes.Length;

    /// <summary>Zeros, distinct codes, entropy.</summary>
    public WeightEntry Facts => _facts.Value;

    /// <summary>The codes with their zero points taken off; <see langword="null"/> for weights that no coder takes.</summary>
    public short[]? Codes => _codes.Value;

    /// <summary>Different codes; those on the grid for float weights that lie on one.</summary>
    public long Distinct => _onGrid.Value?.Distinct ?? Facts.Distinct;

    /// <summary>Entropy of these codes, bits for a weight.</summary>
    public double Entropy => _onGrid.Value?.Entropy ?? Facts.Entropy;

    /// <summary>The weights of all graphs of a module, each tensor once, in order of execution.</summary>
    public static ImmutableArray<WeightTensor> Of(Module module)
    {
        HashSet<Value> seen = [];
        ImmutableArray<WeightTensor>.Builder weights = ImmutableArray.CreateBuilder<WeightTensor>();
        foreach (Node node in module.Graphs.SelectMany(g => g.Nodes))
        {
            for (int i = 0; i < node.Inputs.Length; i++)
            {
                if (node.Inputs[i] is { Constant: { DType.BitWidth: > 0 and <= 64 } content } value
                    && OperandRole.Of(value, node, i) is (TfLiteByteUse.Weights, var layer, var operand)
                    && seen.Add(value))
                {
                    weights.Add(new(value, content, layer, operand));
                }
            }
        }

        return weights.ToImmutable();
    }

    /// <summary>The numbers that the weights stand for, dense; <see langword="null"/> for types without.</summary>
    public float[]? Reals()
    {
        if (Content.DType is DType.F32)
        {
            return _dense.Value.AsFloats().ToArray();
        }

        if (Codes is not { } codes)
        {
            return Content.DType is DType.I16 && _value.Type.Quant is { } wide ? AffineGrid.Dequantize(_dense.Value, wide)
                : Difference.HasRealValues(Content.DType) ? RealValues.Of(_value.Type with { Quant = null }, _dense.Value.Bytes.Span)
                : null;
        }

        float[] reals = new float[codes.Length];
        QuantParams quant = _value.Type.Quant ?? new(1, 0);
        ChannelMap channels = new(Shape, quant.IsPerAxis ? quant.Axis : 0);
        for (int i = 0; i < reals.Length; i++)
        {
            reals[i] = (float)((double)quant.Scales[quant.IsPerAxis ? channels.ChannelOf(i) : 0] * codes[i]);
        }

        return reals;
    }

    private static (long Distinct, double Entropy)? OnGrid(TensorData dense)
    {
        if (dense is not { DType: DType.F32, Structure: { Grid: not null } structure })
        {
            return null;
        }

        long[] counts = [.. structure.Codes(dense).CountBy(c => c).Select(c => (long)c.Value)];
        double total = counts.Sum();
        return (counts.Length, counts.Length < 2 ? 0 : counts.Sum(c => c / total * Math.Log2(total / c)));
    }
}
