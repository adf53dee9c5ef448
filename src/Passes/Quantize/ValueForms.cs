using System.Diagnostics;
using Optc.Ir;
using Optc.Ops;
using QuantizeOp = Optc.Ops.Quantize;

namespace Optc.Passes.Quantize;

/// <summary>The forms in which the values of a graph exist in its quantized copy: float, or integers on a grid.</summary>
/// <remarks>A form that is asked for is made once, from the form that the producer gives, where it is first needed.</remarks>
internal sealed class ValueForms(GraphBuilder builder, Graph source, DType outputType, ScalePlan scales)
{
    private readonly Dictionary<Value, Value> _native = [];
    private readonly Dictionary<(Value Value, DType Type, QuantParams? Grid), Value> _made = [];

    /// <summary>QUANTIZE and DEQUANTIZE operators that were inserted.</summary>
    public int Conversions { get; private set; }

    /// <summary>Says in which form a value is produced.</summary>
    public void Define(Value value, Value native) => _native.Add(value, native);

    /// <summary>The value as its producer gives it.</summary>
    public Value Native(Value value) => _native.TryGetValue(value, out Value? native) ? native : AsFloatConstant(value);

    /// <summary>The value with the element type that it has in the source graph.</summary>
    public Value AsSource(Value value) => value.Type.DType is DType.F32 ? AsFloat(value) : Native(value);

    /// <summary>The value in float.</summary>
    public Value AsFloat(Value value)
    {
        Value native = Native(value);
        return native.Type.DType is DType.F32
            ? native
            : Make(value, DType.F32, null, () => Convert(new Dequantize(), native, value, new(DType.F32, native.Type.Shape)));
    }

    /// <summary>The value as integers on a grid.</summary>
    /// <param name="type">i8, u8 or i16.</param>
    public Value AsIntegers(Value value, DType type, QuantParams grid)
    {
        if (FloatConstants.Of(value) is { } constant)
        {
            return Make(value, type, grid, () => GraphBuilder.Constant(AffineGrid.Quantize(constant, type, grid), value.Name, grid));
        }

        Value native = Native(value);
        return native.Type.DType == type && grid.Equals(native.Type.Quant)
            ? native
            : Make(value, type, grid, () => Convert(new QuantizeOp(type), Stage(value, native, type), value, new(type, native.Type.Shape, grid)));
    }

    /// <summary>A constant that is made once for all who ask with the same type and grid.</summary>
    public Value Constant(Value value, TensorData data, QuantParams? grid) =>
        Make(value, data.DType, grid, () => GraphBuilder.Constant(data, value.Name, grid));

    /// <summary>An output value of the layer that computes a source value.</summary>
    public Value Result(Value value, TensorType type)
    {
        string name = source.IsOutput(value) && type.DType != FinalType(value) ? Suffixed(value, type) : Alias(value, type) ?? value.Name;
        return GraphBuilder.Result(name, type, type.Equals(value.Type) ? value.Foreign : null);
    }

    /// <summary>The value as an output of the graph.</summary>
    public Value AsOutput(Value value)
    {
        DType type = FinalType(value);
        return type == value.Type.DType || FloatConstants.IsConstant(value) ? AsSource(value)
            : Native(value) is var native && native.Type.DType == type ? native
            : AsIntegers(value, type, InterfaceGrid(value, type));
    }

    /// <summary>Grid of an input or output of the model in its integer type.</summary>
    public QuantParams InterfaceGrid(Value value, DType type) => type is DType.U8
        ? scales.Of(value, DType.I8) is var signed ? new(signed.Scale, signed.ZeroPoint + 128) : throw new UnreachableException()
        : scales.Of(value, type);

    /// <summary>A variable that takes the place of a float one.</summary>
    public Value Variable(Value value, TensorType type) => Make(value, type.DType, type.Quant, () => GraphBuilder.Variable(value.Name, type));

    /// <summary>Constants and variables that stay as they are.</summary>
    public Value Same(Value value) => Make(value, value.Type.DType, value.Type.Quant, () => value switch
    {
        { Constant: { } data } => GraphBuilder.Constant(data, value.Name, value.Type.Quant, value.Foreign),
        { IsVariable: true } => GraphBuilder.Variable(value.Name, value.Type, value.Foreign),
        _ => throw new InvalidOperationException($"'{value.Name}' is used before it is computed."),
    });

    /// <summary>What stays as it is; a constant behind DEQUANTIZE that no integer layer took over gets that node again.</summary>
    private Value AsFloatConstant(Value value) => value.Constant is null && value.Producer is { Op: Dequantize } node && FloatConstants.IsConstant(value)
        ? Make(value, value.Type.DType, null, () => builder.Add(
            node.Op, [Same(node.Inputs[0]!)], [Result(value, value.Type)], node.Name, node.Foreign).Output)
        : Same(value);

    /// <summary>u8 only exists at the borders of a model; between it and other grids stands the i8 of the same values.</summary>
    private Value Stage(Value value, Value native, DType type)
    {
        if (native.Type is { DType: DType.U8, Quant: { } unsigned } && type is not DType.I8)
        {
            return AsIntegers(value, DType.I8, new(unsigned.Scale, unsigned.ZeroPoint - 128));
        }

        return type is DType.U8 && native.Type.DType is not DType.I8
            ? AsIntegers(value, DType.I8, scales.Of(value, DType.I8))
            : native;
    }

    private Value Convert(IOp op, Value from, Value value, TensorType to)
    {
        Conversions++;
        DType native = Native(value).Type.DType;
        bool exposed = source.IsOutput(value)
            && to.DType == FinalType(value)
            && native != to.DType
            && (to.Quant is null || to.Quant.Equals(InterfaceGrid(value, to.DType)));
        string name = exposed ? value.Name : source.IsOutput(value) ? Suffixed(value, to) : Alias(value, to) ?? Suffixed(value, to);
        return builder.Add(op, [from], [GraphBuilder.Result(name, to)], name).Output;
    }

    private Value Make(Value value, DType type, QuantParams? grid, Func<Value> make)
    {
        if (!_made.TryGetValue((value, type, grid), out Value? made))
        {
            made = make();
            _made[(value, type, grid)] = made;
        }

        return made;
    }

    private DType FinalType(Value value) => value.Type.DType is DType.F32 ? outputType : value.Type.DType;

    private static string Suffixed(Value value, TensorType type) => $"{value.Name}_{type.DType.Name}";

    /// <summary>Name of a graph output that is this form of a value, after a conversion of the source graph that is no longer needed.</summary>
    private string? Alias(Value value, TensorType type) => value.Users
        .Where(u => u.Op is QuantizeOp or Dequantize && source.IsOutput(u.Outputs[0]))
        .Select(u => u.Outputs[0])
        .FirstOrDefault(o => FinalType(o) == type.DType && (o.Type.Quant is null || o.Type.Quant.Equals(type.Quant)))
        ?.Name;
}
