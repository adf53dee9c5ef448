using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels.Movement;

namespace Optc.Ops;

/// <summary>What ops that move elements without computing require of their operands.</summary>
internal static class MovedTensors
{
    extension(KernelContext context)
    {
        /// <summary>Bytes of one element of an operand whose elements can be moved singly.</summary>
        /// <exception cref="OpRuleException">Elements are packed or have no fixed size, or a tensor is beyond 2 GB.</exception>
        public int ElementSize(int input = 0)
        {
            for (int i = 0; i < context.InputCount; i++)
            {
                if (context.Has(i))
                {
                    RequireAddressable(context.Input(i));
                }
            }

            for (int i = 0; i < context.OutputCount; i++)
            {
                RequireAddressable(context.Output(i));
            }

            DType type = context.Input(input).DType;
            return type.BitWidth is >= 8 and var bits
                ? bits / 8
                : throw new OpRuleException("elements of this type cannot be moved singly") { Found = type.Name, Expected = "whole bytes" };
        }

        /// <summary>Output and input must mean the same numbers: where both are quantized per tensor, equally.</summary>
        /// <remarks>
        /// Raw bytes are copied. Scales may differ by what writers of files lose in rounding; per-axis parameters are
        /// not compared, since the axis moves with the data.
        /// </remarks>
        /// <exception cref="OpRuleException">They do not.</exception>
        public void RequireSameQuantization(int input = 0, int output = 0)
        {
            if (context.Input(input).Quant is { IsPerAxis: false } x
                && context.Output(output).Quant is { IsPerAxis: false } y
                && (x.ZeroPoint != y.ZeroPoint || MathF.Abs(x.Scale - y.Scale) > 1e-6f * MathF.Abs(y.Scale)))
            {
                throw new OpRuleException("the operator copies integers, but input and output are quantized differently")
                {
                    Found = $"{x} and {y}",
                    Expected = "equal scale and zero point",
                };
            }
        }

        /// <summary>Bytes of the element that stands for the real 0 in an output: its zero point, else 0.</summary>
        public byte[] ZeroElement(int output = 0)
        {
            TensorType type = context.Output(output);
            byte[] zero = new byte[type.DType.BitWidth / 8];
            if (type is { Quant: not null, DType: DType.I8 or DType.U8 or DType.I16 })
            {
                BitConverter.GetBytes(type.ZeroPoint).AsSpan(0, zero.Length).CopyTo(zero);
            }

            return zero;
        }
    }

    /// <summary>Copies rows of all inputs side by side: row 0 of input 0, row 0 of input 1, ..., row 1 of input 0, ...</summary>
    /// <param name="context">Inputs of <paramref name="rows"/> rows each.</param>
    /// <param name="rows">Rows of every input and of the output.</param>
    /// <param name="rowBytes">Bytes of one row of each input.</param>
    public static Kernel Join(KernelContext context, int rows, int[] rowBytes)
    {
        int pitch = rowBytes.Sum();
        if (rows == 0)
        {
            return static () => { };
        }

        return () =>
        {
            Span<byte> y = context.OutputBytes(0);
            int offset = 0;
            for (int i = 0; i < rowBytes.Length; i++)
            {
                RowCopy.Copy(context.InputBytes(i), rowBytes[i], y[offset..], pitch, rowBytes[i], rows);
                offset += rowBytes[i];
            }
        };
    }

    /// <summary>The inverse of <see cref="Join"/>: cuts every row of one input into pieces, one for each output.</summary>
    public static Kernel Cut(KernelContext context, int input, int rows, int[] rowBytes)
    {
        for (int i = 0; i < rowBytes.Length; i++)
        {
            context.RequireSameQuantization(input, i);
        }

        int pitch = rowBytes.Sum();
        if (rows == 0)
        {
            return static () => { };
        }

        return () =>
        {
            ReadOnlySpan<byte> x = context.InputBytes(input);
            int offset = 0;
            for (int i = 0; i < rowBytes.Length; i++)
            {
                RowCopy.Copy(x[offset..], pitch, context.OutputBytes(i), rowBytes[i], rowBytes[i], rows);
                offset += rowBytes[i];
            }
        };
    }

    /// <summary>Cuts one input along an axis into outputs of the same rank.</summary>
    public static Kernel CutAlong(KernelContext context, int input, int axis)
    {
        int elementSize = context.ElementSize(input);
        int[] rowBytes = new int[context.OutputCount];
        for (int i = 0; i < rowBytes.Length; i++)
        {
            rowBytes[i] = checked((int)(Dimensions.Inner(context.Output(i).Shape, axis) * elementSize));
        }

        return Cut(context, input, (int)Dimensions.Outer(context.Input(input).Shape, axis), rowBytes);
    }

    private static void RequireAddressable(TensorType type)
    {
        if (Dimensions.Extent(type.Shape.Dims.AsSpan()) > int.MaxValue / Math.Max(1, type.DType.BitWidth / 8))
        {
            throw new OpRuleException("a tensor is larger than the kernels address") { Found = type.ToString(), Expected = $"at most {int.MaxValue} bytes" };
        }
    }
}
