using Optc.Ir;
using Optc.Ir.Text;

namespace Optc.Ops;

/// <summary>The element type of a result that no operand determines.</summary>
/// <remarks>
/// <c>.tflite</c> files say it by the type of the result tensor only (CAST has options for it that many writers leave
/// out), so an op that is read from one has none of its own, <see langword="null"/>, and takes the declared type.
/// </remarks>
internal static class ResultType
{
    private const string Attribute = "to";
    private const string AsDeclared = "declared";

    /// <summary>The type to compute: <paramref name="own"/>, else what the graph declares for the first result.</summary>
    /// <exception cref="OpRuleException">Neither says it, or they differ.</exception>
    public static DType Resolve(DType? own, OpOperands operands)
    {
        DType? declared = operands.Declared.IsDefaultOrEmpty ? null : operands.Declared[0].DType;
        return own is not null && declared is not null && own != declared
            ? throw new OpRuleException("the result has another element type than the operator makes")
            {
                Found = declared.Value.Name,
                Expected = own.Value.Name,
            }
            : own ?? declared ?? throw new OpRuleException("neither the operator nor the graph says the element type of the result");
    }

    public static void Describe(DType? own, AttributeWriter attributes) => attributes.Add(Attribute, own?.Name ?? AsDeclared);

    /// <exception cref="OpRuleException">There is no element type of that name.</exception>
    public static DType? Parse(AttributeReader attributes)
    {
        string name = attributes.String(Attribute);
        return name == AsDeclared ? null
            : DTypes.Parse(name) ?? throw new OpRuleException("there is no element type of this name") { Found = name };
    }
}
