namespace Optc.Tests.Fuzzing;

/// <summary>A way to damage a file.</summary>
public enum MutationKind
{
    /// <summary>One or two bits are turned.</summary>
    BitFlips,

    /// <summary>The file ends somewhere.</summary>
    Truncation,

    /// <summary>Words that look like offsets point elsewhere, or change places.</summary>
    SplicedOffsets,

    /// <summary>Words that look like lengths, sizes or indices become huge, negative, zero or one more.</summary>
    AbsurdLengths,

    /// <summary>A stretch of another file, or of another place, stands in the file.</summary>
    ForeignBlock,
}
