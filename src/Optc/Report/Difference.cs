using System.Numerics;
using System.Runtime.InteropServices;
using Optc.Data;
using Optc.Ir;

namespace Optc.Report;

/// <summary>Sums over the elements of two values. Adding them up in the order of the samples gives the same on any number of threads.</summary>
internal readonly record struct Difference(
    long Elements,
    double MaxAbs,
    double SumAbs,
    double SumSquares,
    double Signal,
    bool IsBitExact,
    long MaxCode,
    long Vectors,
    long AgreeingVectors)
{
    public static Difference None { get; } = new() { IsBitExact = true };

    /// <summary>True when codes of the two types mean the same.</summary>
    public static bool AreComparable(TensorType a, TensorType b) => a.DType == b.DType && Equals(a.Quant, b.Quant);

    /// <summary>Whether elements of a type have real values that can be subtracted.</summary>
    public static bool HasRealValues(DType type) => type
        is DType.F32 or DType.F16 or DType.F64 or DType.I8 or DType.U8 or DType.Bool
        or DType.I16 or DType.U16 or DType.I32 or DType.U32 or DType.I64 or DType.U64;

    /// <param name="typeA">Type with concrete shape; as many elements as <paramref name="typeB"/>.</param>
    /// <param name="vectors">Whether to compare the largest elements of the vectors along the last axis.</param>
    public static Difference Of(TensorType typeA, ReadOnlySpan<byte> a, TensorType typeB, ReadOnlySpan<byte> b, bool vectors)
    {
        bool comparable = AreComparable(typeA, typeB);
        bool same = comparable && a.SequenceEqual(b);
        float[] realA = RealValues.Of(typeA, a);
        if (same && !vectors)
        {
            return None with { Elements = realA.Length, Signal = Squares(realA) };
        }

        float[] realB = RealValues.Of(typeB, b);
        double maximum = 0;
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < realA.Length; i++)
        {
            // Equal infinities and two NaN are no difference.
            double difference = realA[i].Equals(realB[i]) ? 0 : Math.Abs((double)realA[i] - realB[i]);
            maximum = Math.Max(maximum, difference);
            sum += difference;
            squares += difference * difference;
        }

        int row = vectors && typeB.Shape.Rank > 0 ? typeB.Shape[-1] : 0;
        (long count, long agreeing) = row < 2 ? (0, 0) : Agreement(realA, realB, row);
        long codes = comparable && !same && !typeA.DType.IsFloat ? Codes(typeA.DType, a, b) : 0;
        return new(realA.Length, maximum, sum, squares, Squares(realA), same, codes, count, agreeing);
    }

    public Difference Plus(Difference next) => new(
        Elements + next.Elements,
        Math.Max(MaxAbs, next.MaxAbs),
        SumAbs + next.SumAbs,
        SumSquares + next.SumSquares,
        Signal + next.Signal,
        IsBitExact && next.IsBitExact,
        Math.Max(MaxCode, next.MaxCode),
        Vectors + next.Vectors,
        AgreeingVectors + next.AgreeingVectors);

    public DifferenceEntry ToEntry(string name, string? op, TensorType a, TensorType b)
    {
        bool comparable = AreComparable(a, b);
        double sqnr = SumSquares == 0 ? double.PositiveInfinity : 10 * Math.Log10(Signal / SumSquares);
        return new(
            name,
            op,
            a.DType.Name,
            b.DType.Name,
            Elements,
            MaxAbs,
            Elements == 0 ? 0 : SumAbs / Elements,
            Elements == 0 ? 0 : Math.Sqrt(SumSquares / Elements),
            sqnr,
            comparable ? IsBitExact : null,
            comparable && !a.DType.IsFloat ? MaxCode : null,
            Vectors == 0 ? null : 100.0 * AgreeingVectors / Vectors);
    }

    private static double Squares(float[] values)
    {
        double sum = 0;
        foreach (float value in values)
        {
            sum += (double)value * value;
        }

        return sum;
    }

    private static (long Count, long Agreeing) Agreement(float[] a, float[] b, int row)
    {
        long agreeing = 0;
        for (int start = 0; start < a.Length; start += row)
        {
            agreeing += Largest(a.AsSpan(start, row)) == Largest(b.AsSpan(start, row)) ? 1 : 0;
        }

        return (a.Length / row, agreeing);
    }

    private static int Largest(ReadOnlySpan<float> values)
    {
        int largest = 0;
        for (int i = 1; i < values.Length; i++)
        {
            largest = values[i] > values[largest] ? i : largest;
        }

        return largest;
    }

    private static long Codes(DType type, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => type switch
    {
        DType.I8 => Codes<sbyte>(a, b),
        DType.U8 or DType.Bool => Codes<byte>(a, b),
        DType.I16 => Codes<short>(a, b),
        DType.U16 => Codes<ushort>(a, b),
        DType.I32 => Codes<int>(a, b),
        DType.U32 => Codes<uint>(a, b),
        DType.I64 => Codes<long>(a, b),
        _ => Codes<ulong>(a, b),
    };

    private static long Codes<T>(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
        where T : unmanaged, IBinaryInteger<T>
    {
        ReadOnlySpan<T> codesA = MemoryMarshal.Cast<byte, T>(a);
        ReadOnlySpan<T> codesB = MemoryMarshal.Cast<byte, T>(b);
        Int128 maximum = 0;
        for (int i = 0; i < codesA.Length; i++)
        {
            maximum = Int128.Max(maximum, Int128.Abs(Int128.CreateChecked(codesA[i]) - Int128.CreateChecked(codesB[i])));
        }

        return long.CreateSaturating(maximum);
    }
}
