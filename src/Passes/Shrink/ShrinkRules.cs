namespace Optc.Passes.Shrink;

/// <summary>Reasons for which something of an integer model can go without any output changing for any input.</summary>
[Flags]
public enum ShrinkRules
{
    None = 0,

    /// <summary>A channel that all its readers multiply by zero.</summary>
    Unread = 1 << 0,

    /// <summary>A channel that is always at the zero point, so that its products are zero.</summary>
    Dead = 1 << 1,

    /// <summary>A channel that always has one value: its products go into the bias of what reads it.</summary>
    Fold = 1 << 2,

    /// <summary>As <see cref="Fold"/> into a layer that pads, where the taps that can fall outside are zero.</summary>
    FoldPadded = 1 << 3,

    /// <summary>A channel that always equals another one: what reads both adds up their weights.</summary>
    Duplicate = 1 << 4,

    /// <summary>A fused activation that limits nothing.</summary>
    Clamp = 1 << 5,

    /// <summary>A PAD that the convolution behind it can do itself.</summary>
    Pad = 1 << 6,

    /// <summary>A RESHAPE, SQUEEZE or EXPAND_DIMS that changes nothing for its readers; the constant shape of a RESHAPE that says it itself.</summary>
    Reshape = 1 << 7,

    /// <summary>A QUANTIZE to the parameters that are there.</summary>
    Quantize = 1 << 8,

    /// <summary>Several PADs or RESHAPEs in a row.</summary>
    Merge = 1 << 9,

    /// <summary>Operators whose results nobody reads.</summary>
    Unused = 1 << 10,

    /// <summary>Facts from running all inputs, where there are few enough.</summary>
    Enumeration = 1 << 11,

    /// <summary>All that take channels out.</summary>
    Channels = Unread | Dead | Fold | FoldPadded | Duplicate,

    All = (1 << 12) - 1,
}
