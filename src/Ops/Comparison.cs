using System.Numerics;
using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;
using Optc.Ops.Kernels.Elementwise;
using Optc.Ops.Quantization;

namespace Optc.Ops;

/// <summary>A relation between two broadcast operands, element by element.</summary>
/// <remarks>
/// <para>Types: 8-bit operands with one scale and zero point each, scales below 1; both are rescaled to real numbers in
/// steps of 1/256, so finer differences are lost, as in the reference. i16 operands that are quantized are treated
/// likewise by EQUAL and NOT_EQUAL, and by GREATER in the profile of TFLite Micro; in all other cases they are compared by
/// their raw values and need equal quantization. NaN is unequal to everything. The result is bool.</para>
/// <para>Source: <c>reference/comparisons.h</c> and <c>comparisons.cc</c> of TFLite Micro; u8, and i16 but for GREATER, exist
/// in LiteRT only.</para>
/// </remarks>
public abstract record Comparison<TSelf> : BinaryElementwise<TSelf>, IQuantizable
    where TSelf : Comparison<TSelf>, IOp<TSelf>
{
    private const int FractionBits = RealFractions.Bits;

    private protected Comparison()
    {
    }

    public QuantRule QuantRule(OpOperands operands) =>
        new([OperandRule.Activation, OperandRule.Activation], [OperandRule.AsIs]) { Activations = KernelTypes.I8 };

    private protected override DType ResultOf(DType operand) => DType.Bool;

    /// <param name="rescalesInt16">True where quantized 16-bit operands are compared as real numbers.</param>
    private protected static Kernel Prepare<TRelation>(KernelContext context, bool rescalesInt16 = false)
        where TRelation : struct, IRelation
    {
        switch (context.Input(0).DType)
        {
            case DType.F32:
                return Plain<float, TRelation>(context);
            case DType.I16 when rescalesInt16 && context.Input(0).Quant is not null:
                (FixedPoint first, int firstZero) = ToFractions(context.Input(0));
                (FixedPoint second, int secondZero) = ToFractions(context.Input(1));
                return Broadcasting.Scalar<short, bool, RelatedReals<TRelation>>(context, new(first, firstZero, second, secondZero));
            case DType.I16:
                RequireEqualQuantization(context);
                return Plain<short, TRelation>(context);
            case DType.I32:
                return Plain<int, TRelation>(context);
            case DType.I64:
                return Plain<long, TRelation>(context);
            case DType.Bool:
                int[] truth = [.. Enumerable.Range(0, 256).Select(b => b == 0 ? 0 : 1)];
                return Tabled<TRelation>(context, truth, truth);
            case DType.I8:
            case DType.U8:
                return Tabled<TRelation>(context, InFractions(context.Input(0)), InFractions(context.Input(1)));
            default:
                throw NoKernel(context);
        }
    }

    private static Kernel Plain<T, TRelation>(KernelContext context)
        where T : unmanaged, IComparisonOperators<T, T, bool>
        where TRelation : struct, IRelation => Broadcasting.Scalar<T, bool, Related<T, TRelation>>(context, default);

    private static Kernel Tabled<TRelation>(KernelContext context, int[] first, int[] second)
        where TRelation : struct, IRelation =>
        Broadcasting.Scalar<byte, bool, RelatedByTable<TRelation>>(context, new(first, second));

    /// <summary>The real number that each byte stands for, in steps of 1/256.</summary>
    private static int[] InFractions(TensorType type)
    {
        (FixedPoint factor, int zero) = ToFractions(type);
        int[] table = new int[256];
        (int low, int high) = Grid.RangeOf(type.DType);
        for (int q = low; q <= high; q++)
        {
            table[(byte)q] = factor.Scale((q - zero) << FractionBits);
        }

        return table;
    }

    private static (FixedPoint Factor, int ZeroPoint) ToFractions(TensorType type)
    {
        Grid grid = Grid.Of(type);
        return (Grid.FactorBelowOne(grid.Scale), grid.ZeroPoint);
    }

    private static void RequireEqualQuantization(KernelContext context)
    {
        if (!Equals(context.Input(0).Quant, context.Input(1).Quant))
        {
            throw new OpRuleException("16-bit operands are compared by their raw values, but are quantized differently")
            {
                Found = $"{context.Input(0)} and {context.Input(1)}",
                Expected = "equal scale and zero point",
            };
        }
    }
}
