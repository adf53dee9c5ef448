namespace Optc.Ir;

/// <summary>
/// An op cannot accept these operands or attributes: what is wrong as data, without the place, which only the
/// caller knows. The verifier and the runtime turn it into a <see cref="Diagnostic"/> that names the node.
/// </summary>
public sealed class OpRuleException(string message) : Exception(message)
{
    public string? Found { get; init; }

    public string? Expected { get; init; }

    /// <summary>True when an operand has an element type for which the op has no rule: the graph is sound, optc does not know this form.</summary>
    public bool ConcernsElementType { get; init; }
}
