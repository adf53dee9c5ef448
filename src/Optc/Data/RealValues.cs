using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Optc.Ir;

namespace Optc.Data;

/// <summary>Content of tensors in real units.</summary>
public static class RealValues
{
    /// <summary>Elements of a real or integer tensor, without regard to quantization.</summary>
    /// <exception cref="DiagnosticException">Another element type.</exception>
    internal static double[] Of(TensorData data) => Convert<double>(data.DType, data.Bytes.Span);

    /// <summary>Elements in real units: <c>scale * (q - zero point)</c> for per-tensor quantized types, else the numbers themselves.</summary>
    /// <exception cref="DiagnosticException">The element type has no real value.</exception>
    public static float[] Of(TensorType type, ReadOnlySpan<byte> content)
    {
        float[] values = Convert<float>(type.DType, content);
        if (type.Quant is { IsPerAxis: false } grid)
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = grid.Scale * (values[i] - grid.ZeroPoint);
            }
        }

        return values;
    }

    /// <summary>Writes the elements of a real or integer tensor as they are, without regard to quantization.</summary>
    /// <param name="target">As many elements as <paramref name="content"/> holds.</param>
    /// <exception cref="DiagnosticException">The element type has no real value.</exception>
    internal static void Read(DType type, ReadOnlySpan<byte> content, Span<float> target)
    {
        switch (type)
        {
            case DType.F32:
                MemoryMarshal.Cast<byte, float>(content).CopyTo(target);
                break;
            case DType.F16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(content), target);
                break;
            case DType.U8 or DType.Bool:
                TensorPrimitives.ConvertTruncating<byte, float>(content, target);
                break;
            case DType.I8:
                TensorPrimitives.ConvertTruncating<sbyte, float>(MemoryMarshal.Cast<byte, sbyte>(content), target);
                break;
            case DType.I16:
                TensorPrimitives.ConvertTruncating<short, float>(MemoryMarshal.Cast<byte, short>(content), target);
                break;
            default:
                Convert<float>(type, content).CopyTo(target);
                break;
        }
    }

    private static T[] Convert<T>(DType type, ReadOnlySpan<byte> content)
        where T : INumber<T> => type switch
        {
            DType.F32 => From<float, T>(content),
            DType.F16 => From<Half, T>(content),
            DType.F64 => From<double, T>(content),
            DType.I8 => From<sbyte, T>(content),
            DType.U8 or DType.Bool => From<byte, T>(content),
            DType.I16 => From<short, T>(content),
            DType.U16 => From<ushort, T>(content),
            DType.I32 => From<int, T>(content),
            DType.U32 => From<uint, T>(content),
            DType.I64 => From<long, T>(content),
            DType.U64 => From<ulong, T>(content),
            _ => throw new DiagnosticException(new Diagnostic(DiagnosticId.DataMismatch, "a tensor of this type has no real values") { Found = type.Name }),
        };

    private static TResult[] From<T, TResult>(ReadOnlySpan<byte> content)
        where T : unmanaged, INumber<T>
        where TResult : INumber<TResult>
    {
        ReadOnlySpan<T> values = MemoryMarshal.Cast<byte, T>(content);
        TResult[] result = new TResult[values.Length];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = TResult.CreateSaturating(values[i]);
        }

        return result;
    }
}
