using System.Runtime.InteropServices;
using Optc.Ir;
using Optc.Ops.Kernels;
using Optc.Runtime;
using Optc.Tests.Fuzzing;
using Xunit;

namespace Optc.Tests.Unit.Passes.Shrink;

/// <summary>Runs two models on the same inputs, which must give the same bytes.</summary>
internal static class SameOutputs
{
    private static readonly RoundingProfile[] Profiles = [RoundingProfile.Tflm, RoundingProfile.Xnnpack];

    /// <summary>On structured inputs, state kept between them.</summary>
    public static void OnStructuredInputs(Module expected, Module actual, int count, int first = 0) =>
        OnInputs(expected, actual, count, (number, type) => Structured(number + first, type));

    /// <summary>On all 256 values of the only input element, or all pairs of two.</summary>
    public static void OnEveryInput(Module expected, Module actual)
    {
        int elements = (int)ElementCount(expected.Main.Inputs[0].Type);
        OnInputs(expected, actual, elements == 1 ? 256 : 65536, (number, _) => elements == 1 ? [(byte)number] : [(byte)number, (byte)(number >> 8)]);
    }

    public static byte[] Structured(int number, TensorType type)
    {
        int[] dims = [.. type.Shape.Dims.Select(d => Math.Max(d, 1))];
        switch (type.DType)
        {
            case DType.I8:
                return StructuredInputs.Make(number, dims, sbyte.MinValue, type.Quant is null ? 0 : type.ZeroPoint);
            case DType.U8:
                return StructuredInputs.Make(number, dims, byte.MinValue, type.Quant is null ? 0 : type.ZeroPoint);
            default:
                byte[] codes = StructuredInputs.Make(number, dims, sbyte.MinValue, 0);
                return type.DType switch
                {
                    DType.F32 => MemoryMarshal.AsBytes<float>(Array.ConvertAll(codes, c => (sbyte)c / 32f)).ToArray(),
                    DType.I16 => MemoryMarshal.AsBytes<short>(Array.ConvertAll(codes, c => (short)((sbyte)c * 256))).ToArray(),
                    _ => new byte[type.DType.ByteCount(codes.Length)],
                };
        }
    }

    private static long ElementCount(TensorType type) => type.Shape.Dims.Aggregate(1L, (n, d) => n * Math.Max(d, 1));

    private static void OnInputs(Module expected, Module actual, int count, Func<int, TensorType, byte[]> make)
    {
        foreach (RoundingProfile profile in Profiles)
        {
            using Interpreter a = new(expected, options: new() { Rounding = profile });
            using Interpreter b = new(actual, options: new() { Rounding = profile });
            Assert.Equal(a.InputCount, b.InputCount);
            Assert.Equal(a.OutputCount, b.OutputCount);
            for (int number = 0; number < count; number++)
            {
                for (int i = 0; i < a.InputCount; i++)
                {
                    byte[] input = make(number, a.InputType(i));
                    input.CopyTo(a.Input(i));
                    input.CopyTo(b.Input(i));
                }

                a.Run();
                b.Run();
                for (int o = 0; o < a.OutputCount; o++)
                {
                    Assert.True(a.Output(o).SequenceEqual(b.Output(o)), $"output {o} differs on input {number} under {profile}");
                }
            }
        }
    }
}
