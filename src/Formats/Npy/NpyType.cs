namespace Optc.Formats.Npy;

/// <summary>The element types that optc reads from and writes to array files.</summary>
/// <remarks>
/// NumPy's array protocol spells them kind letter and bytes per element: <c>b1</c>, <c>i1</c> to <c>i8</c>,
/// <c>u1</c> to <c>u8</c>, <c>f2</c>, <c>f4</c>, <c>f8</c>.
/// </remarks>
public enum NpyType
{
    Boolean,
    Int8,
    UInt8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
    Float16,
    Float32,
    Float64,
}
