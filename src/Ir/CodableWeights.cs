namespace Optc.Ir;

/// <summary>Integer weights of a graph as a coder of weights takes them.</summary>
public static class CodableWeights
{
    /// <summary>The codes of a constant with their zero points taken off, in its own order.</summary>
    /// <param name="data">Elements of at most 8 bits, dense or sparse.</param>
    /// <param name="quant">Zero points; <see langword="null"/> for zero.</param>
    /// <returns>
    /// <see cref="Shape.ElementCount"/> codes from -255 to 255; <see langword="null"/> if the constant is no integer of at most 8 bits, or the zero
    /// point is none of its codes.
    /// </returns>
    public static short[]? Of(TensorData data, QuantParams? quant)
    {
        if (data.DType is not (DType.I8 or DType.U8 or DType.I4 or DType.U4 or DType.I2))
        {
            return null;
        }

        data = data.ToDense();
        short[] codes = Unpack(data);
        if (quant is null || quant.ZeroPoints.All(z => z == 0))
        {
            return codes;
        }

        if (quant.ZeroPoints.Any(z => z is < sbyte.MinValue or > byte.MaxValue))
        {
            return null;
        }

        int channels = quant.ZeroPoints.Length == 1 ? 1 : data.Shape[quant.Axis];
        int inner = 1;
        for (int axis = quant.Axis + 1; axis < data.Shape.Rank; axis++)
        {
            inner *= data.Shape[axis];
        }

        for (int i = 0; i < codes.Length; i++)
        {
            int code = codes[i] - (int)quant.ZeroPointAt(channels == 1 ? 0 : i / inner % channels);
            if (code is < -byte.MaxValue or > byte.MaxValue)
            {
                return null;
            }

            codes[i] = (short)code;
        }

        return codes;
    }

    private static short[] Unpack(TensorData data)
    {
        ReadOnlySpan<byte> bytes = data.Bytes.Span;
        int bits = data.DType.BitWidth;
        bool isSigned = data.DType is DType.I8 or DType.I4 or DType.I2;
        int perByte = 8 / bits;
        short[] codes = new short[checked((int)data.Shape.ElementCount)];
        for (int i = 0; i < codes.Length; i++)
        {
            int code = (bytes[i / perByte] >> (i % perByte * bits)) & ((1 << bits) - 1);
            codes[i] = (short)(isSigned && code >= 1 << (bits - 1) ? code - (1 << bits) : code);
        }

        return codes;
    }
}
