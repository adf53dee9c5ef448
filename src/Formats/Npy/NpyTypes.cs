using System.Diagnostics;

namespace Optc.Formats.Npy;

/// <summary>Sizes and names of the element types.</summary>
public static class NpyTypes
{
    /// <summary>Bytes per element: 1, 2, 4 or 8.</summary>
    public static int ByteSize(this NpyType type) => type switch
    {
        NpyType.Boolean or NpyType.Int8 or NpyType.UInt8 => 1,
        NpyType.Int16 or NpyType.UInt16 or NpyType.Float16 => 2,
        NpyType.Int32 or NpyType.UInt32 or NpyType.Float32 => 4,
        NpyType.Int64 or NpyType.UInt64 or NpyType.Float64 => 8,
        _ => throw new UnreachableException(),
    };

    /// <summary>
    /// NumPy's two letters for the type, without byte order: <c>f4</c> for <see cref="NpyType.Float32"/>.
    /// </summary>
    public static string Code(this NpyType type) => type switch
    {
        NpyType.Boolean => "b1",
        NpyType.Int8 => "i1",
        NpyType.UInt8 => "u1",
        NpyType.Int16 => "i2",
        NpyType.UInt16 => "u2",
        NpyType.Int32 => "i4",
        NpyType.UInt32 => "u4",
        NpyType.Int64 => "i8",
        NpyType.UInt64 => "u8",
        NpyType.Float16 => "f2",
        NpyType.Float32 => "f4",
        NpyType.Float64 => "f8",
        _ => throw new UnreachableException(),
    };

    /// <summary>
    /// The <c>descr</c> NumPy writes: <c>&lt;</c> before types of several bytes, <c>|</c> before one-byte types.
    /// </summary>
    internal static string Descriptor(this NpyType type) => (type.ByteSize() == 1 ? "|" : "<") + type.Code();

    /// <summary>The type of a two-letter code, or <c>null</c> where optc knows none.</summary>
    internal static NpyType? FromCode(string code)
    {
        foreach (NpyType type in Enum.GetValues<NpyType>())
        {
            if (type.Code() == code)
            {
                return type;
            }
        }

        return null;
    }

    /// <summary>The element type that holds a <typeparamref name="T"/>.</summary>
    /// <exception cref="NotSupportedException">No element type does.</exception>
    internal static NpyType Of<T>()
        where T : unmanaged => default(T) switch
        {
            bool => NpyType.Boolean,
            sbyte => NpyType.Int8,
            byte => NpyType.UInt8,
            short => NpyType.Int16,
            ushort => NpyType.UInt16,
            int => NpyType.Int32,
            uint => NpyType.UInt32,
            long => NpyType.Int64,
            ulong => NpyType.UInt64,
            Half => NpyType.Float16,
            float => NpyType.Float32,
            double => NpyType.Float64,
            _ => throw new NotSupportedException($"No array element type holds {typeof(T).Name}."),
        };
}
