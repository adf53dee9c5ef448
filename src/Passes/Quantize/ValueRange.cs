namespace Optc.Passes.Quantize;

/// <summary>An interval of real numbers that a grid has to cover.</summary>
public readonly record struct ValueRange(double Low, double High)
{
    /// <summary>Covers nothing.</summary>
    public static ValueRange Empty { get; } = new(double.PositiveInfinity, double.NegativeInfinity);

    public bool IsEmpty => Low > High;

    public ValueRange Union(ValueRange other) => new(Math.Min(Low, other.Low), Math.Max(High, other.High));
}
