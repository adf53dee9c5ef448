namespace Optc.Ir;

/// <summary>Element type of a tensor.</summary>
public enum DType
{
    F32,
    F16,
    BF16,
    F64,
    I2,
    I4,
    U4,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    Bool,
    C64,
    C128,
    String,
    Resource,
    Variant,
    F8E4M3,
    F8E5M2,
}

/// <summary>Widths and names of the element types.</summary>
public static class DTypes
{
    private static readonly string[] Names =
    [
        "f32", "f16", "bf16", "f64", "i2", "i4", "u4", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64",
        "bool", "c64", "c128", "string", "resource", "variant", "f8e4m3", "f8e5m2",
    ];

    extension(DType type)
    {
        /// <summary>Bits one element takes in a packed buffer; 0 for <see cref="DType.String"/> and <see cref="DType.Variant"/>.</summary>
        public int BitWidth => type switch
        {
            DType.I2 => 2,
            DType.I4 or DType.U4 => 4,
            DType.I8 or DType.U8 or DType.Bool or DType.F8E4M3 or DType.F8E5M2 => 8,
            DType.F16 or DType.BF16 or DType.I16 or DType.U16 => 16,
            DType.F32 or DType.I32 or DType.U32 or DType.Resource => 32,
            DType.F64 or DType.I64 or DType.U64 or DType.C64 => 64,
            DType.C128 => 128,
            _ => 0,
        };

        /// <summary>Short lower-case name as the text form writes it, e.g. <c>f32</c>, <c>i8</c>.</summary>
        public string Name => Names[(int)type];

        public bool IsFloat => type is DType.F32 or DType.F16 or DType.BF16 or DType.F64 or DType.F8E4M3 or DType.F8E5M2;

        /// <summary>True for the signed and unsigned integers, packed ones included; false for bool.</summary>
        public bool IsInteger => type is >= DType.I2 and <= DType.U64;

        /// <summary>Bytes that <paramref name="elements"/> elements take, packed types rounded up to whole bytes.</summary>
        /// <exception cref="OverflowException">The size exceeds 63 bits.</exception>
        public long ByteCount(long elements) => checked((elements * type.BitWidth) + 7) / 8;
    }

    /// <summary>The type with this short name, or <see langword="null"/>.</summary>
    public static DType? Parse(string name)
    {
        int index = Array.IndexOf(Names, name);
        return index < 0 ? null : (DType)index;
    }
}
