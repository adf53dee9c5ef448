namespace Optc.Ops.Bounds;

/// <summary>Ways to round that results are promised for.</summary>
[Flags]
public enum Roundings
{
    /// <summary>TFLite Micro's default: fixed point, rounded twice.</summary>
    Double = 1,

    /// <summary>Fixed point, rounded once (<c>TFLITE_SINGLE_ROUNDING</c>).</summary>
    Single = 2,

    /// <summary>XNNPACK, LiteRT's default.</summary>
    Float32 = 4,

    /// <summary>Whatever the runtime.</summary>
    All = Double | Single | Float32,
}
