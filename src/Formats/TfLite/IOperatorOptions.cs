namespace Optc.Formats.TfLite;

/// <summary>The options of a builtin operator, from either of the two unions that can hold them.</summary>
public interface IOperatorOptions
{
    /// <summary>Whether the table can say anything; one without fields means the same as no table.</summary>
    bool HasFields => true;
}

public partial interface IBuiltinOptions : IOperatorOptions;

public partial interface IBuiltinOptions2 : IOperatorOptions;
