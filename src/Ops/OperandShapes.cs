using Optc.Ir;

namespace Optc.Ops;

/// <summary>Checks of operands whose dimensions may be unknown.</summary>
internal static class OperandShapes
{
    extension(OpOperands operands)
    {
        /// <summary>An operand of rank <paramref name="expected"/> whose known dimensions agree with the known ones expected.</summary>
        /// <exception cref="OpRuleException">The operand is missing or has another shape.</exception>
        public TensorType RequireShape(int index, params ReadOnlySpan<int> expected)
        {
            TensorType type = operands[index];
            Shape shape = Shape.Create(expected);
            return type.Shape.IsCompatibleWith(shape)
                ? type
                : throw new OpRuleException($"operand {index} has the wrong shape")
                {
                    Found = type.Shape.ToString(),
                    Expected = shape.ToString(),
                };
        }

        /// <summary>A handle of a resource variable: one element, as far as the shape is known.</summary>
        /// <exception cref="OpRuleException">The operand is no handle.</exception>
        public void RequireHandle(int index)
        {
            TensorType handle = operands.Require(index, DType.Resource);
            if (handle.Shape.Dims.Any(d => d is not (1 or -1)))
            {
                throw new OpRuleException($"operand {index} is more than one handle") { Found = handle.Shape.ToString(), Expected = "one element" };
            }
        }
    }

    extension(TensorType type)
    {
        /// <summary>Size of a dimension; -1 when it or the rank is not known.</summary>
        public int DimOrUnknown(int axis) => type.Shape.HasRank ? type.Shape[axis] : -1;

        /// <summary>A type whose bytes can be copied.</summary>
        /// <exception cref="OpRuleException">Elements have no fixed size.</exception>
        public TensorType RequireFixedSize(string what) => type.DType.BitWidth > 0
            ? type
            : throw new OpRuleException($"{what} must have elements of a fixed size") { Found = type.DType.Name };
    }
}
