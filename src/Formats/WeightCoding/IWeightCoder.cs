namespace Optc.Formats.WeightCoding;

/// <summary>A way to store integer weights, as a measure: how many bits it takes for given ones.</summary>
/// <remarks>
/// Weights are codes with the zero point taken off, in the order of the file (OHWI) unless the caller has put them into that of a target.
/// Figures of different coders are never mixed: a report names the coder beside each.
/// </remarks>
public interface IWeightCoder
{
    /// <summary>What <see cref="WeightCoders.Find"/> and options call it, such as <c>ethos-u</c>.</summary>
    string Name { get; }

    /// <summary>What is counted, in a few words for reports.</summary>
    string Description { get; }

    /// <summary>Bits of one tensor that is stored alone, with everything that is needed to read it back except its shape.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A weight is outside of what the coder can store.</exception>
    long CountBits(ReadOnlySpan<short> weights);

    /// <summary>What each code costs among some weights, for passes that may choose another one; <see cref="CountBits"/> tells what came of it.</summary>
    /// <remarks>By frequencies alone, unless the coder knows better.</remarks>
    /// <param name="weights">At least one.</param>
    /// <exception cref="ArgumentOutOfRangeException">A weight is outside of -255 to 255.</exception>
    CodeLengths EstimateLengths(ReadOnlySpan<short> weights) => CodeLengths.OrderZero(weights);

    /// <summary>Whether tensors that are stored together are one stretch of bytes; otherwise their sizes add up.</summary>
    bool JoinsTensors => false;

    /// <summary>Bits of several tensors that are stored together, such as all weights of a model.</summary>
    /// <remarks>The sum over the tensors, unless the coder takes them as one stretch of bytes.</remarks>
    /// <inheritdoc cref="CountBits(ReadOnlySpan{short})"/>
    long CountPayloadBits(IEnumerable<ReadOnlyMemory<short>> tensors) => tensors.Sum(t => CountBits(t.Span));
}
