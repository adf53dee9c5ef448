using System.Runtime.InteropServices;
using Optc.Formats.TfLite;
using Optc.Ir;
using Optc.Ops;
using Optc.Ops.TfLite;
using Xunit;

namespace Optc.Tests.Unit.Ops;

public sealed class CastTests
{
    private static readonly DType[] Integers = [DType.I8, DType.U8, DType.I16, DType.U16, DType.I32, DType.U32, DType.I64];

    [Fact]
    public void Integers_keep_their_lower_bits()
    {
        long[] values = [0, 1, -1, 127, 128, 255, 256, -129, 65535, int.MaxValue, int.MinValue, 0x1234_5678_9ABC_DEF0];
        foreach (DType from in Integers)
        {
            byte[] source = Pack(from, values);
            foreach (DType to in Integers)
            {
                byte[] y = Run(from, source, to, values.Length);

                Assert.Equal(Pack(to, [.. Enumerable.Range(0, values.Length).Select(i => Unpack(from, source, i))]), y);
            }
        }
    }

    [Fact]
    public void Integers_become_the_nearest_float()
    {
        long[] values = [0, 1, -1, 127, 16777217, 16777219, int.MaxValue, long.MaxValue, long.MinValue + 1];
        byte[] y = Run(DType.I64, Pack(DType.I64, values), DType.F32, values.Length);
        Assert.Equal(values.Select(v => (float)v), MemoryMarshal.Cast<byte, float>(y).ToArray());
        byte[] u = Run(DType.U32, Pack(DType.U32, [uint.MaxValue, 3]), DType.F32, 2);
        Assert.Equal([4294967296f, 3], MemoryMarshal.Cast<byte, float>(u).ToArray());
    }

    [Fact]
    public void Floats_are_truncated_and_saturate()
    {
        float[] values = [0, 0.9f, -0.9f, 1.5f, -1.5f, 300, -300, 1e10f, -1e10f, float.PositiveInfinity, float.NegativeInfinity, float.NaN];
        byte[] source = MovedElements.Bytes<float>(values);
        foreach (DType to in Integers)
        {
            (decimal low, decimal high) = to switch
            {
                DType.I8 => (sbyte.MinValue, sbyte.MaxValue),
                DType.U8 => (byte.MinValue, byte.MaxValue),
                DType.I16 => (short.MinValue, short.MaxValue),
                DType.U16 => (ushort.MinValue, ushort.MaxValue),
                DType.I32 => (int.MinValue, int.MaxValue),
                DType.U32 => (uint.MinValue, uint.MaxValue),
                _ => (long.MinValue, (decimal)long.MaxValue),
            };
            byte[] y = Run(DType.F32, source, to, values.Length);
            for (int i = 0; i < values.Length; i++)
            {
                decimal expected = float.IsNaN(values[i]) ? 0
                    : float.IsPositiveInfinity(values[i]) ? high
                    : float.IsNegativeInfinity(values[i]) ? low
                    : Math.Clamp(decimal.Truncate((decimal)values[i]), low, high);
                Assert.True(expected == Unpack(to, y, i), $"{values[i]} to {to}: {Unpack(to, y, i)}");
            }
        }
    }

    [Fact]
    public void Truth_is_anything_but_zero()
    {
        Assert.Equal(
            new byte[] { 0, 0, 1, 1, 1 },
            new OpCase(new Cast(DType.Bool)).Input<float>(DType.F32, [5], 0, -0f, 0.1f, float.NaN, -3).Run<byte>());
        Assert.Equal(new byte[] { 0, 1, 1 }, new OpCase(new Cast(DType.Bool)).Input(DType.I32, [3], 0, 256, -1).Run<byte>());
        Assert.Equal([0f, 1, 1], new OpCase(new Cast(DType.F32)).Input<byte>(DType.Bool, [3], 0, 1, 255).Run<float>());
    }

    [Fact]
    public void Short_floats_round_to_even()
    {
        float[] values = [1, 1 + (1 / 2048f), 1 + (3 / 2048f), 65504, 65520, -2e-8f, 5e-8f, float.NaN, float.NegativeInfinity];
        Half[] halves = new OpCase(new Cast(DType.F16)).Input<float>(DType.F32, [values.Length], values).Run<Half>();
        Assert.Equal(values.Select(v => (Half)v), halves);
        Assert.Equal(halves.Select(h => (float)h), new OpCase(new Cast(DType.F32)).Input<Half>(DType.F16, [halves.Length], halves).Run<float>());

        // bfloat16 keeps 7 bits behind the point.
        ushort[] brains = new OpCase(new Cast(DType.BF16))
            .Input<float>(DType.F32, [6], 1, 1 + (1 / 256f), 1 + (3 / 256f), -3.3895314e38f, float.MaxValue, float.NaN).Run<ushort>();
        Assert.Equal([0x3F80, 0x3F80, 0x3F82, 0xFF7F, 0x7F80], brains[..5].Select(b => (int)b));
        Assert.Equal(
            [1f, 1, 1.015625f, -3.3895314e38f, float.PositiveInfinity, float.NaN],
            new OpCase(new Cast(DType.F32)).Input<ushort>(DType.BF16, [6], brains).Run<float>());
        Assert.Equal([0.1, -2e300], new OpCase(new Cast(DType.F64)).Input<double>(DType.F64, [2], 0.1, -2e300).Run<double>());
        Assert.Equal([0.1f, float.NegativeInfinity], new OpCase(new Cast(DType.F32)).Input<double>(DType.F64, [2], 0.1, -2e300).Run<float>());
    }

    [Fact]
    public void Nibbles_are_signed_and_start_with_the_lower_one()
    {
        float[] all = [.. Enumerable.Range(0, 601).Select(i => (i % 16) - 8f)];
        byte[] packed = new OpCase(new Cast(DType.I4)).Input<float>(DType.F32, [601], all).Run<byte>();
        Assert.Equal(301, packed.Length);
        Assert.Equal(0x98, packed[0]);
        Assert.Equal(all, new OpCase(new Cast(DType.F32)).Input<byte>(DType.I4, [601], packed).Run<float>());
        Assert.Equal(new byte[] { 0x87 }, new OpCase(new Cast(DType.I4)).Input<float>(DType.F32, [2], 9.5f, -100).Run<byte>());
    }

    [Fact]
    public void Raw_values_are_converted_whatever_the_quantization() => Assert.Equal(
        [-3f, 5],
        new OpCase(new Cast(DType.F32)).Input<sbyte>(new QuantParams(0.5f, 7).With(DType.I8, [2]), -3, 5).Run<float>());

    [Fact]
    public void The_result_type_is_that_of_the_operator_or_the_graph()
    {
        TensorType x = new(DType.F32, [2, 3]);
        Assert.Equal(DType.I32, new OpCase(new Cast()).Input<byte>(x).Output(new(DType.I32, [2, 3])).Infer()[0].DType);
        Assert.Throws<OpRuleException>(() => new OpCase(new Cast()).Input<byte>(x).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new Cast(DType.I8)).Input<byte>(x).Output(new(DType.I32, [2, 3])).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new Cast(DType.C64)).Input<byte>(x).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new Cast(DType.I8)).Input<byte>(DType.I4, [2]).Infer());
        Assert.Throws<OpRuleException>(() => new OpCase(new Cast(DType.F32)).Input<byte>(DType.String, [2]).Infer());
        Assert.Equal(new Cast(DType.U16), OpCase.Reparse(new Cast(DType.U16)));
        Assert.Equal(new Cast(), OpCase.Reparse(new Cast()));
    }

    [Theory]
    [InlineData(DType.F32, DType.I32, 1)]
    [InlineData(DType.U32, DType.F32, 2)]
    [InlineData(DType.U32, DType.I8, 3)]
    [InlineData(DType.I8, DType.U16, 4)]
    [InlineData(DType.U16, DType.F16, 5)]
    [InlineData(DType.F64, DType.F32, 5)]
    [InlineData(DType.I4, DType.F32, 6)]
    [InlineData(DType.F16, DType.BF16, 7)]
    public void Has_the_version_of_the_table(DType from, DType to, int version)
    {
        TfLiteEncoding encoding = new Cast(to).Write(new(new([new TensorType(from, [2])], [null], [new(to, [2])]), []));
        Assert.Equal(version, encoding.Version);
        CastOptions options = Assert.IsType<CastOptions>(encoding.Options);
        Assert.Equal((from, to), (TfLiteTypes.FromCode(options.InDataType)!.Value, TfLiteTypes.FromCode(options.OutDataType)!.Value));
    }

    private static byte[] Run(DType from, byte[] source, DType to, int length) =>
        new OpCase(new Cast(to)).Input<byte>(new TensorType(from, [length]), source).Run<byte>();

    private static byte[] Pack(DType type, long[] values) =>
        [.. values.SelectMany(v => BitConverter.GetBytes(v).Take(type.BitWidth / 8))];

    private static long Unpack(DType type, byte[] bytes, int index)
    {
        int size = type.BitWidth / 8;
        byte[] wide = new byte[8];
        bool negative = type is DType.I8 or DType.I16 or DType.I32 && (bytes[((index + 1) * size) - 1] & 0x80) != 0;
        wide.AsSpan().Fill(negative ? (byte)0xFF : (byte)0);
        bytes.AsSpan(index * size, size).CopyTo(wide);
        return BitConverter.ToInt64(wide);
    }
}
