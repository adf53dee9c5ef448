using Optc.Ir;
using Optc.Ops.Execution;
using Optc.Ops.Kernels;

namespace Optc.Ops.Quantization;

/// <summary>The checked per-tensor quantization of an integer operand: <c>real = Scale * (raw - ZeroPoint)</c>.</summary>
/// <param name="Scale">Real units per step, positive and finite.</param>
/// <param name="ZeroPoint">Raw value of real 0, inside the range of the element type.</param>
internal readonly record struct Grid(float Scale, int ZeroPoint)
{
    /// <exception cref="OpRuleException">
    /// No quantization, more than one scale, a scale that is not positive and finite, or a zero point outside of the type.
    /// </exception>
    public static Grid Of(TensorType type)
    {
        if (type.Quant is not { Scales.Length: 1, ZeroPoints.Length: 1 } quant)
        {
            throw new OpRuleException("an integer operand needs one scale and one zero point")
            {
                Found = type.Quant is null ? $"{type.DType.Name} without quantization" : type.Quant.ToString(),
            };
        }

        (int low, int high) = RangeOf(type.DType);
        return quant.Scale is > 0 and < float.PositiveInfinity && quant.ZeroPoint >= low && quant.ZeroPoint <= high
            ? new(quant.Scale, (int)quant.ZeroPoint)
            : throw new OpRuleException("the quantization of an operand is not usable")
            {
                Found = $"{quant}",
                Expected = $"a positive finite scale and a zero point in {low} to {high}",
            };
    }

    /// <summary>The grid of an operand whose kernel ignores the zero point.</summary>
    /// <exception cref="OpRuleException">As for <see cref="Of"/>, or the zero point is not 0.</exception>
    public static Grid Symmetric(TensorType type)
    {
        Grid grid = Of(type);
        return grid.ZeroPoint == 0
            ? grid
            : throw new OpRuleException($"the kernel for {type.DType.Name} wants zero point 0") { Found = $"{grid.ZeroPoint}", Expected = "0" };
    }

    /// <summary><see cref="Symmetric"/> for i16, <see cref="Of"/> for 8-bit types.</summary>
    public static Grid SymmetricIfWide(TensorType type) => type.DType is DType.I16 ? Symmetric(type) : Of(type);

    /// <summary>The grid that the format fixes for an output, the scale within 0.1 %.</summary>
    /// <exception cref="OpRuleException">The output has another one.</exception>
    public static void RequireFixed(TensorType output, float scale, int zeroPoint)
    {
        Grid grid = Of(output);
        if (MathF.Abs(grid.Scale - scale) > 0.001f * scale || grid.ZeroPoint != zeroPoint)
        {
            throw new OpRuleException("the format fixes the quantization of this result")
            {
                Found = $"{output.Quant}",
                Expected = $"{new QuantParams(scale, zeroPoint)}",
            };
        }
    }

    /// <summary>Demands equal scale and zero point of the first input and an output.</summary>
    /// <exception cref="OpRuleException">They differ.</exception>
    public static void RequireEqual(KernelContext context, int output = 0)
    {
        if (context.Input(0).Quant is not null || context.Output(output).Quant is not null)
        {
            (Grid x, Grid y) = (Of(context.Input(0)), Of(context.Output(output)));
            if (x != y)
            {
                throw new OpRuleException("input and output must have the same quantization: the kernel does not rescale")
                {
                    Found = $"{context.Output(output).Quant}",
                    Expected = $"{context.Input(0).Quant}",
                };
            }
        }
    }

    /// <summary>The fixed-point form of a ratio of scales.</summary>
    /// <exception cref="OpRuleException">It is negative, infinite or no number.</exception>
    public static FixedPoint Factor(double ratio) => ScaleRatio.Of(ratio, "the operands");

    /// <summary>As <see cref="Factor"/>, for kernels that abort unless the factor is below one.</summary>
    /// <exception cref="OpRuleException">It is zero, or one or more.</exception>
    public static FixedPoint FactorBelowOne(double ratio) => Factor(ratio) is { IsSmallerThanOne: true } factor
        ? factor
        : throw new OpRuleException("the scales of the operands give a factor that the kernel does not take")
        {
            Found = $"{ratio:R}",
            Expected = "above 0 and below 1",
        };

    /// <summary>Smallest and largest raw value of an integer type of up to 16 bits.</summary>
    public static (int Low, int High) RangeOf(DType type) => type switch
    {
        DType.I8 => (sbyte.MinValue, sbyte.MaxValue),
        DType.U8 => (byte.MinValue, byte.MaxValue),
        DType.I16 => (short.MinValue, short.MaxValue),
        _ => throw new OpRuleException("there is no quantized kernel for this type") { Found = type.Name, Expected = "i8, u8 or i16" },
    };
}
