using System.Collections.Immutable;
using Optc.Formats.TfLite;
using Optc.Ir;

namespace Optc.Ops.TfLite;

/// <summary>What a tensor of a file says beyond its value: travels in <see cref="Value.Foreign"/>.</summary>
/// <param name="Variants">Types inside a variant tensor.</param>
/// <param name="Blockwise">Blockwise or multi-axis quantization, which the graph does not interpret.</param>
public sealed record TfLiteTensorFacts(ImmutableArray<VariantSubType> Variants, QuantizationParametersRecord? Blockwise)
{
    /// <summary>Metadata entry of a memory plan for TFLite Micro: offsets by tensor number.</summary>
    public const string MemoryPlan = "OfflineMemoryAllocation";

    /// <summary>Scales of a blockwise quantization, kept as a value because the file refers to it by tensor index.</summary>
    public Value? BlockScales { get; init; }

    public Value? BlockZeroPoints { get; init; }

    /// <summary>Number of the tensor, where the file has a memory plan that refers to it.</summary>
    public int? Index { get; init; }
}

/// <summary>What an operator of a file says beyond its op: travels in <see cref="Node.Foreign"/>.</summary>
/// <param name="Record">The operator as read; an opaque node is written from it.</param>
/// <param name="Intermediates">Values that carry only the quantization of something inside the operator.</param>
public sealed record TfLiteOperatorFacts(OperatorRecord Record, ImmutableArray<Value?> Intermediates);

/// <summary>What a subgraph of a file says beyond its graph: travels in <see cref="Graph.Foreign"/>.</summary>
/// <param name="Name">The name as the file has it, which may be missing or not unique.</param>
public sealed record TfLiteGraphFacts(string? Name);

/// <summary>Element types of the graph and of the file.</summary>
public static class TfLiteTypes
{
    private static readonly (DType Type, TensorElementType Code)[] Pairs =
    [
        (DType.F32, TensorElementType.Float32), (DType.F16, TensorElementType.Float16), (DType.BF16, TensorElementType.Bfloat16),
        (DType.F64, TensorElementType.Float64), (DType.I2, TensorElementType.Int2), (DType.I4, TensorElementType.Int4),
        (DType.U4, TensorElementType.Uint4), (DType.I8, TensorElementType.Int8), (DType.U8, TensorElementType.Uint8),
        (DType.I16, TensorElementType.Int16), (DType.U16, TensorElementType.Uint16), (DType.I32, TensorElementType.Int32),
        (DType.U32, TensorElementType.Uint32), (DType.I64, TensorElementType.Int64), (DType.U64, TensorElementType.Uint64),
        (DType.Bool, TensorElementType.Bool), (DType.C64, TensorElementType.Complex64), (DType.C128, TensorElementType.Complex128),
        (DType.String, TensorElementType.String), (DType.Resource, TensorElementType.Resource), (DType.Variant, TensorElementType.Variant),
        (DType.F8E4M3, TensorElementType.Float8E4M3Fn), (DType.F8E5M2, TensorElementType.Float8E5M2),
    ];

    /// <summary>The type of a code, or <see langword="null"/> for one that a newer schema has added.</summary>
    public static DType? FromCode(TensorElementType code)
    {
        foreach ((DType type, TensorElementType candidate) in Pairs)
        {
            if (candidate == code)
            {
                return type;
            }
        }

        return null;
    }

    public static TensorElementType ToCode(DType type) => Pairs.First(p => p.Type == type).Code;
}
