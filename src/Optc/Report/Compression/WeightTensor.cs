using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Report.Compression;

/// <summary>A constant that a layer multiplies with.</summary>
internal sealed class WeightTensor
{
    // A code and where it stands in a table of codes.
    private const int BytesPerCode = 2;

    private const int WidestCode = 16;

    private readonly Value _value;
    private readonly TensorData _content;
    private readonly Node _layer;
    private readonly Lazy<TensorData> _dense;
    private readonly Lazy<WeightEntry> _facts;

    private WeightTensor(Value value, TensorData content, Node layer, string operand)
    {
        (_value, _content, _layer, Operand) = (value, content, layer, operand);
        _dense = new(() => Inspector.Dense(value, content, layer));
        _facts = new(() => Inspector.WeightOf(value, content, layer, operand, shared: false));
    }

    public string Name => _value.Name;

    public string Layer => _layer.Name;

    public string Operand { get; }

    public Shape Shape => _content.Shape;

    public long Elements => _content.Shape.ElementCount;

    public long Bytes => _content.Bytes.Length;

    /// <summary>Zeros, distinct codes, entropy.</summary>
    public WeightEntry Facts => _facts.Value;

    /// <summary>True for integers that coders take.</summary>
    public bool IsInteger => _content.DType.IsInteger && _content.DType.BitWidth <= WidestCode;

    /// <summary>The order-0 measure, see <see cref="CodedSize"/>.</summary>
    public long Order0Bytes => Facts.IdealBytes + (BytesPerCode * Facts.Distinct);

    /// <summary>The code of 0, where all channels have the same.</summary>
    public long? Zero => _value.Type.Quant is not { } quant ? 0 : quant.ZeroPoints.Distinct().Count() == 1 ? quant.ZeroPoint : null;

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

    /// <summary>The integer codes of the dense tensor.</summary>
    /// <exception cref="InvalidOperationException">They are no integers.</exception>
    public int[] Codes()
    {
        if (!IsInteger)
        {
            throw new InvalidOperationException($"The weights '{Name}' are {_content.DType.Name}.");
        }

        ushort[] raw = WeightStatistics.Codes(_dense.Value, checked((int)Elements));
        int unused = (sizeof(int) * 8) - _content.DType.BitWidth;
        bool isSigned = _content.DType is DType.I2 or DType.I4 or DType.I8 or DType.I16;
        return Array.ConvertAll(raw, r => isSigned ? r << unused >> unused : r);
    }

    /// <summary>The numbers that the weights stand for, dense; <see langword="null"/> for types without.</summary>
    public float[]? Reals()
    {
        if (_content.DType is DType.F32)
        {
            return _dense.Value.AsFloats().ToArray();
        }

        if (!IsInteger)
        {
            return Difference.HasRealValues(_content.DType) ? Data.RealValues.Of(_value.Type with { Quant = null }, _dense.Value.Bytes.Span) : null;
        }

        int[] codes = Codes();
        float[] reals = new float[codes.Length];
        QuantParams quant = _value.Type.Quant ?? new(1, 0);
        int inner = 1;
        for (int axis = quant.Axis + 1; axis < Shape.Rank; axis++)
        {
            inner *= Shape[axis];
        }

        for (int i = 0; i < reals.Length; i++)
        {
            int channel = quant.IsPerAxis ? i / inner % quant.Scales.Length : 0;
            reals[i] = (float)((double)quant.Scales[channel] * (codes[i] - quant.ZeroPointAt(channel)));
        }

        return reals;
    }
}
