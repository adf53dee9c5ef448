namespace Optc.Ir;

/// <summary>Element type, shape and, for quantized tensors, what the integers mean.</summary>
public sealed record TensorType(DType DType, Shape Shape, QuantParams? Quant = null)
{
    /// <summary>Scale of a per-tensor quantized type, in real units per step.</summary>
    /// <exception cref="OpRuleException">The type carries no quantization.</exception>
    public float Scale => (Quant ?? throw NotQuantized()).Scale;

    /// <summary>Zero point of a per-tensor quantized type.</summary>
    /// <exception cref="OpRuleException">The type carries no quantization, or a zero point that its elements cannot have.</exception>
    public int ZeroPoint
    {
        get
        {
            long zero = (Quant ?? throw NotQuantized()).ZeroPoint;
            (int low, int high) = DType switch
            {
                DType.I8 => (sbyte.MinValue, sbyte.MaxValue),
                DType.U8 => (byte.MinValue, byte.MaxValue),
                DType.I16 => (short.MinValue, short.MaxValue),
                _ => (int.MinValue, int.MaxValue),
            };
            return zero >= low && zero <= high
                ? (int)zero
                : throw new OpRuleException($"a zero point is no {DType.Name} number") { Found = $"{zero}", Expected = $"{low} to {high}" };
        }
    }

    public long ElementCount => Shape.ElementCount;

    /// <summary>Bytes of a dense buffer of this type.</summary>
    public long ByteCount => DType.ByteCount(Shape.ElementCount);

    public override string ToString() => Quant is null ? $"{DType.Name}{Shape}" : $"{DType.Name}{Shape} {Quant}";

    private OpRuleException NotQuantized() => new("a quantized operand carries no scale") { Found = $"{DType.Name}{Shape}" };
}
