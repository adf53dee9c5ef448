using System.Collections.Immutable;

namespace Optc.Ir;

/// <summary>Element types for which an op has kernels.</summary>
[Flags]
public enum KernelTypes
{
    None = 0,
    F32 = 1,
    I8 = 2,
    I16 = 4,
    U8 = 8,
    I32 = 16,
    I64 = 32,
    Bool = 64,

    /// <summary>Float activations with 8- or 4-bit weights, quantized while running.</summary>
    Hybrid = 128,

    /// <summary>Any element type: the bytes are moved, not computed with.</summary>
    Any = F32 | I8 | I16 | U8 | I32 | I64 | Bool,
}

/// <summary>Name and operands of an op.</summary>
/// <param name="Name">Lower-case name of the text form, e.g. <c>conv_2d</c>.</param>
/// <param name="Inputs">Operand names in order; a trailing <c>?</c> marks an optional one, a trailing <c>*</c> any number.</param>
/// <param name="Outputs">Result names in order; a trailing <c>*</c> marks any number.</param>
public sealed record OpSchema(string Name, ImmutableArray<string> Inputs, ImmutableArray<string> Outputs)
{
    public KernelTypes Kernels { get; init; }

    /// <summary>True when running the op changes something besides its outputs; such a node is never removed or moved.</summary>
    public bool HasSideEffects { get; init; }
}
