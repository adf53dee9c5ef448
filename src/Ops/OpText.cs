using Optc.Ir;
using Optc.Ir.Text;

namespace Optc.Ops;

/// <summary>The text form with the ops of <see cref="OpSet"/>.</summary>
public static class OpText
{
    /// <exception cref="DiagnosticException">The text does not follow the form, or an op refuses its attributes or operands.</exception>
    public static Module ParseModule(string text) => GraphParser.ParseModule(text, Make);

    /// <inheritdoc cref="ParseModule"/>
    public static Graph ParseGraph(string text) => GraphParser.ParseGraph(text, Make);

    /// <summary>An op with its attributes: <c>leaky_relu { alpha: -0.5 }</c>.</summary>
    /// <inheritdoc cref="ParseModule" path="/exception"/>
    public static IOp ParseOp(string text) => GraphParser.ParseOp(text, Make);

    /// <summary>Makes an op of its name and printed attributes.</summary>
    /// <exception cref="OpRuleException">There is no such op, or an attribute is missing or not allowed.</exception>
    public static IOp Make(string name, AttributeReader attributes) => OpSet.Find(name) is { } entry
        ? entry.Parse(attributes)
        : throw new OpRuleException("there is no operator of this name") { Found = name };
}
