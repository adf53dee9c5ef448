namespace Optc.Ir;

/// <summary>Element type, shape and, for quantized tensors, what the integers mean.</summary>
public sealed record TensorType(DType DType, Shape Shape, QuantParams? Quant = null)
{
    /// <summary>Scale of a per-tensor quantized type, in real units per step.</summary>
    /// <exception cref="OpRuleException">The type carries no quantization.</exception>
    public float Scale => (Quant ?? throw NotQuantized()).Scale;

    /// <summary>Zero point of a per-tensor quantized type.</summary>
    /// <exception cref="OpRuleException">The type carries no quantization, or a zero point beyond 32 bits.</exception>
    public int ZeroPoint => (Quant ?? throw NotQuantized()).ZeroPoint is var zero and >= int.MinValue and <= int.MaxValue
        ? (int)zero
        : throw new OpRuleException("a zero point does not fit 32 bits") { Found = $"{Quant.ZeroPoint}" };

    public long ElementCount => Shape.ElementCount;

    /// <summary>Bytes of a dense buffer of this type.</summary>
    public long ByteCount => DType.ByteCount(Shape.ElementCount);

    public override string ToString() => Quant is null ? $"{DType.Name}{Shape}" : $"{DType.Name}{Shape} {Quant}";

    private OpRuleException NotQuantized() => new("a quantized operand carries no scale") { Found = $"{DType.Name}{Shape}" };
}
