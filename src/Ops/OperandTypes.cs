using Optc.Ir;

namespace Optc.Ops;

/// <summary>Checks of element types against what an op declares kernels for.</summary>
internal static class OperandTypes
{
    private static readonly (KernelTypes Kernel, DType Type)[] Pairs =
    [
        (KernelTypes.F32, DType.F32), (KernelTypes.I8, DType.I8), (KernelTypes.I16, DType.I16), (KernelTypes.U8, DType.U8),
        (KernelTypes.I32, DType.I32), (KernelTypes.I64, DType.I64), (KernelTypes.Bool, DType.Bool),
    ];

    extension(OpOperands operands)
    {
        /// <summary>Type of an operand that must have one of the element types of these kernels.</summary>
        /// <exception cref="OpRuleException">The operand is missing or has another element type.</exception>
        public TensorType RequireOneOf(int index, KernelTypes kernels) =>
            operands.Require(index, [.. Pairs.Where(p => kernels.HasFlag(p.Kernel)).Select(p => p.Type)]);

        /// <summary>One integer of a constant operand that holds a single one; <see langword="null"/> when it is computed.</summary>
        /// <exception cref="OpRuleException">The operand is missing, no i32 or i64, or not a single number.</exception>
        public int? SingleInt(int index)
        {
            TensorType type = operands.Require(index, DType.I32, DType.I64);
            if (type.Shape.IsKnown && (type.Shape.Rank > 1 || type.Shape.Dims.Any(d => d != 1)))
            {
                throw new OpRuleException($"operand {index} must be a single number") { Found = type.Shape.ToString(), Expected = "[] or [1]" };
            }

            return operands.Ints(index)?[0];
        }
    }

    /// <summary>An axis counted from the front.</summary>
    /// <param name="axis">Negative values count from the end.</param>
    /// <exception cref="OpRuleException">The tensor has no such axis.</exception>
    public static int Axis(int axis, int rank) => axis >= -rank && axis < rank
        ? axis < 0 ? axis + rank : axis
        : throw new OpRuleException("an axis lies outside of the tensor")
        {
            Found = $"axis {axis}",
            Expected = rank == 0 ? "a tensor with dimensions" : $"{-rank} to {rank - 1}",
        };
}
