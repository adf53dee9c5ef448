using System.Collections.Immutable;
using Optc.Ir;
using Optc.Ops;

namespace Optc.Passes.Quantize;

/// <summary>Which values are constants in float, in half precision behind DEQUANTIZE, or integers behind DEQUANTIZE.</summary>
internal static class FloatConstants
{
    /// <summary>The dense f32 content of a value that is constant as such or in half precision.</summary>
    public static TensorData? Of(Value value)
    {
        if (value.Constant is { DType: DType.F32 } plain)
        {
            return plain.ToDense();
        }

        if (value.Producer is not { Op: Dequantize } node || node.Inputs[0] is not { Constant: { DType: DType.F16 } half })
        {
            return null;
        }

        ReadOnlySpan<Half> narrow = half.ToDense().Span<Half>();
        float[] wide = new float[narrow.Length];
        System.Numerics.Tensors.TensorPrimitives.ConvertToSingle(narrow, wide);
        if (half.Structure is { Grid: { } grid } structure)
        {
            // Half precision rounds what lies on a grid; the codes tell where it was.
            ImmutableArray<long> codes = structure.Codes(half.ToDense());
            ChannelMap map = new(half.Shape, grid.Axis);
            for (int i = 0; i < wide.Length; i++)
            {
                wide[i] = codes[i] * grid.Scales[grid.Scales.Length == 1 ? 0 : map.ChannelOf(i)];
            }
        }

        return TensorData.FromFloats(half.Shape, wide).With(half.Structure);
    }

    /// <summary>Constant i8 weights behind DEQUANTIZE that integer kernels take as they are: zero points 0, no -128.</summary>
    /// <param name="axis">Axis along which there may be several scales.</param>
    public static Value? IntegerWeights(Value value, int axis, bool perChannel)
    {
        if (value.Producer is not { Op: Dequantize } node
            || node.Inputs[0] is not { Constant: { DType: DType.I8, Sparse: null } data, Type.Quant: { } quant } weights)
        {
            return null;
        }

        bool fits = quant.ZeroPoints.All(z => z == 0) && (!quant.IsPerAxis || (perChannel && quant.Axis == axis));
        return fits && !data.Span<sbyte>().Contains(sbyte.MinValue) ? weights : null;
    }

    /// <summary>True for values that hold a constant, whatever its form.</summary>
    public static bool IsConstant(Value value) =>
        value.Constant is not null || (value.Producer is { Op: Dequantize } node && node.Inputs[0] is { Constant: not null });
}
