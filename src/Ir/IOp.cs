using System.Collections.Immutable;
using Optc.Ir.Text;

namespace Optc.Ir;

/// <summary>An operation: an immutable value that holds its attributes and knows its shape rule.</summary>
/// <remarks>
/// What else can be known of an op (kernels, quantization rule, gradient, encodings) is a small interface of its own in
/// <c>Optc.Ops</c>, which an op implements or does not.
/// </remarks>
public interface IOp
{
    OpSchema Schema { get; }

    /// <summary>Name for messages and reports; an op that stands for many names the one it is.</summary>
    string Title => Schema.Name;

    /// <summary>The types of the outputs, quantization left out: element type, and shape as far as it can be known.</summary>
    /// <exception cref="OpRuleException">The operands or attributes are not allowed.</exception>
    ImmutableArray<TensorType> InferTypes(OpOperands operands);

    /// <summary>Lists the attributes; <see cref="IOp{TSelf}.Parse"/> is the inverse.</summary>
    void Describe(AttributeWriter attributes);
}

/// <summary>The static side of an op.</summary>
public interface IOp<TSelf> : IOp
    where TSelf : IOp<TSelf>
{
    static abstract OpSchema Declaration { get; }

    OpSchema IOp.Schema => TSelf.Declaration;

    /// <summary>Makes the op from the attributes that <see cref="IOp.Describe"/> wrote.</summary>
    static abstract TSelf Parse(AttributeReader attributes);
}
